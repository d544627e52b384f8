import { basename, dirname } from 'node:path';

import type { FileLayer, JournalFile } from '../../core/journal/file-layer.ts';

interface Write {
	readonly position: number;
	readonly bytes: Buffer;
}

/** One file: what is on the medium, and what only the page cache has. */
interface Inode {
	durable: Buffer;
	cached: Buffer;
	unsynced: (Write | { readonly truncatedTo: number })[];
}

type NameChange = { readonly to: string; readonly inode: Inode | null };

/** A file system that forgets what was not synced, when it is told that the power went. */
export interface PowerCutFiles extends FileLayer {
	/**
	 * The power goes: of the writes and names that were not synced, any part survives, a write even in part. `random` answers
	 * numbers from 0 (included) to 1. Open files are dead after that.
	 */
	cut(random: () => number): void;
	/** While set, what would take new space fails with this code. */
	fail(code: 'ENOSPC' | 'EIO' | null, operations?: readonly ('create' | 'write' | 'datasync')[]): void;
	setFreeBytes(bytes: number): void;
	/** The bytes of a file as a program sees them, to be damaged by a test. */
	content(path: string): Buffer;
	names(): readonly string[];
	/** How often a file was synced. */
	syncs(): number;
}

const missing = (path: string): Error => Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });

function written(content: Buffer, { position, bytes }: Write): Buffer {
	const grown = Buffer.alloc(Math.max(content.length, position + bytes.length));
	grown.set(content);
	grown.set(bytes, position);
	return grown;
}

const resized = (content: Buffer, bytes: number): Buffer => {
	const other = Buffer.alloc(bytes);
	other.set(content.subarray(0, bytes));
	return other;
};

export function createPowerCutFiles(): PowerCutFiles {
	let names = new Map<string, Inode>();
	let durableNames = new Map<string, Inode>();
	let nameChanges: NameChange[] = [];
	let generation = 0;
	let failure: { readonly code: string; readonly operations: readonly string[] } | null = null;
	let free = 2 ** 40;
	let syncs = 0;

	function maybeFail(operation: string): void {
		if (failure === null || !failure.operations.includes(operation)) return;
		throw Object.assign(new Error(`${failure.code}: ${operation}`), { code: failure.code });
	}

	function find(path: string): Inode {
		const inode = names.get(path);
		if (inode === undefined) throw missing(path);
		return inode;
	}

	function rename(path: string, inode: Inode | null): void {
		if (inode === null) names.delete(path);
		else names.set(path, inode);
		nameChanges.push({ to: path, inode });
	}

	function syncNames(folder: string): void {
		for (const { to, inode } of nameChanges.filter((change) => dirname(change.to) === folder)) {
			if (inode === null) durableNames.delete(to);
			else durableNames.set(to, inode);
		}
		nameChanges = nameChanges.filter((change) => dirname(change.to) !== folder);
	}

	/** `isDurable`: each write is flushed with it, and nothing else is. */
	function open(inode: Inode, isDurable = false): JournalFile {
		const born = generation;
		const alive = (): void => {
			if (born !== generation) throw new Error('EIO: the power went');
		};
		return {
			async read(position, length) {
				alive();
				return Buffer.from(inode.cached.subarray(position, position + length));
			},
			async write(position, bytes) {
				alive();
				maybeFail('write');
				const write = { position, bytes: Buffer.from(bytes) };
				inode.cached = written(inode.cached, write);
				inode.unsynced.push(write);
				if (!isDurable) return;
				// Until the disk answers, a power cut leaves any part of it.
				await Promise.resolve();
				alive();
				maybeFail('datasync');
				syncs += 1;
				inode.durable = written(inode.durable, write);
				inode.unsynced = inode.unsynced.filter((one) => one !== write);
			},
			async datasync() {
				alive();
				const { unsynced } = inode;
				// After a flush that failed the kernel calls the pages clean: no later flush writes them.
				inode.unsynced = [];
				maybeFail('datasync');
				syncs += 1;
				for (const change of unsynced)
					inode.durable =
						'truncatedTo' in change ? resized(inode.durable, change.truncatedTo) : written(inode.durable, change);
			},
			async truncate(bytes) {
				alive();
				inode.cached = resized(inode.cached, bytes);
				inode.unsynced.push({ truncatedTo: bytes });
			},
			close: async () => undefined,
		};
	}

	function settle(inode: Inode, random: () => number): void {
		for (const change of inode.unsynced) {
			const share = random();
			if ('truncatedTo' in change) {
				if (share > 0.5) inode.durable = resized(inode.durable, change.truncatedTo);
				continue;
			}
			const kept = share < 0.3 ? 0 : share > 0.7 ? change.bytes.length : Math.floor(random() * change.bytes.length);
			const bytes = change.bytes.subarray(0, kept);
			inode.durable = kept === 0 ? inode.durable : written(inode.durable, { position: change.position, bytes });
		}
		inode.unsynced = [];
		inode.cached = Buffer.from(inode.durable);
	}

	return {
		list: async (folder) =>
			[...names]
				.filter(([path]) => dirname(path) === folder)
				.map(([path, inode]) => ({ name: basename(path), bytes: inode.cached.length })),
		open: async (path) => open(find(path)),
		openDurable: async (path) => open(find(path), true),
		async create(path) {
			maybeFail('create');
			const inode = { durable: Buffer.alloc(0), cached: Buffer.alloc(0), unsynced: [] };
			rename(path, inode);
			return open(inode);
		},
		async rename(from, to) {
			const inode = find(from);
			rename(from, null);
			rename(to, inode);
		},
		async remove(path) {
			rename(path, null);
		},
		async syncFolder(folder) {
			syncNames(folder);
		},
		freeBytes: async () => free,
		readText: async (path) => names.get(path)?.cached.toString() ?? null,
		async writeText(path, text) {
			maybeFail('create');
			const bytes = Buffer.from(text);
			rename(path, { durable: bytes, cached: bytes, unsynced: [] });
			syncNames(dirname(path));
		},
		cut(random) {
			generation += 1;
			// Changes of names reach the medium in their order: those after the last one that did are gone.
			for (const { to, inode } of nameChanges.slice(0, Math.floor(random() * (nameChanges.length + 1)))) {
				if (inode === null) durableNames.delete(to);
				else durableNames.set(to, inode);
			}
			nameChanges = [];
			for (const inode of new Set(durableNames.values())) settle(inode, random);
			names = new Map(durableNames);
			durableNames = new Map(names);
		},
		fail(code, operations = ['create', 'write', 'datasync']) {
			failure = code === null ? null : { code, operations };
		},
		setFreeBytes(bytes) {
			free = bytes;
		},
		content: (path) => find(path).cached,
		names: () => [...names.keys()].map((path) => basename(path)).toSorted(),
		syncs: () => syncs,
	};
}
