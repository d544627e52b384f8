import { setImmediate as nextTurn } from 'node:timers/promises';

import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Reading } from '../telemetry/reading.ts';
import { hourOf } from './chunk-card.ts';
import { encodeChunk } from './chunk-codec.ts';
import { chunkGroups, MAX_SAMPLES } from './chunk-groups.ts';
import { createChunkReader } from './chunk-reader.ts';
import type { DayFile } from './day-file.ts';
import { writeFooter } from './day-footer.ts';
import { type ChunkEntry, createDayIndex, type DayIndex, encodeShape } from './day-index.ts';
import { decodeRecord, encodeRecord, isSound, RECORD } from './day-record.ts';
import type { NoteLoss } from './history-loss.ts';
import { compareReadings } from './reading-order.ts';

/** More parts of one hour than this are worth writing the day anew. */
const MAX_PARTS = 8;

/** One device's chunks of one hour and shape. */
function parts(entries: readonly ChunkEntry[]): readonly (readonly ChunkEntry[])[] {
	const groups = new Map<string, ChunkEntry[]>();
	for (const entry of entries) {
		const key = `${hourOf(entry.first.readAt)}:${entry.shape}`;
		const group = groups.get(key);
		if (group === undefined) groups.set(key, [entry]);
		else group.push(entry);
	}
	return [...groups.values()];
}

const samplesOf = (entry: ChunkEntry, index: DayIndex): number =>
	entry.rows * (index.shape(entry.shape)?.points.length ?? 0);

/** Whether some hour of the day is in so many small parts that reading it costs more than it should. */
export function isFragmented(index: DayIndex): boolean {
	const isSmall = (entry: ChunkEntry): boolean => samplesOf(entry, index) < MAX_SAMPLES / 2;
	return index
		.devices()
		.some((device) => parts(index.of(device)).some((group) => group.filter(isSmall).length > MAX_PARTS));
}

export interface CompactionDeps {
	readonly files: FileLayer;
	/** Where the day is written anew. */
	readonly path: string;
	readonly noteLoss: NoteLoss;
	/** Stops it between two chunks: the day is wanted, or the history stops. */
	readonly signal: AbortSignal;
}

/** Writes a file front to back, with an index of it. */
function createDayWriter(file: JournalFile, old: DayIndex) {
	const index = createDayIndex();
	const shapes = new Set<number>();
	let at = 0;

	async function put(record: Buffer): Promise<void> {
		await file.write(at, record);
		at += record.length;
	}

	async function define(id: number): Promise<void> {
		const shape = old.shape(id);
		if (shape === undefined || shapes.has(id)) return;
		await put(encodeRecord(RECORD.shape, at, Buffer.alloc(0), encodeShape(id, shape)));
		shapes.add(id);
		index.define(id, shape);
	}

	async function add(card: Omit<ChunkEntry, 'at' | 'headBytes' | 'bytes'>, head: Buffer, body: Buffer): Promise<void> {
		await define(card.shape);
		const record = encodeRecord(RECORD.chunk, at, head, body);
		index.add({ ...card, at, headBytes: record.length - body.length, bytes: record.length });
		await put(record);
	}

	return {
		index,
		add,
		/** Ends it with its index, durably. Answers its size. */
		async end(): Promise<number> {
			at = await writeFooter(file, at, index);
			await file.datasync();
			return at;
		},
	};
}

type DayWriter = ReturnType<typeof createDayWriter>;

/** A chunk that stays as it is, if it can be read. Columns have checksums of their own, a block has that of its record. */
async function copy(entry: ChunkEntry, from: JournalFile, to: DayWriter): Promise<boolean> {
	const bytes = await from.read(entry.at, entry.bytes);
	const record = decodeRecord(bytes.subarray(0, entry.headBytes), entry.at);
	const body = bytes.subarray(entry.headBytes);
	if (record === null || (entry.frontBytes === 0 && !isSound(record, body))) return false;
	await to.add(entry, record.head, body);
	return true;
}

/**
 * Writes a day anew, with the parts of each hour in one, and puts it in the place of the old file. Until that is durable the old one
 * stands; who reads it goes on reading it. `false`: stopped, or the day has changed meanwhile.
 */
export async function compactDay(day: DayFile, { files, path, noteLoss, signal }: CompactionDeps): Promise<boolean> {
	const version = day.version();

	async function rewrite(old: DayIndex, from: JournalFile, file: JournalFile) {
		const reader = createChunkReader(day.name, old, from, noteLoss);
		const writer = createDayWriter(file, old);
		async function rewriteParts(group: readonly ChunkEntry[]): Promise<void> {
			const [only] = group;
			if (only === undefined) return;
			// One that cannot be copied is read like the others, which tells of its damage.
			if (group.length === 1 && (await copy(only, from, writer))) return;
			const shape = old.shape(only.shape);
			if (shape === undefined) return;
			const readings: Reading[] = [];
			for (const entry of group) for (const reading of (await reader.readings(entry)) ?? []) readings.push(reading);
			for (const { readings: own } of chunkGroups(readings.toSorted(compareReadings))) {
				const chunk = encodeChunk(own, shape, only.shape);
				if (chunk !== null) await writer.add(chunk.card, chunk.head, chunk.body);
			}
		}
		async function rewriteDevice(device: DeviceId): Promise<void> {
			for (const group of parts(old.of(device))) {
				if (signal.aborted) return;
				await rewriteParts(group);
				await nextTurn();
			}
		}
		for (const device of old.devices()) await rewriteDevice(device);
		return signal.aborted ? null : { bytes: await writer.end(), index: writer.index };
	}

	let isDone = false;
	try {
		const made = await day.use(async (old, from) => {
			const file = await files.create(path);
			try {
				return await rewrite(old, from, file);
			} finally {
				await file.close();
			}
		});
		isDone = made !== null && (await day.replace({ path, ...made, version }));
	} finally {
		if (!isDone) await files.remove(path);
	}
	return isDone;
}
