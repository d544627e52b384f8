import { readValue, writeValue } from '../journal/block-values.ts';
import { type ByteReader, malformed } from '../journal/byte-reader.ts';
import { type ByteWriter, createByteWriter } from '../journal/byte-writer.ts';
import type { SampleValue } from '../telemetry/reading.ts';
import { readIntegers, writeIntegers } from './integer-column.ts';
import { readPacked, writePacked } from './packed-bytes.ts';

/** How the values of one point are written. `single` and `double` are followed by the number of decimal places. */
const KIND = {
	integer: 0,
	boolean: 1,
	float32: 2,
	float64: 3,
	dictionary: 4,
	plain: 5,
	single: 16,
	double: 32,
} as const;
/** Added to a kind of numbers of which some are missing. */
const WITH_NULLS = 0x80;

const INTEGER_LIMIT = 2 ** 50;
/** A float32 has no more than 7 digits: registers with the resolution of a meter end here. */
const MAX_SINGLE_PLACES = 4;
const MAX_DOUBLE_PLACES = 9;

/** Values of one point, a typed array when all are numbers. */
export type Values = Float64Array | readonly SampleValue[];

const isInteger = (value: number): boolean =>
	Number.isInteger(value) && Math.abs(value) <= INTEGER_LIMIT && !Object.is(value, -0);

type Narrow = (value: number) => number;
const asDouble: Narrow = (value) => value;

/** `value` is exactly what the whole number divided by the scale gives, so that dividing again gives it back. */
function isDecimal(value: number, scale: number, narrow: Narrow): boolean {
	const scaled = Math.round(value * scale);
	return Math.abs(scaled) <= INTEGER_LIMIT && narrow(scaled / scale) === value && !Object.is(value, -0);
}

/** The fewest decimal places that hold each of the values exactly; `null` when they are more than `most`. */
function placesOf(values: Float64Array, most: number, narrow: Narrow): number | null {
	let places = 1;
	for (const value of values) {
		while (!isDecimal(value, 10 ** places, narrow)) {
			places += 1;
			if (places > most) return null;
		}
	}
	return places;
}

function numberKind(values: Float64Array): number {
	let areIntegers = true;
	let areSingle = true;
	for (const value of values) {
		areIntegers &&= isInteger(value);
		areSingle &&= Object.is(Math.fround(value), value);
		if (!areIntegers && !areSingle) break;
	}
	if (areIntegers) return KIND.integer;
	if (areSingle) {
		const places = placesOf(values, MAX_SINGLE_PLACES, Math.fround);
		return places === null ? KIND.float32 : KIND.single + places;
	}
	const places = placesOf(values, MAX_DOUBLE_PLACES, asDouble);
	return places === null ? KIND.float64 : KIND.double + places;
}

/** Bits of floats as whole numbers in the order of the floats: neighbours are neighbours. Its own inverse. */
const ordered = (bits: number): number => (bits >= 0 ? bits : -1 - (bits & 0x7fff_ffff));
const unordered = (number: number): number => (number >= 0 ? number : -1 - number - 2 ** 31);

function writeFloat32(writer: ByteWriter, values: Float64Array): void {
	const bits = new Int32Array(Float32Array.from(values).buffer);
	writeIntegers(writer, Float64Array.from(bits, ordered));
}

function readFloat32(reader: ByteReader, count: number): Float64Array {
	const bits = Int32Array.from(readIntegers(reader, count), unordered);
	return Float64Array.from(new Float32Array(bits.buffer));
}

/** The upper half in the order of the numbers, the lower as it is. */
function writeFloat64(writer: ByteWriter, values: Float64Array): void {
	const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
	const high = new Float64Array(values.length);
	const low = new Float64Array(values.length);
	for (let index = 0; index < values.length; index += 1) {
		low[index] = view.getUint32(index * 8, true);
		high[index] = ordered(view.getInt32(index * 8 + 4, true));
	}
	writeIntegers(writer, high);
	writeIntegers(writer, low);
}

function readFloat64(reader: ByteReader, count: number): Float64Array {
	const values = new Float64Array(count);
	const view = new DataView(values.buffer);
	const high = readIntegers(reader, count);
	const low = readIntegers(reader, count);
	for (let index = 0; index < count; index += 1) {
		view.setUint32(index * 8, low[index] ?? 0, true);
		view.setInt32(index * 8 + 4, unordered(high[index] ?? 0), true);
	}
	return values;
}

function writeNumbers(writer: ByteWriter, kind: number, values: Float64Array): void {
	if (kind === KIND.integer) writeIntegers(writer, values);
	else if (kind === KIND.float32) writeFloat32(writer, values);
	else if (kind === KIND.float64) writeFloat64(writer, values);
	else {
		const scale = 10 ** (kind % KIND.single);
		writeIntegers(
			writer,
			values.map((value) => Math.round(value * scale)),
		);
	}
}

