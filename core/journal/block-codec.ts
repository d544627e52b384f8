import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { epochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { deviceId, gatewayId } from '../kernel/id.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import { lastSeq, QUALITIES, type Quality, type Reading, type SampleValue } from '../telemetry/reading.ts';
import { COLUMN, kindOf, readColumn, readNumbers, writeColumn, writeNumbers } from './block-column.ts';
import { type BlockDictionary, createBlockDictionary, type Shape } from './block-dictionary.ts';
import { type ByteReader, createByteReader, malformed } from './byte-reader.ts';
import { byteView } from './byte-view.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import type { BlockStreams } from './packed-lanes.ts';

const VERSION = 2;
const PLAIN = 0;
const DEFLATED = 1;
/** Below this many bytes deflate costs more than it saves. */
const WORTH_DEFLATING = 64;
/** The same beside so many times as much noise, of which it saves nothing. */
const NOISE_TO_IGNORE = 6;
/** Of deflate; higher ones cost more time for fewer bytes. */
const FASTEST_LEVEL = 1;
/** From this many readings of one shape on, each point may choose its own kind of column. */
const READINGS_FOR_OWN_KINDS = 8;
const ONE_KIND = 0;
const KIND_PER_POINT = 1;

/** What a decoder may be made to allocate. */
export interface BlockLimits {
	/** Most bytes after inflation. */
	readonly maxRawBytes: number;
	readonly maxSamples: number;
}

const DEFAULT_LIMITS: BlockLimits = { maxRawBytes: 16 * 1024 * 1024, maxSamples: 1_000_000 };

function checkReading(reading: Reading): void {
	if (reading.values.length !== reading.points.length) {
		throw malformed(`${reading.points.length} points have ${reading.values.length} values`);
	}
	if (reading.qualities !== null && reading.qualities.length !== reading.points.length) {
		throw malformed(`${reading.points.length} points have ${reading.qualities.length} qualities`);
	}
	if (!Number.isSafeInteger(reading.firstSeq) || reading.firstSeq < 0 || !Number.isSafeInteger(lastSeq(reading) + 1)) {
		throw malformed(`first_seq ${reading.firstSeq} is out of range`);
	}
	if (!Number.isSafeInteger(reading.epoch) || reading.epoch < 0)
		throw malformed(`epoch ${reading.epoch} is out of range`);
}

function writeDefinitions(writer: ByteWriter, dictionary: BlockDictionary, firstId: number): void {
	writer.varint(firstId);
	writer.varint(dictionary.nextId() - firstId);
	for (let id = firstId; id < dictionary.nextId(); id += 1) {
		const shape = dictionary.shape(id);
		if (shape === undefined) throw new RangeError(`shape ${id} is not in the dictionary`);
		writer.text(shape.origin);
		writer.text(shape.device);
		writer.text(shape.telemetryType);
		writer.varint(shape.points.length);
		for (const point of shape.points) writer.text(point);
	}
}

function writeExceptions(writer: ByteWriter, qualities: readonly Quality[]): void {
	const exceptions = [...qualities.entries()].filter(([, quality]) => quality !== 'good');
	writer.varint(exceptions.length);
	for (const [point, quality] of exceptions) {
		writer.varint(point);
		writer.u8(QUALITIES.indexOf(quality));
	}
}

function writeQualities(writer: ByteWriter, readings: readonly Reading[]): void {
	let judged = 0;
	for (const { qualities } of readings) if (qualities !== null) judged += 1;
	writer.varint(judged);
	if (judged === 0) return;
	let previous = 0;
	for (const [index, { qualities }] of readings.entries()) {
		if (qualities === null) continue;
		writer.varint(index - previous);
		previous = index;
		writeExceptions(writer, qualities);
	}
}

/** The values of all readings of one shape: point after point, so that neighbours resemble each other. */
function pointMajor(group: readonly Reading[], points: number): readonly SampleValue[] {
	const only = group[0];
	if (only === undefined || group.length === 1) return only?.values ?? [];
	const column: SampleValue[] = [];
	for (let point = 0; point < points; point += 1) {
		for (const reading of group) column.push(reading.values[point] ?? null);
	}
	return column;
}

function writeGroup(streams: BlockStreams<ByteWriter>, group: readonly Reading[], points: number): void {
	const { plain: writer } = streams;
	const column = pointMajor(group, points);
	const run = group.length;
	const whole = kindOf(column, 0, column.length);
	const hasOneKind = whole === COLUMN.integer || (whole !== COLUMN.any && run < READINGS_FOR_OWN_KINDS);
	writer.u8(hasOneKind ? ONE_KIND : KIND_PER_POINT);
	if (hasOneKind) {
		writer.u8(whole);
		writeColumn(streams, whole, column, { from: 0, to: column.length, run });
		return;
	}
	for (let from = 0; from < column.length; from += run) {
		const own = kindOf(column, from, from + run);
		writer.u8(own);
		writeColumn(streams, own, column, { from, to: from + run, run });
	}
}

function writeBody(readings: readonly Reading[], dictionary: BlockDictionary): BlockStreams<Buffer> {
	const writer = createByteWriter();
	const noise = createByteWriter();
	const firstNewId = dictionary.nextId();
	const groups = new Map<number, Reading[]>();
	const shapeIds: number[] = [];
	for (const reading of readings) {
		checkReading(reading);
		const id = dictionary.idOf(reading);
		shapeIds.push(id);
		const group = groups.get(id);
		if (group === undefined) groups.set(id, [reading]);
		else group.push(reading);
	}
	writeDefinitions(writer, dictionary, firstNewId);
	writer.varint(readings.length);
	for (const id of shapeIds) writer.varint(id);
	writeNumbers(
		writer,
		readings.map((reading) => reading.epoch),
	);
	let expected = 0;
	for (const reading of readings) {
		// Readings of one source follow each other without holes, so the difference is nearly always 0.
		writer.signed(reading.firstSeq - expected);
		expected = lastSeq(reading) + 1;
	}
	writeNumbers(
		writer,
		readings.map((reading) => reading.readAt),
	);
	writeQualities(writer, readings);
	const streams = { plain: writer, noise };
	for (const [id, group] of groups) writeGroup(streams, group, dictionary.shape(id)?.points.length ?? 0);
	return { plain: writer.bytes(), noise: noise.bytes() };
}

/** The first stream says how long it is; the noise is the rest. */
function framed(form: number, rawLength: number, plain: Uint8Array, noise: Buffer): Buffer {
	const writer = createByteWriter(plain.length + noise.length + 18);
	writer.u8(VERSION);
	writer.u8(form);
	writer.varint(rawLength);
	if (form === DEFLATED) writer.varint(plain.length);
	writer.raw(plain);
	writer.raw(noise);
	return writer.bytes();
}

/**
 * Readings as bytes: columns per shape, compressed. Without a dictionary the block stands alone (wire, chunk); with one, it
 * defines only shapes that are new in it. A throw leaves the dictionary as it was.
 * @throws Fault `rule-violation` for a reading that no block can hold (lengths differ, numbers beyond 2^53, nesting), and for more than
 * any reader takes.
 */
export function encodeBlock(
	readings: readonly Reading[],
	dictionary = createBlockDictionary(),
	deflateLevel = FASTEST_LEVEL,
): Buffer {
	const firstNewId = dictionary.nextId();
	let body: BlockStreams<Buffer>;
	try {
		body = writeBody(readings, dictionary);
	} catch (error) {
		dictionary.rollBack(firstNewId);
		throw error;
	}
	const { plain, noise } = body;
	const size = plain.length + noise.length;
	if (size > DEFAULT_LIMITS.maxRawBytes) {
		dictionary.rollBack(firstNewId);
		throw new Fault(
			'rule-violation',
			`telemetry block: takes ${size} bytes, more than ${DEFAULT_LIMITS.maxRawBytes} bytes`,
		);
	}
	if (plain.length >= Math.max(WORTH_DEFLATING, noise.length / NOISE_TO_IGNORE)) {
		const deflated = deflateRawSync(byteView(plain), { level: deflateLevel });
		if (deflated.length + 4 < plain.length) return framed(DEFLATED, plain.length, byteView(deflated), noise);
	}
	return framed(PLAIN, plain.length, byteView(plain), noise);
}

function openBody(bytes: Buffer, limits: BlockLimits): BlockStreams<ByteReader> {
	const reader = createByteReader(bytes);
	const version = reader.u8();
	if (version !== VERSION) throw malformed(`version ${version} is not known`);
	const form = reader.u8();
	if (form !== PLAIN && form !== DEFLATED) throw malformed(`form ${form} is not known`);
	const rawLength = reader.varint();
	if (rawLength > limits.maxRawBytes) throw malformed(`inflates to more than ${limits.maxRawBytes} bytes`);
	const stored = reader.raw(form === PLAIN ? rawLength : reader.varint());
	const noise = createByteReader(reader.raw(reader.remaining()));
	if (form === PLAIN) return { plain: createByteReader(stored), noise };
	const plain = inflateRawSync(byteView(stored), { maxOutputLength: Math.max(1, rawLength) });
	if (plain.length !== rawLength) throw malformed(`inflates to ${plain.length} bytes, not ${rawLength}`);
	return { plain: createByteReader(plain), noise };
}

function readDefinitions(reader: ByteReader, dictionary: BlockDictionary): void {
	const firstId = reader.varint();
	const count = reader.count(4);
	for (let id = firstId; id < firstId + count; id += 1) {
		const origin = gatewayId(reader.text());
		const device = deviceId(reader.text());
		const telemetryType = reader.text();
		const points: string[] = [];
		for (let left = reader.count(1); left > 0; left -= 1) points.push(reader.text());
		dictionary.define(id, { origin, device, telemetryType, points });
	}
}

/** A reading without its values. */
interface ReadingHead {
	readonly shapeId: number;
	readonly shape: Shape;
	readonly epoch: number;
	readonly firstSeq: number;
	readonly readAt: number;
}

function readShapes(reader: ByteReader, dictionary: BlockDictionary, limits: BlockLimits) {
	const shapes: { readonly shapeId: number; readonly shape: Shape }[] = [];
	let samples = 0;
	for (let left = reader.count(4); left > 0; left -= 1) {
		const shapeId = reader.varint();
		const shape = dictionary.shape(shapeId);
		if (shape === undefined) throw malformed(`shape ${shapeId} is not defined`);
		// A reading without points takes memory all the same.
		samples += Math.max(1, shape.points.length);
		if (samples > limits.maxSamples) throw malformed(`holds more than ${limits.maxSamples} samples`);
		shapes.push({ shapeId, shape });
	}
	return shapes;
}

function readHeads(reader: ByteReader, dictionary: BlockDictionary, limits: BlockLimits): readonly ReadingHead[] {
	readDefinitions(reader, dictionary);
	const shapes = readShapes(reader, dictionary, limits);
	const epochs = readNumbers(reader, shapes.length);
	let expected = 0;
	const firstSeqs = shapes.map(({ shape }) => {
		const firstSeq = expected + reader.signed();
		expected = firstSeq + shape.points.length;
		if (firstSeq < 0 || !Number.isSafeInteger(expected)) throw malformed(`first_seq ${firstSeq} is out of range`);
		return firstSeq;
	});
	const readAts = readNumbers(reader, shapes.length);
	return shapes.map(({ shapeId, shape }, index) => {
		const epoch = epochs[index] ?? 0;
		if (epoch < 0) throw malformed(`epoch ${epoch} is out of range`);
		return { shapeId, shape, epoch, firstSeq: firstSeqs[index] ?? 0, readAt: readAts[index] ?? 0 };
	});
}

function readExceptions(reader: ByteReader, points: number): readonly Quality[] {
	const qualities: Quality[] = Array.from({ length: points }, () => 'good');
	for (let left = reader.count(2); left > 0; left -= 1) {
		const point = reader.varint();
		const quality = QUALITIES[reader.u8()];
		if (point >= points || quality === undefined) throw malformed('names a quality that cannot be');
		qualities[point] = quality;
	}
	return qualities;
}

function readQualities(reader: ByteReader, heads: readonly ReadingHead[]): Map<number, readonly Quality[]> {
	const judged = new Map<number, readonly Quality[]>();
	let index = 0;
	for (let left = reader.count(2); left > 0; left -= 1) {
		const step = reader.varint();
		index += step;
		const head = heads[index];
		if (head === undefined || judged.has(index)) throw malformed('judges a reading it does not hold');
		judged.set(index, readExceptions(reader, head.shape.points.length));
	}
	return judged;
}

/** The values of one shape's readings, each as an array of its own. */
function readGroup(streams: BlockStreams<ByteReader>, points: number, run: number): SampleValue[][] {
	const { plain: reader } = streams;
	const column: SampleValue[] = [];
	const size = points * run;
	const form = reader.u8();
	if (form === ONE_KIND) readColumn(streams, reader.u8(), column, { from: 0, to: size, run });
	else if (form === KIND_PER_POINT) {
		for (let from = 0; from < size; from += run)
			readColumn(streams, reader.u8(), column, { from, to: from + run, run });
	} else throw malformed(`unknown column form ${form}`);
	// A list that was filled bit by bit has room for a third more; its copy has not, and lives long.
	if (run === 1) return [column.slice()];
	const values: SampleValue[][] = [];
	for (let row = 0; row < run; row += 1) {
		const own: SampleValue[] = [];
		for (let at = row; at < size; at += run) own.push(column[at] ?? null);
		values.push(own.slice());
	}
	return values;
}

function readValues(
	streams: BlockStreams<ByteReader>,
	heads: readonly ReadingHead[],
): readonly (readonly SampleValue[])[] {
	const groups = new Map<number, number[]>();
	for (const [index, { shapeId }] of heads.entries()) {
		const group = groups.get(shapeId);
		if (group === undefined) groups.set(shapeId, [index]);
		else group.push(index);
	}
	const values: (readonly SampleValue[])[] = [];
	values.length = heads.length;
	for (const group of groups.values()) {
		const points = heads[group[0] ?? 0]?.shape.points.length ?? 0;
		const rows = readGroup(streams, points, group.length);
		for (const [row, index] of group.entries()) values[index] = rows[row] ?? [];
	}
	return values;
}

/** Turns whatever hostile bytes provoke (zlib errors, invalid brands) into the one expected failure. */
function guarded<T>(read: () => T): T {
	try {
		return read();
	} catch (error) {
		if (error instanceof Fault) throw error;
		throw new Fault('rule-violation', 'telemetry block: cannot be decoded', { cause: error });
	}
}

/**
 * The readings of a block, in the order they were encoded. Safe on hostile bytes: what is declared is checked against what is
 * there, and `limits` bounds the rest.
 * @throws Fault `rule-violation`
 */
export function decodeBlock(bytes: Buffer, dictionary = createBlockDictionary(), limits = DEFAULT_LIMITS): Reading[] {
	return guarded(() => {
		const streams = openBody(bytes, limits);
		const heads = readHeads(streams.plain, dictionary, limits);
		const judged = readQualities(streams.plain, heads);
		const values = readValues(streams, heads);
		return heads.map(({ shape, epoch, firstSeq, readAt }, index) => ({
			device: shape.device,
			readAt: epochMs(readAt),
			telemetryType: shape.telemetryType,
			points: shape.points,
			values: values[index] ?? [],
			qualities: judged.get(index) ?? null,
			origin: shape.origin,
			epoch,
			firstSeq,
		}));
	});
}

/** Adds only the block's definitions to the dictionary: enough to decode a later block of the same segment. */
export function readBlockDefinitions(bytes: Buffer, dictionary: BlockDictionary): void {
	guarded(() => readDefinitions(openBody(bytes, DEFAULT_LIMITS).plain, dictionary));
}

/** Which samples a block holds, without decoding a value. Also adds its definitions to the dictionary. */
export function readBlockRanges(bytes: Buffer, dictionary: BlockDictionary): readonly StreamRange[] {
	return guarded(() =>
		readHeads(openBody(bytes, DEFAULT_LIMITS).plain, dictionary, DEFAULT_LIMITS)
			.filter(({ shape }) => shape.points.length > 0)
			.map(({ shape, epoch, firstSeq }) => ({
				origin: shape.origin,
				epoch,
				first: firstSeq,
				last: firstSeq + shape.points.length - 1,
			})),
	);
}
