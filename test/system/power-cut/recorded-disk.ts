import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { Random } from '../kit/random.ts';
import { createFileContent, type FileContent } from './file-content.ts';
import { type DiskRecord, RECORD, type RecordKind } from './record-log.ts';

/** A change of names in one folder that happens as a whole; null: the name goes. */
type NameChange = readonly { readonly name: string; readonly node: Node | null }[];

interface Folder {
	readonly kind: 'folder';
	/** Where it hangs, for the flush that makes its own name certain; null: the root. */
	readonly parent: Folder | null;
	readonly names: Map<string, Node>;
	readonly durable: Map<string, Node>;
	pending: NameChange[];
	settled: number;
}

interface File {
	readonly kind: 'file';
	readonly content: FileContent;
	readonly parent: Folder;
	readonly name: string;
}

interface Link {
	readonly kind: 'link';
	readonly to: string;
}

type Node = Folder | File | Link;

/** `power`: what was not flushed may be gone. `process`: only the process died, the page cache lives. */
export type CutKind = 'power' | 'process';

/** One process's folder as a log of its changes tells it. */
export interface RecordedDisk {
	apply(record: DiskRecord): void;
	/** Makes the folder as the cut leaves it. What was there is removed. */
	rebuild(folder: string, kind: CutKind, random: Random): void;
	/** Files that were changed in a way that is not recorded. */
	unknown(): readonly string[];
}

/**
 * LevelDB flushes a new log or table without flushing its folder. Every journalling file system of Linux makes the name certain with the
 * first flush of the file; other files are held to the letter of POSIX.
 */
const NAMED_BY_OWN_FLUSH = /^(\d{6}\.(log|ldb)|MANIFEST-\d{6}|\d{6}\.dbtmp)$/;
const KEEP_SIZE = 1;

const newFolder = (parent: Folder | null): Folder => ({
	kind: 'folder',
	parent,
	names: new Map(),
	durable: new Map(),
	pending: [],
	settled: 0,
});

const put = (names: Map<string, Node>, change: NameChange): void => {
	for (const { name, node } of change) {
		if (node === null) names.delete(name);
		else names.set(name, node);
	}
};

function settleNames(folder: Folder, changes: number): void {
	const covered = folder.pending.slice(0, Math.max(0, changes - folder.settled));
	for (const change of covered) put(folder.durable, change);
	folder.pending = folder.pending.slice(covered.length);
	folder.settled += covered.length;
}

/** Up to the change that made this name what it is. */
function settleName(folder: Folder, node: Node): void {
	const index = folder.pending.findIndex((change) => change.some((one) => one.node === node));
	if (index >= 0) settleNames(folder, folder.settled + index + 1);
}

/** A flush below a folder makes the folder itself certain, on every journalling file system. */
function settleAncestors(folder: Folder): void {
	for (let at = folder; at.parent !== null; at = at.parent) settleName(at.parent, at);
}

function contentOf(node: Node | undefined, what: string): FileContent {
	if (node?.kind !== 'file') throw new Error(`the log changes ${what}, which is no file`);
	return node.content;
}

/** Names change in their order, folder by folder: those after the last one that reached the medium are gone. */
function namesAfter(folder: Folder, kind: CutKind, random: Random): ReadonlyMap<string, Node> {
	if (kind === 'process') return folder.names;
	const names = new Map(folder.durable);
	const kept = Math.floor(random.below(folder.pending.length + 1));
	for (const change of folder.pending.slice(0, kept)) put(names, change);
	return names;
}

function make(path: string, node: Node, kind: CutKind, random: Random): void {
	if (node.kind === 'link') symlinkSync(node.to, path);
	else if (node.kind === 'file')
		writeFileSync(path, kind === 'process' ? node.content.cached() : node.content.cut(random), { mode: 0o600 });
	else {
		mkdirSync(path, { mode: 0o700 });
		for (const [name, child] of namesAfter(node, kind, random)) make(join(path, name), child, kind, random);
	}
}

function rename(folder: Folder, change: NameChange): void {
	put(folder.names, change);
	folder.pending.push(change);
}

interface Opened {
	readonly node: Node;
	/** Flushes that have begun: what they cover, by their number. */
	readonly flushes: Map<number, number>;
}

