import type { TemplatePoint } from '../../../../config/template/template.ts';
import type { Quality, SampleValue } from '../../../../core/telemetry/reading.ts';
import { toWireOrder, wireIndexes } from './byte-order.ts';
import { readsBits } from '../plan/line-cost.ts';
import { linearScale } from './linear-scale.ts';
import type { ReadRequest } from '../plan/request-plan.ts';

/** The values of one answer, in the order of the request's points. */
export interface DecodedRead {
	readonly values: readonly SampleValue[];
	/** `null` when all are good. */
	readonly qualities: readonly Quality[] | null;
}

/** Gives the data bytes of an answer their meaning: one value for each point of the request. */
export type DecodeRead = (request: ReadRequest, data: Buffer) => DecodedRead;

/**
 * Turns the data bytes of an answer (without unit, function and byte count) into values.
 * @throws RangeError when `data` is not exactly as long as the request asks; the bus refuses such an answer before.
 */
export type ReadDecoder = (data: Buffer) => DecodedRead;

type Integer = number | bigint;
type NumericType = 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'float32' | 'float64';
type ReadAt = (data: Buffer, at: number) => Integer;

interface NumericCodec {
	readonly bytes: number;
	readonly bigEndian: ReadAt;
	readonly littleEndian: ReadAt;
}

interface PointDecoder {
	/** The value after scaling; `null` when the bytes hold none. */
	readonly read: (data: Buffer) => SampleValue;
	readonly min: number;
	readonly max: number;
}

const HIGH_WORD = 2 ** 32;

/** A `number` while it is exact, which spares nearly every 64-bit counter the way through `bigint`. */
function join64(high: number, low: number): Integer {
	const value = high * HIGH_WORD + low;
	return Number.isSafeInteger(value) ? value : BigInt(high) * BigInt(HIGH_WORD) + BigInt(low);
}

const numericCodecs: Readonly<Record<NumericType, NumericCodec>> = {
	int16: { bytes: 2, bigEndian: (data, at) => data.readInt16BE(at), littleEndian: (data, at) => data.readInt16LE(at) },
	uint16: {
		bytes: 2,
		bigEndian: (data, at) => data.readUInt16BE(at),
		littleEndian: (data, at) => data.readUInt16LE(at),
	},
	int32: { bytes: 4, bigEndian: (data, at) => data.readInt32BE(at), littleEndian: (data, at) => data.readInt32LE(at) },
	uint32: {
		bytes: 4,
		bigEndian: (data, at) => data.readUInt32BE(at),
		littleEndian: (data, at) => data.readUInt32LE(at),
	},
	int64: {
		bytes: 8,
		bigEndian: (data, at) => join64(data.readInt32BE(at), data.readUInt32BE(at + 4)),
		littleEndian: (data, at) => join64(data.readInt32LE(at + 4), data.readUInt32LE(at)),
	},
	uint64: {
		bytes: 8,
		bigEndian: (data, at) => join64(data.readUInt32BE(at), data.readUInt32BE(at + 4)),
		littleEndian: (data, at) => join64(data.readUInt32LE(at + 4), data.readUInt32LE(at)),
	},
	float32: {
		bytes: 4,
		bigEndian: (data, at) => data.readFloatBE(at),
		littleEndian: (data, at) => data.readFloatLE(at),
	},
	float64: {
		bytes: 8,
		bigEndian: (data, at) => data.readDoubleBE(at),
		littleEndian: (data, at) => data.readDoubleLE(at),
	},
};

/** A set of bits is read as the unsigned number of its size. */
const bitSetTypes: Readonly<Record<number, NumericType>> = { 1: 'uint16', 2: 'uint32', 4: 'uint64' };

function numericType({ key, type, count }: TemplatePoint): NumericType {
	const named = Object.keys(numericCodecs).find((name): name is NumericType => name === type);
	if (named !== undefined) return named;
	const unsigned = bitSetTypes[count];
	if (type !== 'bits' || unsigned === undefined) throw new RangeError(`${key}: no number in ${count} of type ${type}`);
	return unsigned;
}

/** Reads the number at byte `at`. The two plain orders are read in place, the two mixed ones through a few bytes of their own. */
function rawReader(point: TemplatePoint, at: number): (data: Buffer) => Integer {
	const { bytes, bigEndian, littleEndian } = numericCodecs[numericType(point)];
	const indexes = wireIndexes(point.byteOrder, bytes);
	if (indexes.every((wireIndex, k) => wireIndex === k)) return (data) => bigEndian(data, at);
	if (indexes.every((wireIndex, k) => wireIndex === bytes - 1 - k)) return (data) => littleEndian(data, at);
	const ordered = Buffer.alloc(bytes);
	return (data) => {
		for (let k = 0; k < bytes; k++) ordered[k] = data[at + (indexes[k] ?? 0)] ?? 0;
		return bigEndian(ordered, 0);
	};
}