function readDecimals(reader: ByteReader, kind: number, count: number): Float64Array {
	const isSingle = kind < KIND.double;
	const places = kind - (isSingle ? KIND.single : KIND.double);
	if (places < 1 || places > (isSingle ? MAX_SINGLE_PLACES : MAX_DOUBLE_PLACES))
		throw malformed(`unknown kind ${kind} of values`);
	const scale = 10 ** places;
	const numbers = readIntegers(reader, count);
	for (let index = 0; index < count; index += 1) {
		const value = (numbers[index] ?? 0) / scale;
		numbers[index] = isSingle ? Math.fround(value) : value;
	}
	return numbers;
}

function readNumbers(reader: ByteReader, kind: number, count: number): Float64Array {
	if (kind === KIND.integer) return readIntegers(reader, count);
	if (kind === KIND.float32) return readFloat32(reader, count);
	if (kind === KIND.float64) return readFloat64(reader, count);
	return readDecimals(reader, kind, count);
}

/** What tells values apart exactly: texts by themselves, the others by their bytes, of which the first is a tag and no quote. */
function keyOf(value: SampleValue, bytes: ByteWriter): string {
	if (typeof value === 'string') return `"${value}`;
	const from = bytes.bytes().length;
	writeValue(bytes, value);
	return bytes.bytes().subarray(from).toString('latin1');
}

function writeOthers(writer: ByteWriter, values: readonly SampleValue[]): void {
	const ids = new Map<string, number>();
	const distinct: SampleValue[] = [];
	const places = new Float64Array(values.length);
	const bytes = createByteWriter();
	for (const [index, value] of values.entries()) {
		const key = keyOf(value, bytes);
		let id = ids.get(key);
		if (id === undefined) {
			ids.set(key, (id = distinct.length));
			distinct.push(value);
		}
		places[index] = id;
	}
	const isRepetitive = distinct.length * 2 <= values.length;
	const stream = createByteWriter();
	for (const value of isRepetitive ? distinct : values) writeValue(stream, value);
	writer.u8(isRepetitive ? KIND.dictionary : KIND.plain);
	if (isRepetitive) writer.varint(distinct.length);
	writePacked(writer, stream.bytes());
	if (isRepetitive) writeIntegers(writer, places);
}

function readList(reader: ByteReader, count: number): SampleValue[] {
	const stream = readPacked(reader);
	if (count > stream.remaining()) throw malformed('declares values it cannot hold');
	return Array.from({ length: count }, () => readValue(stream));
}

function readDictionary(reader: ByteReader, count: number): SampleValue[] {
	const distinct = readList(reader, reader.varint());
	return Array.from(readIntegers(reader, count), (id) => {
		const value = distinct[id];
		if (value === undefined) throw malformed('names a value that is not in its dictionary');
		return value;
	});
}

/** The numbers, each gap filled with the number before it; `null` when something else is among them or all is gaps. */
function numbersOf(
	values: readonly SampleValue[],
): { readonly numbers: Float64Array; readonly nulls: Float64Array } | null {
	const numbers = new Float64Array(values.length);
	const nulls: number[] = [];
	let previous = 0;
	for (let index = 0; index < values.length; index += 1) {
		const value = values[index];
		if (value === null || value === undefined) nulls.push(index);
		else if (typeof value === 'number') previous = value;
		else return null;
		numbers[index] = previous;
	}
	return nulls.length === values.length ? null : { numbers, nulls: Float64Array.from(nulls) };
}

function writeBooleans(writer: ByteWriter, values: readonly SampleValue[]): void {
	writer.u8(KIND.boolean);
	writeIntegers(writer, Float64Array.from(values, Number));
}

/** Writes one point's values, each exactly, in the narrowest kind that holds all of them. */
export function writeValues(writer: ByteWriter, values: readonly SampleValue[]): void {
	const found = numbersOf(values);
	if (found === null) {
		if (values.every((value) => typeof value === 'boolean')) writeBooleans(writer, values);
		else writeOthers(writer, values);
		return;
	}
	const { numbers, nulls } = found;
	const kind = numberKind(numbers);
	writer.u8(kind | (nulls.length > 0 ? WITH_NULLS : 0));
	if (nulls.length > 0) {
		writer.varint(nulls.length);
		writeIntegers(writer, nulls);
	}
	writeNumbers(writer, kind, numbers);
}

function readNullable(reader: ByteReader, kind: number, count: number): SampleValue[] {
	const missing = reader.varint();
	if (missing > count) throw malformed('misses more values than it has');
	const nulls = readIntegers(reader, missing);
	const values: SampleValue[] = [...readNumbers(reader, kind, count)];
	for (const index of nulls) values[index] = null;
	return values;
}

/** Reads `count` values that `writeValues` wrote. */
export function readValues(reader: ByteReader, count: number): Values {
	const kind = reader.u8();
	if (kind === KIND.boolean) return Array.from(readIntegers(reader, count), (bit) => bit === 1);
	if (kind === KIND.dictionary) return readDictionary(reader, count);
	if (kind === KIND.plain) return readList(reader, count);
	if ((kind & WITH_NULLS) !== 0) return readNullable(reader, kind & ~WITH_NULLS, count);
	return readNumbers(reader, kind, count);
}
