import { crc32 } from 'node:zlib';

import { decodeBlock, encodeBlock } from '../journal/block-codec.ts';
import { createBlockDictionary } from '../journal/block-dictionary.ts';
import { type ByteReader, createByteReader, malformed } from '../journal/byte-reader.ts';
import { byteView } from '../journal/byte-view.ts';
import { type ByteWriter, createByteWriter } from '../journal/byte-writer.ts';
import { epochMs } from '../kernel/clock.ts';
import { QUALITIES, type Quality, type Reading, type SampleValue } from '../telemetry/reading.ts';
import { type ChunkCard, type DayShape, hourOf, type RowIdentity, writeCard } from './chunk-card.ts';
import { readIntegers, writeIntegers } from './integer-column.ts';
import { readValues, type Values, writeValues } from './value-column.ts';

/** Below either of these a chunk is one block: columns have heads. */
const ROWS_WORTH_COLUMNS = 12;
const SAMPLES_WORTH_COLUMNS = 96;
const CRC_BYTES = 4;

/** A chunk as bytes: `head` begins with the card and ends with the lengths of the columns. */
export interface EncodedChunk {
	readonly card: ChunkCard;
	readonly head: Buffer;
	readonly body: Buffer;
}

/** Identities and instants of a chunk's readings. */
export interface Front {
	readonly times: Float64Array;
	readonly epochs: Float64Array;
	readonly seqs: Float64Array;
	/** 1 where a reading has judged its values, if only as good; `null` when none has. */
	readonly judged: Float64Array | null;
}

/** One point of a chunk. */
export interface PointRows {
	readonly values: Values;
	/** Indexes into `QUALITIES`; `null` when all are good. */
	readonly qualities: Float64Array | null;
}

/** Where the columns of a chunk stand, from the start of its body. */
export interface ColumnPlace {
	readonly at: number;
	readonly bytes: number;
}

/** Bytes with their checksum behind them. */
function sealed(writer: ByteWriter): Buffer {
	const bytes = writer.bytes();
	const whole = Buffer.allocUnsafe(bytes.length + CRC_BYTES);
	whole.set(bytes);
	whole.writeUInt32LE(crc32(byteView(bytes)), bytes.length);
	return whole;
}

function unsealed(bytes: Buffer): ByteReader {
	const end = bytes.length - CRC_BYTES;
	const content = bytes.subarray(0, Math.max(0, end));
	if (end < 0 || bytes.readUInt32LE(end) !== crc32(byteView(content))) throw malformed('a checksum does not hold');
	return createByteReader(content);
}

function frontOf(readings: readonly Reading[], hour: number): Buffer {
	const writer = createByteWriter(1024);
	writeIntegers(
		writer,
		Float64Array.from(readings, ({ readAt }) => readAt - hour),
	);
	writeIntegers(
		writer,
		Float64Array.from(readings, ({ epoch }) => epoch),
	);
	writeIntegers(
		writer,
		Float64Array.from(readings, ({ firstSeq }) => firstSeq),
	);
	const hasJudged = readings.some(({ qualities }) => qualities !== null);
	writer.u8(hasJudged ? 1 : 0);
	if (hasJudged)
		writeIntegers(
			writer,
			Float64Array.from(readings, ({ qualities }) => (qualities === null ? 0 : 1)),
		);
	return sealed(writer);
}

export function decodeFront(bytes: Buffer, card: ChunkCard): Front {
	const reader = unsealed(bytes);
	const hour = hourOf(card.first.readAt);
	const times = readIntegers(reader, card.rows);
	for (let index = 0; index < times.length; index += 1) times[index] = (times[index] ?? 0) + hour;
	const epochs = readIntegers(reader, card.rows);
	const seqs = readIntegers(reader, card.rows);
	return { times, epochs, seqs, judged: reader.u8() === 1 ? readIntegers(reader, card.rows) : null };
}

function columnOf(readings: readonly Reading[], point: number): Buffer {
	const values: SampleValue[] = [];
	let isGood = true;
	for (const { values: row, qualities } of readings) {
		values.push(row[point] ?? null);
		isGood &&= qualities === null || qualities[point] === 'good';
	}
	const writer = createByteWriter(2048);
	writer.u8(isGood ? 0 : 1);
	if (!isGood)
		writeIntegers(
			writer,
			Float64Array.from(readings, ({ qualities }) => QUALITIES.indexOf(qualities?.[point] ?? 'good')),
		);
	writeValues(writer, values);
	return sealed(writer);
}

