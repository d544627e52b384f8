import { dirname } from 'node:path';

import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import type { DeviceId } from '../kernel/id.ts';
import { bodyOf, encodeFrame, END_MARK, walkFrames } from './rollup-frame.ts';
import { decodeKey, type GroupKey, type RecordKey } from './rollup-record.ts';

/** Superseded records of less than this are left where they are. */
const MIN_DEAD_BYTES = 256 * 1024;

const READ_AHEAD_BYTES = 128 * 1024;

interface Ref {
	readonly offset: number;
	readonly bytes: number;
}

const NOTHING_AHEAD = { offset: 0, bytes: Buffer.alloc(0) };

/** The records of one level and period: an append-only file whose later records take the place of earlier ones. */
export interface RollupFile {
	/** Bodies of the records of a group that count, oldest first; `null` for one that is damaged. */
	read(key: GroupKey): Promise<readonly (Buffer | null)[]>;
	/** How many records of a group count. */
	parts(key: GroupKey): number;
	groups(): readonly GroupKey[];
	/** Not durable before `sync`. */
	append(key: RecordKey, body: Buffer): Promise<void>;
	sync(): Promise<void>;
	/** Writes what counts into a new file, if enough does not. After a power cut the old or the new one is there. */
	compact(): Promise<void>;
	bytes(): number;
	/** Entries of the index in memory. */
	entries(): number;
	isUnsynced(): boolean;
	close(): Promise<void>;
}

export interface OpenedFile {
	readonly file: RollupFile;
	/** Bytes that were no records any more; 0 for a sound file. */
	readonly damagedBytes: number;
	/** Nothing in it is sound. */
	readonly isEmpty: boolean;
}

/** Opens a file, or makes it. What the last power cut left of a write is cut off. */
export async function openRollupFile(files: FileLayer, path: string, isNew: boolean): Promise<OpenedFile> {
	let file: JournalFile = isNew ? await files.create(path) : await files.open(path);
	const index = new Map<DeviceId, Map<number, Ref[]>>();
	let entries = 0;
	let liveBytes = 0;
	let isUnsynced = false;
	/** The name of a new file is durable after the first sync. */
	let isNamed = !isNew;

	function enter({ device, group, isWhole }: RecordKey, ref: Ref): void {
		let groups = index.get(device);
		if (groups === undefined) index.set(device, (groups = new Map()));
		const refs = groups.get(group) ?? [];
		groups.set(group, refs);
		if (isWhole) {
			entries -= refs.length;
			for (const { bytes } of refs.splice(0)) liveBytes -= bytes;
		}
		refs.push(ref);
		entries += 1;
		liveBytes += ref.bytes;
	}

	/** The last bytes that were read: what is asked for next mostly follows. */
	let ahead = NOTHING_AHEAD;

	async function frameAt({ offset, bytes }: Ref): Promise<Buffer> {
		const isAhead = offset >= ahead.offset && offset + bytes <= ahead.offset + ahead.bytes.length;
		if (!isAhead) ahead = { offset, bytes: await file.read(offset, Math.max(bytes, READ_AHEAD_BYTES)) };
		return ahead.bytes.subarray(offset - ahead.offset, offset - ahead.offset + bytes);
	}

	const refsOf = ({ device, group }: GroupKey): readonly Ref[] => index.get(device)?.get(group) ?? [];

	let unknownBytes = 0;
	const walk = await walkFrames(file, ({ offset, bytes, body }) => {
		try {
			enter(decodeKey(body), { offset, bytes });
		} catch {
			// Sound, but not of this version of the format.
			unknownBytes += bytes;
		}
	});
	let end = walk.end;
	if (walk.tornBytes > 0) await file.truncate(end);

	/** Answers where everything is in the copy, in the order of the index. */
	async function copyTo(copy: JournalFile): Promise<readonly Ref[]> {
		const moved: Ref[] = [];
		let at = 0;
		for (const groups of index.values())
			for (const { offset, bytes } of [...groups.values()].flat()) {
				await copy.write(at, await file.read(offset, bytes));
				moved.push({ offset: at, bytes });
				at += bytes;
			}
		await copy.write(at, END_MARK);
		return moved;
	}

	function moveTo(moved: readonly Ref[]): void {
		let next = 0;
		for (const groups of index.values())
			for (const refs of groups.values()) {
				refs.splice(0, refs.length, ...moved.slice(next, next + refs.length));
				next += refs.length;
			}
		end = liveBytes + END_MARK.length;
	}

	return {
		damagedBytes: walk.damagedBytes + unknownBytes,
		isEmpty: walk.end === 0,
		file: {
			async read(key) {
				const bodies: (Buffer | null)[] = [];
				for (const ref of refsOf(key)) bodies.push(bodyOf(await frameAt(ref)));
				return bodies;
			},
			parts: (key) => refsOf(key).length,
			groups: () => [...index].flatMap(([device, groups]) => [...groups.keys()].map((group) => ({ device, group }))),
			async append(key, body) {
				const frame = encodeFrame(body);
				ahead = NOTHING_AHEAD;
				await file.write(end, frame);
				isUnsynced = true;
				enter(key, { offset: end, bytes: frame.length });
				end += frame.length;
			},
			async sync() {
				if (!isUnsynced && isNamed) return;
				await file.datasync();
				if (!isNamed) await files.syncFolder(dirname(path));
				isNamed = true;
				isUnsynced = false;
				await file.write(end, END_MARK);
				end += END_MARK.length;
			},
			async compact() {
				const dead = end - liveBytes;
				if (dead < MIN_DEAD_BYTES || dead < liveBytes) return;
				const copy = await files.create(`${path}.tmp`);
				const moved = await copyTo(copy);
				await copy.datasync();
				await files.rename(`${path}.tmp`, path);
				await files.syncFolder(dirname(path));
				const old = file;
				file = copy;
				ahead = NOTHING_AHEAD;
				moveTo(moved);
				await old.close();
				isUnsynced = false;
				isNamed = true;
			},
			bytes: () => end,
			entries: () => entries,
			isUnsynced: () => isUnsynced,
			close: () => file.close(),
		},
	};
}