/** JSON and charts know no NaN and no infinity: such a number is no value. */
const finiteOrNull = (value: Integer): SampleValue =>
	typeof value === 'number' && !Number.isFinite(value) ? null : value;

function numberReader(point: TemplatePoint, at: number): (data: Buffer) => SampleValue {
	const read = rawReader(point, at);
	if (point.scale === 1 && point.offset === 0) return (data) => finiteOrNull(read(data));
	const scaled = linearScale(point.scale, point.offset);
	return (data) => finiteOrNull(scaled(Number(read(data))));
}

/** UTF-8 up to the first NUL, without trailing blanks: makers pad with either. */
function textReader({ byteOrder, count }: TemplatePoint, at: number): (data: Buffer) => string {
	const isSwapped = byteOrder === 'BA';
	return (data) => {
		const field = data.subarray(at, at + 2 * count);
		const bytes = isSwapped ? Buffer.from(field).swap16() : field;
		const nul = bytes.indexOf(0);
		return bytes.toString('utf8', 0, nul === -1 ? bytes.length : nul).trimEnd();
	};
}

/** Coils and discrete inputs: the first one asked for is the least significant bit of the first byte (1.1b3, 6.1). */
const bitReader =
	(bit: number) =>
	(data: Buffer): boolean =>
		((data.readUInt8(bit >> 3) >> (bit & 7)) & 1) === 1;

/** Byte by byte: for so few bytes a native comparison costs ten times as much. */
function holds(data: Buffer, at: number, pattern: Buffer): boolean {
	for (let k = 0; k < pattern.length; k++) {
		if (data[at + k] !== pattern[k]) return false;
	}
	return true;
}

function registerReader(point: TemplatePoint, at: number): (data: Buffer) => SampleValue {
	const read = point.type === 'string' ? textReader(point, at) : numberReader(point, at);
	if (point.invalid.length === 0) return read;
	const patterns = point.invalid.map((hex) => toWireOrder(Buffer.from(hex, 'hex'), point.byteOrder));
	return (data) => (patterns.some((pattern) => holds(data, at, pattern)) ? null : read(data));
}

function pointDecoder(point: TemplatePoint, request: ReadRequest): PointDecoder {
	const place = point.address - request.address;
	return {
		read: readsBits(point.functionCode) ? bitReader(place) : registerReader(point, 2 * place),
		min: point.min ?? Number.NEGATIVE_INFINITY,
		max: point.max ?? Number.POSITIVE_INFINITY,
	};
}

const isPlausible = (value: SampleValue, { min, max }: PointDecoder): boolean =>
	(typeof value !== 'number' && typeof value !== 'bigint') || (value >= min && value <= max);

/**
 * Builds the decoder of one request, once; what it returns is on the hot path.
 *
 * - A number in one of the point's `invalid` patterns, NaN and the infinities say that the device has no value: `null`, `out_of_range`.
 * - A number beyond `min` or `max` may be a fault of the wiring that someone has to see: it is kept, `out_of_range`.
 * - 64-bit integers beyond 2^53 are `bigint` when they are not scaled, and numbers when they are.
 * - `bits` is the unsigned number of its registers; texts of `enum` are for the reader of the value, not part of it.
 *
 * @throws RangeError when a point has a size its type does not come in; a template that was parsed has none.
 */
export function createReadDecoder(request: ReadRequest): ReadDecoder {
	const decoders = request.points.map((point) => pointDecoder(point, request));
	const length = readsBits(request.functionCode) ? Math.ceil(request.count / 8) : 2 * request.count;
	return (data) => {
		if (data.length !== length) {
			throw new RangeError(
				`an answer to ${request.count} from ${request.address} has ${length} bytes, not ${data.length}`,
			);
		}
		// `map` makes the list as long as it has to be; one that grows would keep a third more for as long as the values live.
		const values = decoders.map((decoder) => decoder.read(data));
		let qualities: Quality[] | null = null;
		for (const [index, decoder] of decoders.entries()) {
			const value = values[index] ?? null;
			if (value !== null && isPlausible(value, decoder)) continue;
			qualities ??= decoders.map(() => 'good');
			qualities[index] = 'out_of_range';
		}
		return { values, qualities };
	};
}

const knownDecoders = new WeakMap<ReadRequest, ReadDecoder>();

/** `createReadDecoder` for callers that hold only the request: the decoder is built at its first answer and lives as long as the request. */
export function decodeRead(request: ReadRequest, data: Buffer): DecodedRead {
	let decode = knownDecoders.get(request);
	if (decode === undefined) {
		decode = createReadDecoder(request);
		knownDecoders.set(request, decode);
	}
	return decode(data);
}
