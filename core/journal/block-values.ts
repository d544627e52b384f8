import type { SampleValue } from '../telemetry/reading.ts';
import { type ByteReader, malformed } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Deepest nesting of a structured value; a message that nests deeper is refused, not recursed into. */
const MAX_DEPTH = 64;

/** Longest integer, bytes. Those of devices have eight; the time that longer ones take to write out grows faster than they do. */
const MAX_BIGINT_BYTES = 1_024;

const TAG = {
	null: 0,
	false: 1,
	true: 2,
	number: 3,
	text: 4,
	bigint: 5,
	negativeBigint: 6,
	list: 7,
	record: 8,
} as const;

function writeBigint(writer: ByteWriter, value: bigint): void {
	const digits = (value < 0n ? -value : value).toString(16);
	const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
	if (bytes.length > MAX_BIGINT_BYTES) throw malformed(`an integer has more than ${MAX_BIGINT_BYTES} bytes`);
	writer.u8(value < 0n ? TAG.negativeBigint : TAG.bigint);
	writer.varint(bytes.length);
	writer.raw(bytes);
}

function writeStructure(writer: ByteWriter, value: object, depth: number): void {
	if (depth >= MAX_DEPTH) throw malformed(`a value nests deeper than ${MAX_DEPTH} levels`);
	if (Array.isArray(value)) {
		writer.u8(TAG.list);
		writer.varint(value.length);
		for (const item of value) writeValue(writer, item, depth + 1);
		return;
	}
	const entries = Object.entries(value);
	writer.u8(TAG.record);
	writer.varint(entries.length);
	for (const [key, item] of entries) {
		writer.text(key);
		writeValue(writer, item, depth + 1);
	}
}

/** Writes any value exactly: negative zero, NaN, 64-bit integers, nested structures. */
export function writeValue(writer: ByteWriter, value: unknown, depth = 0): void {
	switch (typeof value) {
		case 'number':
			writer.u8(TAG.number);
			writer.f64(value);
			return;
		case 'string':
			writer.u8(TAG.text);
			writer.text(value);
			return;
		case 'boolean':
			writer.u8(value ? TAG.true : TAG.false);
			return;
		case 'bigint':
			writeBigint(writer, value);
			return;
		case 'object':
			if (value !== null) {
				writeStructure(writer, value, depth);
				return;
			}
			writer.u8(TAG.null);
			return;
		case 'undefined':
		case 'symbol':
		case 'function':
			writer.u8(TAG.null);
	}
}

function readBigint(reader: ByteReader): bigint {
	const bytes = reader.count(1);
	if (bytes > MAX_BIGINT_BYTES) throw malformed(`an integer has more than ${MAX_BIGINT_BYTES} bytes`);
	const digits = reader.raw(bytes).toString('hex');
	return BigInt(`0x${digits === '' ? '0' : digits}`);
}

type Structured = Exclude<SampleValue, bigint>;

function readStructured(reader: ByteReader, depth: number): Structured {
	const value = readValue(reader, depth);
	if (typeof value === 'bigint') throw malformed('holds a 64-bit integer inside a structure');
	return value;
}

function readRecord(reader: ByteReader, depth: number): Structured {
	const entries: [string, Structured][] = [];
	for (let left = reader.count(2); left > 0; left -= 1) entries.push([reader.text(), readStructured(reader, depth)]);
	return Object.fromEntries(entries);
}

function readList(reader: ByteReader, depth: number): Structured {
	const items: Structured[] = [];
	for (let left = reader.count(1); left > 0; left -= 1) items.push(readStructured(reader, depth));
	return items;
}

/** Reads what `writeValue` wrote. */
export function readValue(reader: ByteReader, depth = 0): SampleValue {
	if (depth > MAX_DEPTH) throw malformed(`a value nests deeper than ${MAX_DEPTH} levels`);
	const tag = reader.u8();
	switch (tag) {
		case TAG.null:
			return null;
		case TAG.false:
			return false;
		case TAG.true:
			return true;
		case TAG.number:
			return reader.f64();
		case TAG.text:
			return reader.text();
		case TAG.bigint:
			return readBigint(reader);
		case TAG.negativeBigint:
			return -readBigint(reader);
		case TAG.list:
			return readList(reader, depth + 1);
		case TAG.record:
			return readRecord(reader, depth + 1);
		default:
			throw malformed(`unknown value tag ${tag}`);
	}
}
