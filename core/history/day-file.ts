import { dirname } from 'node:path';

import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import { withFile } from '../journal/segment-walk.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import { createTurns } from '../kernel/turns.ts';
import { isDamage } from '../storage/disk-fault.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { DayShape } from './chunk-card.ts';
import { encodeChunk } from './chunk-codec.ts';
import { createDayIndex, type ChunkEntry, type DayIndex, encodeShape } from './day-index.ts';
import { readFooter, rebuildIndex, writeFooter } from './day-footer.ts';
import { encodeRecord, RECORD } from './day-record.ts';
import type { NoteLoss } from './history-loss.ts';

/** Behind the name of a file that could not be read. */
export const ASIDE = '.damaged';

/** One day's chunks in one file that is only appended to, or replaced as a whole. */
export interface DayFile {
	/** File name without folder. */
	readonly name: string;
	readonly path: string;
	/** Start of the UTC day; `null` for readings of no plausible date. */
	readonly day: EpochMs | null;
	/** Size as the file system counts it. */
	readonly bytes: () => number;
	/** Chunks its index in memory has; 0 while none is loaded. */
	readonly indexed: () => number;
	/** Lets go of the index; the next use reads it again. */
	readonly unload: () => void;
	/** Whether an index stands at its end. `null`: nobody has looked yet. */
	readonly isFinished: () => boolean | null;
	/**
	 * Runs a task with its index and the file, which stays readable until the task has ended whatever happens to its name. `null`: it
	 * holds nothing that can be read.
	 */
	readonly use: <T>(task: (index: DayIndex, file: JournalFile) => Promise<T>) => Promise<T | null>;
	/** Adds readings of one device, hour and shape as a chunk, unless it is there. Not durable, and seen by nobody, before `commit`. */
	readonly append: (readings: readonly Reading[], shape: DayShape) => Promise<void>;
	/** What was appended is durable, and seen, when this resolves. After a rejection nothing of it counts. */
	readonly commit: () => Promise<void>;
	/** Forgets what was appended and not committed. */
	readonly rollBack: () => void;
	/** Puts an index at the end of what is committed, so that the next start reads it at once. */
	readonly finish: () => Promise<void>;
	/** Grows with each commit and replacement. */
	readonly version: () => number;
	/** Takes a finished and durable file of the same readings in the place of this one; `false` when this one has changed since. */
	readonly replace: (made: ReplacementFile) => Promise<boolean>;
	readonly remove: () => Promise<void>;
}

export interface ReplacementFile {
	readonly path: string;
	readonly bytes: number;
	readonly index: DayIndex;
	/** Of the file that it was made from. */
	readonly version: number;
}

export interface DayFileDeps {
	readonly files: FileLayer;
	readonly path: string;
	readonly name: string;
	readonly day: EpochMs | null;
	/** Size at the start; `null`: there is no such file yet. */
	readonly bytes: number | null;
	readonly noteLoss: NoteLoss;
	/** Told of a file that could not be read and has another name now. */
	readonly putAside: (path: string, bytes: number) => void;
}

