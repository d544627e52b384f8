import type { SampleValue } from '../telemetry/reading.ts';
import { readValue, writeValue } from './block-values.ts';
import { type ByteReader, malformed } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type BlockStreams, readPackedLanes, writePackedLanes } from './packed-lanes.ts';

/** How the values of a column are written. The narrowest kind that holds each of them exactly is taken. */
export const COLUMN = {
	integer: 0,
	boolean: 1,
	float32: 2,
	float64: 3,
	any: 4,
	packed32: 5,
	packed64: 6,
	decimal: 10,
} as const;

/** From so many floats on, the heads of packed lanes are worth their bytes. */
const FLOATS_TO_PACK = 16;

/** Differences of two integers up to here are still exact. */
const INTEGER_LIMIT = 2 ** 50;
/** Most decimal places of kind `decimal + places`; scaled registers (0.1 V, 0.001 kWh) end here. */
const MAX_PLACES = 4;
const SCALES: readonly number[] = Array.from({ length: MAX_PLACES + 1 }, (_, places) => 10 ** places);

const isInteger = (value: number): boolean =>
	Number.isInteger(value) && Math.abs(value) <= INTEGER_LIMIT && !Object.is(value, -0);

/** `value` is exactly the double nearest to (whole number / scale), so dividing again gives it back. */
function isDecimal(value: number, scale: number): boolean {
	const scaled = Math.round(value * scale);
	return Math.abs(scaled) <= INTEGER_LIMIT && scaled / scale === value && !Object.is(value, -0);
}

function decimalKind(column: readonly SampleValue[], from: number, to: number): number {
	let places = 1;
	for (let index = from; index < to; index += 1) {
		const value = Number(column[index]);
		while (!isDecimal(value, SCALES[places] ?? 1)) {
			places += 1;
			if (places > MAX_PLACES) return COLUMN.float64;
		}
	}
	return COLUMN.decimal + places;
}

/** The narrowest kind for `column[from, to)`. */
export function kindOf(column: readonly SampleValue[], from: number, to: number): number {
	const first = column[from];
	if (typeof first === 'boolean') {
		for (let index = from; index < to; index += 1) if (typeof column[index] !== 'boolean') return COLUMN.any;
		return COLUMN.boolean;
	}
	let fitsInteger = true;
	let fitsFloat32 = true;
	for (let index = from; index < to; index += 1) {
		const value = column[index];
		if (typeof value !== 'number') return COLUMN.any;
		fitsInteger &&= isInteger(value);
		fitsFloat32 &&= Object.is(Math.fround(value), value);
	}
	if (fitsInteger) return COLUMN.integer;
	const kind = fitsFloat32 ? COLUMN.float32 : decimalKind(column, from, to);
	if (to - from < FLOATS_TO_PACK) return kind;
	return PACKED.get(kind) ?? kind;
}

const PACKED: ReadonlyMap<number, number> = new Map([
	[COLUMN.float32, COLUMN.packed32],
	[COLUMN.float64, COLUMN.packed64],
]);

/** Writes the bytes of fixed-width numbers lane by lane: exponents beside exponents compress, mixed bytes do not. */
function writeLanes(writer: ByteWriter, bytes: Uint8Array, width: number): void {
	const lanes = Buffer.allocUnsafe(bytes.length);
	let to = 0;
	for (let lane = 0; lane < width; lane += 1) {
		for (let from = lane; from < bytes.length; from += width) lanes[to++] = bytes[from] ?? 0;
	}
	writer.raw(lanes);
}

function readLanes(reader: ByteReader, count: number, width: number): Uint8Array<ArrayBuffer> {
	const lanes = reader.raw(count * width);
	const bytes = new Uint8Array(count * width);
	let from = 0;
	for (let lane = 0; lane < width; lane += 1) {
		for (let to = lane; to < bytes.length; to += width) bytes[to] = lanes[from++] ?? 0;
	}
	return bytes;
}

function writeIntegers(writer: ByteWriter, column: readonly SampleValue[], span: Span, scale: number): void {
	let previous = 0;
	for (let index = span.from; index < span.to; index += 1) {
		if ((index - span.from) % span.run === 0) previous = 0;
		const value = Math.round(Number(column[index]) * scale);
		writer.signed(value - previous);
		previous = value;
	}
}

/** A part of a column; `run` values belong to one point, and differences start anew with each point. */
interface Span {
	readonly from: number;
	readonly to: number;
	readonly run: number;
}

function writeBooleans(writer: ByteWriter, column: readonly SampleValue[], { from, to }: Span): void {
	const bits = Buffer.alloc(Math.ceil((to - from) / 8));
	for (let index = from; index < to; index += 1) {
		const at = index - from;
		if (column[index] === true) bits[at >>> 3] = (bits[at >>> 3] ?? 0) | (1 << (at & 7));
	}
	writer.raw(bits);
}

