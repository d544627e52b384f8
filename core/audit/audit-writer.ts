import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import type { Logger } from '../kernel/log.ts';
import type { AuditEntry } from './audit.ts';
import { type ChainHead, encodeLine, lineHash } from './audit-line.ts';
import { type AuditSegment, openSegments, readSegment, segmentPath } from './audit-segments.ts';

export interface AuditWriterDeps {
	readonly folder: string;
	readonly files: FileLayer;
	/** A segment that has reached this size is followed by a new one. */
	readonly segmentBytes: number;
	readonly log: Logger;
}

/** The oldest segment as it was removed. */
export interface RemovedSegment {
	readonly throughSeq: number;
	readonly lastHash: string;
	readonly remove: () => Promise<void>;
}

/** The files of the log and their newest line. One caller at a time writes. */
export async function openAuditWriter({ folder, files, segmentBytes, log }: AuditWriterDeps) {
	const opened = await openSegments(folder, files, log);
	let segments = [...opened.segments];
	let head: ChainHead = opened.head;
	let file: { readonly path: string; readonly handle: JournalFile } | null = null;

	async function closeFile(): Promise<void> {
		const open = file;
		file = null;
		await open?.handle.close();
	}

	/** A new, empty segment; its name is durable before anything is written to it. */
	async function begin(): Promise<AuditSegment> {
		await closeFile();
		const segment = { path: segmentPath(folder, head.seq + 1), firstSeq: head.seq + 1, bytes: 0 };
		const handle = await files.create(segment.path);
		file = { path: segment.path, handle };
		await files.syncFolder(folder);
		// A segment in which nothing was ever written has the same name.
		segments = [...segments.filter(({ path }) => path !== segment.path), segment];
		return segment;
	}

	async function fileOf({ path }: AuditSegment): Promise<JournalFile> {
		if (file?.path === path) return file.handle;
		await closeFile();
		const handle = await files.open(path);
		file = { path, handle };
		return handle;
	}

	async function writeAll(entries: readonly AuditEntry[]): Promise<void> {
		const newest = segments.at(-1);
		const segment = newest === undefined || newest.bytes >= segmentBytes ? await begin() : newest;
		const handle = await fileOf(segment);
		const texts: string[] = [];
		let next = head;
		for (const entry of entries) {
			const encoded = encodeLine(entry, next);
			texts.push(`${encoded.text}\n`);
			next = encoded.head;
		}
		const bytes = Buffer.from(texts.join(''));
		await handle.write(segment.bytes, bytes);
		await handle.datasync();
		segments[segments.length - 1] = { ...segment, bytes: segment.bytes + bytes.length };
		head = next;
	}

	/** What a failed write has left behind its durable end is cut off, as far as the disk lets us. */
	async function undo(): Promise<void> {
		const newest = segments.at(-1);
		await closeFile().catch(() => undefined);
		if (newest === undefined) return;
		const handle = await files.open(newest.path);
		file = { path: newest.path, handle };
		await handle.truncate(newest.bytes);
	}

	return {
		/** Adds lines behind the newest one; they are on disk when it resolves, and none of them is there when it rejects. */
		async write(entries: readonly AuditEntry[]): Promise<void> {
			try {
				await writeAll(entries);
			} catch (error) {
				await undo().catch(() => undefined);
				throw error;
			}
		},
		/** The oldest segment, for the quota; `null` when there is only the newest. */
		async oldest(): Promise<RemovedSegment | null> {
			const [segment, following] = segments;
			if (segment === undefined || following === undefined) return null;
			const last = (await readSegment(files, segment)).at(-1);
			return {
				throughSeq: following.firstSeq - 1,
				lastHash: last === undefined ? '' : lineHash(last.text),
				remove: async () => {
					segments = segments.filter(({ path }) => path !== segment.path);
					await files.remove(segment.path);
					await files.syncFolder(folder);
				},
			};
		},
		/** Oldest first; a snapshot. */
		segments: (): readonly AuditSegment[] => [...segments],
		head: (): ChainHead => head,
		bytes: (): number => segments.reduce((sum, { bytes }) => sum + bytes, 0),
		close: closeFile,
	};
}

export type AuditWriter = Awaited<ReturnType<typeof openAuditWriter>>;