export function createDayFile(deps: DayFileDeps): DayFile {
	const { files, path, name, day, bytes: foundBytes, noteLoss, putAside } = deps;
	let bytes = foundBytes ?? 0;
	let isThere = foundBytes !== null;
	let index: DayIndex | null = null;
	/** Place after the last durable record; `null` until somebody has looked. */
	let end: number | null = foundBytes === null ? 0 : null;
	let isFinished: boolean | null = null;
	let staged: { at: number; readonly entries: ChunkEntry[] } | null = null;
	let version = 0;
	/** What an earlier process has written may be in the page cache only: the first commit makes it durable too. */
	let isSure = false;

	/** Names and index belong together: whoever opens the file gets the index of just this file. */
	const { run: exclusively } = createTurns();

	async function load(file: JournalFile): Promise<DayIndex> {
		if (index !== null) return index;
		const footer = await readFooter(file, end ?? bytes);
		if (footer !== null) {
			[index, end, isFinished] = [footer, end ?? bytes, true];
			return footer;
		}
		const rebuilt = await rebuildIndex(file, end ?? bytes, (loss) => noteLoss({ ...loss, file: name }));
		[index, end, isFinished] = [rebuilt.index, rebuilt.end, false];
		return rebuilt.index;
	}

	function lose(error: unknown): void {
		if (!isDamage(error))
			throw new Fault('unavailable', `${name} cannot be read: ${messageOf(error)}`, { cause: error });
		const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		const reason = isMissing ? 'missing' : 'damaged';
		noteLoss({ reason, file: name, offset: 0, bytes, samples: null, detail: messageOf(error) });
		if (!isMissing) return;
		[isThere, isSure, bytes, end, index] = [false, false, 0, 0, null];
	}

	async function openWithIndex(): Promise<{ readonly file: JournalFile; readonly index: DayIndex } | null> {
		if (!isThere) return null;
		let file: JournalFile | null = null;
		try {
			file = await files.open(path);
			return { file, index: await load(file) };
		} catch (error) {
			await file?.close();
			lose(error);
			return null;
		}
	}

	/** A file that cannot be read is put aside for a person to look at; the day begins again. */
	async function openToWrite(): Promise<{ readonly file: JournalFile; readonly index: DayIndex }> {
		const opened = await openWithIndex();
		if (opened !== null) return opened;
		if (isThere) {
			await files.rename(path, `${path}${ASIDE}`);
			putAside(`${path}${ASIDE}`, bytes);
		}
		const file = await files.create(path);
		const empty = createDayIndex();
		[isThere, isSure, bytes, end, index] = [true, false, 0, 0, empty];
		return { file, index: empty };
	}

	/** What stands behind the last durable record is gone for good before something else is written there. */
	async function cutTail(file: JournalFile, to: number): Promise<void> {
		if (bytes <= to) return;
		await file.truncate(to);
		await file.datasync();
		bytes = to;
	}

	async function write(task: (file: JournalFile, loaded: DayIndex) => Promise<void>): Promise<void> {
		const { file, index: loaded } = await openToWrite();
		try {
			if (staged === null) await cutTail(file, end ?? 0);
			await task(file, loaded);
		} finally {
			await file.close();
		}
	}

	async function put(file: JournalFile, to: { at: number }, record: Buffer): Promise<void> {
		bytes = Math.max(bytes, to.at + record.length);
		await file.write(to.at, record);
		to.at += record.length;
	}

	async function stage(file: JournalFile, loaded: DayIndex, readings: readonly Reading[], shape: DayShape) {
		const to = (staged ??= { at: end ?? 0, entries: [] });
		const known = loaded.shapeId(shape);
		const shapeId = known ?? loaded.nextShape();
		const chunk = encodeChunk(readings, shape, shapeId);
		if (chunk === null || loaded.has(chunk.card)) return;
		if (known === null) {
			await put(file, to, encodeRecord(RECORD.shape, to.at, Buffer.alloc(0), encodeShape(shapeId, shape)));
			loaded.define(shapeId, shape);
		}
		const record = encodeRecord(RECORD.chunk, to.at, chunk.head, chunk.body);
		const place = { at: to.at, bytes: record.length, headBytes: record.length - chunk.body.length };
		await put(file, to, record);
		to.entries.push({ ...chunk.card, ...place });
	}

	function rollBack(): void {
		if (staged === null) return;
		staged = null;
		// It may name shapes that did not reach the disk.
		index = null;
	}

	async function commit(): Promise<void> {
		if (staged === null) return;
		const { at, entries } = staged;
		try {
			if (entries.length > 0 || !isSure) await withFile(files, path, (file) => file.datasync());
			if (!isSure) await files.syncFolder(dirname(path));
			isSure = true;
		} catch (error) {
			rollBack();
			throw error;
		}
		for (const entry of entries) index?.add(entry);
		if (entries.length > 0) [end, isFinished, version] = [at, false, version + 1];
		staged = null;
	}

	return {
		name,
		path,
		day,
		bytes: () => bytes,
		indexed: () => index?.counts().chunks ?? 0,
		unload() {
			if (staged === null && end !== null) index = null;
		},
		isFinished: () => isFinished,
		version: () => version,
		async use(task) {
			const opened = await exclusively(openWithIndex);
			if (opened === null) return null;
			try {
				return await task(opened.index, opened.file);
			} finally {
				await opened.file.close();
			}
		},
		append: (readings, shape) =>
			exclusively(async () => {
				try {
					await write((file, loaded) => stage(file, loaded, readings, shape));
				} catch (error) {
					rollBack();
					throw error;
				}
			}),
		commit: () => exclusively(commit),
		rollBack,
		finish: () =>
			exclusively(async () => {
				if (!isThere || staged !== null) return;
				await write(async (file, loaded) => {
					const at = end ?? 0;
					if (isFinished === true || loaded.counts().chunks === 0) return;
					const written = await writeFooter(file, at, loaded);
					bytes = Math.max(bytes, written);
					await file.datasync();
					[end, isFinished] = [written, true];
				});
			}),
		replace: (made) =>
			exclusively(async () => {
				if (!isThere || staged !== null || made.version !== version) return false;
				await files.rename(made.path, path);
				[bytes, end, index, isFinished, version] = [made.bytes, made.bytes, made.index, true, version + 1];
				await files.syncFolder(dirname(path));
				return true;
			}),
		remove: () =>
			exclusively(async () => {
				await files.remove(path);
				[isThere, isSure, bytes, end, index, version] = [false, false, 0, 0, null, version + 1];
				await files.syncFolder(dirname(path));
			}),
	};
}