function floatBytes(column: readonly SampleValue[], { from, to }: Span, isSingle: boolean): Uint8Array {
	const floats = isSingle ? new Float32Array(to - from) : new Float64Array(to - from);
	for (let index = from; index < to; index += 1) floats[index - from] = Number(column[index]);
	return new Uint8Array(floats.buffer);
}

function writeAny(writer: ByteWriter, column: readonly SampleValue[], { from, to }: Span): void {
	for (let index = from; index < to; index += 1) writeValue(writer, column[index] ?? null);
}

export function writeColumn(
	streams: BlockStreams<ByteWriter>,
	kind: number,
	column: readonly SampleValue[],
	span: Span,
): void {
	const { plain } = streams;
	switch (kind) {
		case COLUMN.packed32:
			return writePackedLanes(streams, floatBytes(column, span, true), 4);
		case COLUMN.packed64:
			return writePackedLanes(streams, floatBytes(column, span, false), 8);
		case COLUMN.float32:
			return writeLanes(plain, floatBytes(column, span, true), 4);
		case COLUMN.float64:
			return writeLanes(plain, floatBytes(column, span, false), 8);
		case COLUMN.boolean:
			return writeBooleans(plain, column, span);
		case COLUMN.any:
			return writeAny(plain, column, span);
		default:
			return writeIntegers(plain, column, span, kind === COLUMN.integer ? 1 : (SCALES[kind - COLUMN.decimal] ?? 1));
	}
}

function readBooleans(reader: ByteReader, into: SampleValue[], { from, to }: Span): void {
	const bits = reader.raw(Math.ceil((to - from) / 8));
	for (let at = 0; at < to - from; at += 1) into[from + at] = (((bits[at >>> 3] ?? 0) >>> (at & 7)) & 1) === 1;
}

interface FloatKind {
	readonly isSingle: boolean;
	readonly isPacked: boolean;
}

const FLOATS: ReadonlyMap<number, FloatKind> = new Map([
	[COLUMN.float32, { isSingle: true, isPacked: false }],
	[COLUMN.float64, { isSingle: false, isPacked: false }],
	[COLUMN.packed32, { isSingle: true, isPacked: true }],
	[COLUMN.packed64, { isSingle: false, isPacked: true }],
]);

function readFloats(
	streams: BlockStreams<ByteReader>,
	into: SampleValue[],
	{ from, to }: Span,
	{ isSingle, isPacked }: FloatKind,
): void {
	const count = to - from;
	const width = isSingle ? 4 : 8;
	const bytes = isPacked ? readPackedLanes(streams, count, width) : readLanes(streams.plain, count, width);
	const floats = isSingle ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
	for (let at = 0; at < count; at += 1) into[from + at] = floats[at] ?? 0;
}

function readIntegers(reader: ByteReader, into: SampleValue[], { from, to, run }: Span, scale: number): void {
	let previous = 0;
	for (let index = from; index < to; index += 1) {
		if ((index - from) % run === 0) previous = 0;
		previous += reader.signed();
		into[index] = previous / scale;
	}
}

/** Reads `span` of a column into `into`. The caller bounds the span: packed and equal values take next to no bytes. */
export function readColumn(streams: BlockStreams<ByteReader>, kind: number, into: SampleValue[], span: Span): void {
	const { plain: reader } = streams;
	if (kind === COLUMN.boolean) return readBooleans(reader, into, span);
	const floats = FLOATS.get(kind);
	if (floats !== undefined) return readFloats(streams, into, span, floats);
	if (span.to - span.from > reader.remaining()) throw malformed('declares values it cannot hold');
	if (kind === COLUMN.any) {
		for (let index = span.from; index < span.to; index += 1) into[index] = readValue(reader);
		return;
	}
	const scale = kind === COLUMN.integer ? 1 : SCALES[kind - COLUMN.decimal];
	if (scale === undefined) throw malformed(`unknown column kind ${kind}`);
	readIntegers(reader, into, span, scale);
}

/** Whole numbers of any size, as differences; as doubles where a difference would not be exact. */
export function writeNumbers(writer: ByteWriter, numbers: readonly number[]): void {
	let isExact = true;
	for (let index = 1; index < numbers.length; index += 1) {
		isExact &&= Number.isSafeInteger((numbers[index] ?? 0) - (numbers[index - 1] ?? 0));
	}
	writer.u8(isExact ? 0 : 1);
	let previous = 0;
	for (const number of numbers) {
		if (isExact) writer.signed(number - previous);
		else writer.f64(number);
		previous = number;
	}
}

export function readNumbers(reader: ByteReader, count: number): number[] {
	const isExact = reader.u8() === 0;
	if (count > reader.remaining()) throw malformed(`declares ${count} numbers it cannot hold`);
	const numbers: number[] = [];
	let previous = 0;
	for (let left = count; left > 0; left -= 1) {
		previous = isExact ? previous + reader.signed() : reader.f64();
		if (!Number.isSafeInteger(previous)) throw malformed('holds a number beyond 2^53');
		numbers.push(previous);
	}
	return numbers;
}
