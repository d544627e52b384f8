import type { RegisterType, TemplatePoint } from '../../../../config/template/template.ts';
import { factsOfType } from '../../../../config/template/register-types.ts';
import { fieldReader, wireIndexes } from './byte-order.ts';
import { float16Of } from './float16.ts';
import { type Integer, slim } from './linear-scale.ts';

/** Reads a raw number from an answer; NaN where its bytes are none. */
export type NumberReader = (data: Buffer) => Integer;

type ReadAt = (data: Buffer, at: number) => Integer;

/** How a number is read in place, in the two orders that need no shuffling. */
interface NumericCodec {
	readonly bytes: number;
	readonly bigEndian: ReadAt;
	readonly littleEndian?: ReadAt;
}

const HIGH_WORD = 2 ** 32;
const HUNDRED_MILLION = 100_000_000;

/** A `number` while it is exact, which spares nearly every 64-bit counter the way through `bigint`. */
function join64(high: number, low: number): Integer {
	const value = high * HIGH_WORD + low;
	return Number.isSafeInteger(value) ? value : BigInt(high) * BigInt(HIGH_WORD) + BigInt(low);
}

/** Decimal digits, two a byte; NaN when one of them is beyond 9. */
function digitsAt(data: Buffer, at: number, bytes: number): number {
	let value = 0;
	for (let k = at; k < at + bytes; k++) {
		const byte = data[k] ?? 0xff;
		if ((byte & 0x0f) > 9 || byte > 0x99) return Number.NaN;
		value = value * 100 + (byte >> 4) * 10 + (byte & 0x0f);
	}
	return value;
}

function digits64At(data: Buffer, at: number): Integer {
	const high = digitsAt(data, at, 4);
	const low = digitsAt(data, at + 4, 4);
	const value = high * HUNDRED_MILLION + low;
	return Number.isNaN(value) || Number.isSafeInteger(value)
		? value
		: BigInt(high) * BigInt(HUNDRED_MILLION) + BigInt(low);
}

const unsignedCodecs: Readonly<Record<number, NumericCodec>> = {
	1: {
		bytes: 2,
		bigEndian: (data, at) => data.readUInt16BE(at),
		littleEndian: (data, at) => data.readUInt16LE(at),
	},
	2: {
		bytes: 4,
		bigEndian: (data, at) => data.readUInt32BE(at),
		littleEndian: (data, at) => data.readUInt32LE(at),
	},
	3: {
		bytes: 6,
		bigEndian: (data, at) => data.readUIntBE(at, 6),
		littleEndian: (data, at) => data.readUIntLE(at, 6),
	},
	4: {
		bytes: 8,
		bigEndian: (data, at) => join64(data.readUInt32BE(at), data.readUInt32BE(at + 4)),
		littleEndian: (data, at) => join64(data.readUInt32LE(at + 4), data.readUInt32LE(at)),
	},
};

const signedCodecs: Readonly<Record<number, NumericCodec>> = {
	1: { bytes: 2, bigEndian: (data, at) => data.readInt16BE(at), littleEndian: (data, at) => data.readInt16LE(at) },
	2: { bytes: 4, bigEndian: (data, at) => data.readInt32BE(at), littleEndian: (data, at) => data.readInt32LE(at) },
	4: {
		bytes: 8,
		bigEndian: (data, at) => join64(data.readInt32BE(at), data.readUInt32BE(at + 4)),
		littleEndian: (data, at) => join64(data.readInt32LE(at + 4), data.readUInt32LE(at)),
	},
};

const otherCodecs: Readonly<Partial<Record<RegisterType, NumericCodec>>> = {
	float16: { bytes: 2, bigEndian: (data, at) => float16Of(data.readUInt16BE(at)) },
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
	bcd16: { bytes: 2, bigEndian: (data, at) => digitsAt(data, at, 2) },
	bcd32: { bytes: 4, bigEndian: (data, at) => digitsAt(data, at, 4) },
	bcd64: { bytes: 8, bigEndian: digits64At },
};