export function createRecordedDisk(): RecordedDisk {
	const root = newFolder(null);
	const unknown: string[] = [];
	let opened = new Map<number, Opened>();

	function find(path: string): Node | undefined {
		let node: Node | undefined = root;
		for (const name of path.split('/').filter((part) => part !== ''))
			node = node?.kind === 'folder' ? node.names.get(name) : undefined;
		return node;
	}

	function folderOf(path: string): Folder {
		const folder = find(dirname(path) === '.' ? '' : dirname(path));
		if (folder?.kind !== 'folder') throw new Error(`the log names ${path}, but no folder for it`);
		return folder;
	}

	const setName = (path: string, node: Node | null): void => rename(folderOf(path), [{ name: basename(path), node }]);

	const openedAs = (descriptor: number): Opened | undefined => opened.get(descriptor);
	const contentAt = ({ a }: DiskRecord): FileContent => contentOf(openedAs(a)?.node, `descriptor ${a}`);

	function open({ a, b, c, text }: DiskRecord): void {
		let node = find(text);
		if (node === undefined && c !== 2) {
			const parent = folderOf(text);
			node = { kind: 'file', content: createFileContent(), parent, name: basename(text) };
			rename(parent, [{ name: node.name, node }]);
		}
		if (node === undefined) throw new Error(`the log opens ${text}, which it never made`);
		if (b === 1) contentOf(node, text).change({ length: 0 });
		opened.set(a, { node, flushes: new Map() });
	}

	function write(record: DiskRecord): void {
		const content = contentAt(record);
		content.change({ position: record.b, bytes: record.data });
		if (record.c === 1) content.flushed(content.changes());
	}

	function allocate(record: DiskRecord): void {
		const content = contentAt(record);
		if (record.b === KEEP_SIZE) return;
		if (record.b !== 0) unknown.push(`fallocate in mode ${record.b}`);
		else if (record.c > content.cached().length) content.change({ length: record.c });
	}

	function move({ text, data }: DiskRecord): void {
		const to = data.toString('utf8');
		const node = find(text);
		if (node === undefined) throw new Error(`the log renames ${text}, which it never made`);
		const [from, into] = [folderOf(text), folderOf(to)];
		const gone = { name: basename(text), node: null };
		if (from === into) {
			rename(from, [gone, { name: basename(to), node }]);
			return;
		}
		rename(into, [{ name: basename(to), node }]);
		rename(from, [gone]);
	}

	function beginFlush({ a, b }: DiskRecord): void {
		const known = openedAs(a);
		if (known === undefined || known.node.kind === 'link') return;
		const { node } = known;
		known.flushes.set(b, node.kind === 'folder' ? node.settled + node.pending.length : node.content.changes());
	}

	function endFlush({ a, b }: DiskRecord): void {
		const known = openedAs(a);
		const covered = known?.flushes.get(b);
		if (known === undefined || covered === undefined || known.node.kind === 'link') return;
		known.flushes.delete(b);
		const { node } = known;
		if (node.kind === 'folder') {
			settleNames(node, covered);
			settleAncestors(node);
			return;
		}
		node.content.flushed(covered);
		settleAncestors(node.parent);
		if (NAMED_BY_OWN_FLUSH.test(node.name)) settleName(node.parent, node);
	}

	const APPLY: Readonly<Record<RecordKind, (record: DiskRecord) => void>> = {
		[RECORD.START]: () => void (opened = new Map()),
		[RECORD.OPEN]: open,
		[RECORD.CLOSE]: ({ a }) => void opened.delete(a),
		[RECORD.WRITE]: write,
		[RECORD.TRUNCATE]: (record) => contentAt(record).change({ length: record.b }),
		[RECORD.TRUNCATE_PATH]: ({ text, b }) => contentOf(find(text), text).change({ length: b }),
		[RECORD.ALLOCATE]: allocate,
		[RECORD.RENAME]: move,
		[RECORD.UNLINK]: ({ text }) => setName(text, null),
		[RECORD.MKDIR]: ({ text }) => setName(text, newFolder(folderOf(text))),
		[RECORD.RMDIR]: ({ text }) => setName(text, null),
		[RECORD.LINK]: ({ text, data }) => setName(data.toString('utf8'), find(text) ?? null),
		[RECORD.SYMLINK]: ({ text, data }) => setName(text, { kind: 'link', to: data.toString('utf8') }),
		[RECORD.SYNC_BEGIN]: beginFlush,
		[RECORD.SYNC_END]: endFlush,
		[RECORD.UNKNOWN]: ({ text, data }) => void unknown.push(`${data.toString('utf8')} of ${text}`),
		[RECORD.MARK]: () => undefined,
	};

	return {
		apply: (record) => APPLY[record.kind](record),
		rebuild(folder, kind, random) {
			rmSync(folder, { recursive: true, force: true });
			make(folder, root, kind, random);
		},
		unknown: () => unknown,
	};
}
