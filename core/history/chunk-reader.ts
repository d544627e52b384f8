import { createByteReader, malformed } from '../journal/byte-reader.ts';
import type { JournalFile } from '../journal/file-layer.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Reading } from '../telemetry/reading.ts';
import { QUALITIES } from '../telemetry/reading.ts';
import { type DayShape, readCard } from './chunk-card.ts';
import {
	decodeBlockChunk,
	decodeColumns,
	decodeFront,
	decodePoint,
	type PointRows,
	readPlaces,
} from './chunk-codec.ts';
import type { ChunkEntry, DayIndex } from './day-index.ts';
import { type DayRecord, decodeRecord, isSound, RECORD } from './day-record.ts';
import type { NoteLoss } from './history-loss.ts';

/** A record up to this size is read whole: a second read would cost more than its bytes. */
const READ_WHOLE_BYTES = 16 * 1024;

/** One point's samples of one origin, oldest first. */
export interface ColumnPart extends PointRows {
	readonly origin: string;
	readonly times: Float64Array;
	readonly epochs: Float64Array;
	readonly seqs: Float64Array;
}

/** The record of an entry, as far as it was read, and a reader behind its card. */
function openRecord(bytes: Buffer, entry: ChunkEntry) {
	const record: DayRecord | null = decodeRecord(bytes.subarray(0, entry.headBytes), entry.at);
	if (record === null || record.kind !== RECORD.chunk) throw malformed('its checksum does not hold');
	const reader = createByteReader(record.head);
	return { record, card: readCard(reader), reader };
}

function decodeWhole(bytes: Buffer, entry: ChunkEntry, shape: DayShape): readonly Reading[] {
	const { record, card, reader } = openRecord(bytes, entry);
	const body = bytes.subarray(entry.headBytes, entry.bytes);
	if (card.frontBytes === 0) {
		if (!isSound(record, body)) throw malformed('its checksum does not hold');
		return decodeBlockChunk(body, card, shape);
	}
	return decodeColumns(body, card, shape, readPlaces(reader, card, shape.points.length));
}

function pointOfReadings(readings: readonly Reading[], origin: string, point: number): ColumnPart {
	const qualities = Float64Array.from(readings, (reading) => QUALITIES.indexOf(reading.qualities?.[point] ?? 'good'));
	const values = readings.map((reading) => reading.values[point] ?? null);
	return {
		origin,
		times: Float64Array.from(readings, ({ readAt }) => readAt),
		epochs: Float64Array.from(readings, ({ epoch }) => epoch),
		seqs: Float64Array.from(readings, ({ firstSeq }) => firstSeq),
		values: values.every((value) => typeof value === 'number') ? Float64Array.from(values, Number) : values,
		qualities: qualities.some((quality) => quality > 0) ? qualities : null,
	};
}

/** One point of readings in memory, part by part of an origin each; readings without the point are left out. */
export function columnPartsOf(readings: readonly Reading[], point: string): readonly ColumnPart[] {
	const groups = new Map<string, { readonly origin: string; readonly at: number; readonly readings: Reading[] }>();
	for (const reading of readings) {
		const at = reading.points.indexOf(point);
		if (at < 0) continue;
		const key = `${reading.origin}${at}`;
		const group = groups.get(key);
		if (group === undefined) groups.set(key, { origin: reading.origin, at, readings: [reading] });
		else group.readings.push(reading);
	}
	return [...groups.values()].map(({ origin, at, readings: own }) => pointOfReadings(own, origin, at));
}

async function readPoint(file: JournalFile, entry: ChunkEntry, shape: DayShape, point: number): Promise<ColumnPart> {
	const isWhole = entry.frontBytes === 0 || entry.bytes <= READ_WHOLE_BYTES;
	const bytes = await file.read(entry.at, isWhole ? entry.bytes : entry.headBytes + entry.frontBytes);
	if (entry.frontBytes === 0) return pointOfReadings(decodeWhole(bytes, entry, shape), shape.origin, point);
	const { card, reader } = openRecord(bytes, entry);
	const place = readPlaces(reader, card, shape.points.length)[point];
	if (place === undefined) throw malformed(`has no column ${point}`);
	const from = entry.headBytes + place.at;
	const column = isWhole ? bytes.subarray(from, from + place.bytes) : await file.read(entry.at + from, place.bytes);
	const front = decodeFront(bytes.subarray(entry.headBytes, entry.headBytes + entry.frontBytes), card);
	return { origin: shape.origin, ...front, ...decodePoint(column, card.rows) };
}

/** Reads chunks of one day; one that is damaged is told and left out. */
export function createChunkReader(name: string, index: DayIndex, file: JournalFile, note: NoteLoss) {
	async function guarded<T>(entry: ChunkEntry, read: (shape: DayShape) => Promise<T>): Promise<T | null> {
		const shape = index.shape(entry.shape);
		if (shape === undefined) return null;
		try {
			return await read(shape);
		} catch (error) {
			const samples = entry.rows * shape.points.length;
			const detail = `a chunk of device ${entry.device}: ${messageOf(error)}`;
			note({ reason: 'damaged', file: name, offset: entry.at, bytes: entry.bytes, samples, detail });
			return null;
		}
	}

	return {
		/** `null` when it cannot be read. */
		readings: (entry: ChunkEntry): Promise<readonly Reading[] | null> =>
			guarded(entry, async (shape) => decodeWhole(await file.read(entry.at, entry.bytes), entry, shape)),
		/** `null` when it cannot be read or does not have the point. */
		async point(entry: ChunkEntry, point: string): Promise<ColumnPart | null> {
			const at = index.shape(entry.shape)?.points.indexOf(point) ?? -1;
			return at < 0 ? null : guarded(entry, (shape) => readPoint(file, entry, shape, at));
		},
	};
}