export function decodePoint(bytes: Buffer, rows: number): PointRows {
	const reader = unsealed(bytes);
	const qualities = reader.u8() === 1 ? readIntegers(reader, rows) : null;
	return { values: readValues(reader, rows), qualities };
}

function columns(readings: readonly Reading[], points: number, hour: number) {
	const front = frontOf(readings, hour);
	const parts = [front];
	for (let point = 0; point < points; point += 1) parts.push(columnOf(readings, point));
	return parts;
}

const identityOf = ({ readAt, epoch, firstSeq }: Reading): RowIdentity => ({ readAt, epoch, firstSeq });

/** A dictionary that knows the one shape of a chunk, so that its block does not spell it out. */
function dictionaryOf({ device }: Pick<ChunkCard, 'device'>, shape: DayShape) {
	const dictionary = createBlockDictionary();
	dictionary.define(0, { ...shape, device });
	return dictionary;
}

/**
 * Readings of one device, hour and shape, oldest first and at least one, as a chunk.
 * @param shapeId number of the shape within its day
 */
export function encodeChunk(readings: readonly Reading[], shape: DayShape, shapeId: number): EncodedChunk | null {
	const first = readings[0];
	const last = readings.at(-1);
	if (first === undefined || last === undefined) return null;
	const points = shape.points.length;
	const isBlock = readings.length < ROWS_WORTH_COLUMNS || readings.length * points < SAMPLES_WORTH_COLUMNS;
	const parts = isBlock
		? [encodeBlock(readings, dictionaryOf(first, shape))]
		: columns(readings, points, hourOf(first.readAt));
	const card: ChunkCard = {
		device: first.device,
		shape: shapeId,
		rows: readings.length,
		first: identityOf(first),
		last: identityOf(last),
		frontBytes: isBlock ? 0 : (parts[0]?.length ?? 0),
	};
	const head = createByteWriter(256);
	writeCard(head, card);
	if (!isBlock) for (const { length } of parts.slice(1)) head.varint(length);
	return { card, head: Buffer.from(head.bytes()), body: Buffer.concat(parts.map(byteView)) };
}

/** Where each point's column stands; the reader is behind the card in the chunk's head. */
export function readPlaces(reader: ByteReader, card: ChunkCard, points: number): readonly ColumnPlace[] {
	let at = card.frontBytes;
	return Array.from({ length: points }, () => {
		const bytes = reader.varint();
		at += bytes;
		return { at: at - bytes, bytes };
	});
}

/** The readings of a chunk that is one block. */
export function decodeBlockChunk(body: Buffer, card: ChunkCard, shape: DayShape): readonly Reading[] {
	return decodeBlock(body, dictionaryOf(card, shape));
}

function qualitiesOf(points: readonly PointRows[], row: number): readonly Quality[] {
	return points.map(({ qualities }) => QUALITIES[qualities?.[row] ?? 0] ?? 'good');
}

/** All readings of a chunk in columns. */
export function decodeColumns(
	body: Buffer,
	card: ChunkCard,
	shape: DayShape,
	places: readonly ColumnPlace[],
): readonly Reading[] {
	const { times, epochs, seqs, judged } = decodeFront(body.subarray(0, card.frontBytes), card);
	const points = places.map(({ at, bytes }) => decodePoint(body.subarray(at, at + bytes), card.rows));
	const columnValues = points.map(({ values }) => values);
	const readings: Reading[] = [];
	for (let row = 0; row < card.rows; row += 1) {
		readings.push({
			device: card.device,
			readAt: epochMs(times[row] ?? 0),
			telemetryType: shape.telemetryType,
			points: shape.points,
			values: columnValues.map((values) => values[row] ?? null),
			qualities: judged?.[row] === 1 ? qualitiesOf(points, row) : null,
			origin: shape.origin,
			epoch: epochs[row] ?? 0,
			firstSeq: seqs[row] ?? 0,
		});
	}
	return readings;
}