function codecOf({ key, type, count }: TemplatePoint): NumericCodec {
	const codec = otherCodecs[type] ?? (factsOfType(type).isSigned ? signedCodecs : unsignedCodecs)[count];
	if (codec === undefined || codec.bytes !== 2 * count)
		throw new RangeError(`${key}: no number in ${count} of type ${type}`);
	return codec;
}

/** Reads with a codec at byte `at`. The two plain orders are read in place, others through a few bytes of their own. */
function ordered({ bytes, bigEndian, littleEndian }: NumericCodec, point: TemplatePoint, at: number): NumberReader {
	const indexes = wireIndexes(point.byteOrder, bytes);
	if (indexes.every((wireIndex, k) => wireIndex === k)) return (data) => bigEndian(data, at);
	if (littleEndian !== undefined && indexes.every((wireIndex, k) => wireIndex === bytes - 1 - k))
		return (data) => littleEndian(data, at);
	const field = fieldReader(point.byteOrder, at, bytes);
	return (data) => bigEndian(field(data), 0);
}

/** The bits of the unsigned number that belong to the point, with the sign their highest one may be. */
function partOf(point: TemplatePoint, read: NumberReader): NumberReader {
	const { first = 0, count = 16 * point.count } = point.slice ?? {};
	const isSigned = factsOfType(point.type).isSigned;
	const mask = point.mask === undefined ? null : BigInt(`0x${point.mask}`);
	return (data) => {
		const raw = BigInt(read(data));
		const bits = (mask === null ? raw : raw & mask) >> BigInt(first);
		return slim(isSigned ? BigInt.asIntN(count, bits) : BigInt.asUintN(count, bits));
	};
}

/** Reads a part of one register with plain numbers, which nearly all parts are. */
function smallPartOf(point: TemplatePoint, read: (data: Buffer) => number): NumberReader {
	const { first = 0, count = 16 } = point.slice ?? {};
	const mask = point.mask === undefined ? 0xffff : Number.parseInt(point.mask, 16);
	const top = 2 ** count;
	const negativeFrom = factsOfType(point.type).isSigned ? top / 2 : top;
	return (data) => {
		const value = ((read(data) & mask) >> first) % top;
		return value >= negativeFrom ? value - top : value;
	};
}

const halves: Readonly<Partial<Record<RegisterType, (wire: readonly number[], at: number) => NumberReader>>> = {
	int8h:
		([high = 0], at) =>
		(data) =>
			data.readInt8(at + high),
	int8l:
		([, low = 1], at) =>
		(data) =>
			data.readInt8(at + low),
	uint8h:
		([high = 0], at) =>
		(data) =>
			data.readUInt8(at + high),
	uint8l:
		([, low = 1], at) =>
		(data) =>
			data.readUInt8(at + low),
};

/**
 * Reads the raw number of a point whose registers begin at byte `at`.
 * @throws RangeError when the point has a size its type does not come in; a template that was parsed has none
 */
export function numberReader(point: TemplatePoint, at: number): NumberReader {
	const half = halves[point.type]?.(wireIndexes(point.byteOrder, 2), at);
	if (half !== undefined) return half;
	if (point.slice === undefined && point.mask === undefined) return ordered(codecOf(point), point, at);
	const whole = ordered(codecOf({ ...point, type: 'bits' }), point, at);
	return point.count === 1 ? smallPartOf(point, (data) => Number(whole(data))) : partOf(point, whole);
}

/** One bit of a register. */
export function bitReader({ byteOrder, bit = 0 }: TemplatePoint, at: number): (data: Buffer) => boolean {
	const [high = 0, low = 1] = wireIndexes(byteOrder, 2);
	const place = at + (bit >= 8 ? high : low);
	return (data) => ((data.readUInt8(place) >> (bit & 7)) & 1) === 1;
}
