import { factsOfType } from '../../../../config/template/register-types.ts';
import type { RegisterType, TemplatePoint } from '../../../../config/template/template.ts';
import { numberOf } from '../../../../config/template/write-rules.ts';
import { fieldFault } from '../../../../core/kernel/fault.ts';
import { toFloat16 } from './float16.ts';
import { type Integer, linearScale, nearestRaw, roundTo, scaledByTens } from './linear-scale.ts';
import { timeBytes } from './time-value.ts';

/** Refuses a value that the registers of a point cannot hold. */
export const refuse = (point: TemplatePoint, value: unknown, rule: string) =>
	fieldFault('rule-violation', 'payload.value', `must ${rule} for point ${point.key}; found ${JSON.stringify(value)}`);

const floatWriters: Readonly<Partial<Record<RegisterType, (bytes: Buffer, raw: number) => void>>> = {
	float16: (bytes, raw) => bytes.writeUInt16BE(toFloat16(raw) ?? 0),
	float32: (bytes, raw) => bytes.writeFloatBE(raw),
	float64: (bytes, raw) => bytes.writeDoubleBE(raw),
};

/** The largest number of each float, as it is stored. */
const floatFits: Readonly<Partial<Record<RegisterType, (raw: number) => boolean>>> = {
	float16: (raw) => toFloat16(raw) !== null,
	float32: (raw) => Number.isFinite(Math.fround(raw)),
	float64: Number.isFinite,
};

function floatBytes(point: TemplatePoint, scale: number, value: unknown): Buffer {
	const raw = (Number(value) - point.offset) / scale;
	const bytes = Buffer.alloc(2 * point.count);
	if (floatFits[point.type]?.(raw) !== true) throw refuse(point, value, `fit into ${point.type}`);
	floatWriters[point.type]?.(bytes, raw);
	return bytes;
}

/** The raw number of a whole value under a whole scale; `null` when there is none. */
function wholeRaw({ offset }: TemplatePoint, scale: number, value: bigint): bigint | null {
	if (!Number.isSafeInteger(scale) || !Number.isSafeInteger(offset)) return null;
	const distance = value - BigInt(offset);
	return distance % BigInt(scale) === 0n ? distance / BigInt(scale) : null;
}

/** The raw number of a scaled point. @throws Fault when there is none that is read as the value */
function unscaled(point: TemplatePoint, scale: number, value: Integer): bigint {
	if (typeof value === 'bigint') {
		const exact = wholeRaw(point, scale, value);
		if (exact === null) throw refuse(point, String(value), `be in steps of ${Math.abs(scale)}`);
		return exact;
	}
	const raw = nearestRaw(scale, point.offset)(value);
	if (!Number.isSafeInteger(raw)) throw refuse(point, value, 'fit into its registers');
	const read = linearScale(scale, point.offset)(raw);
	const nearest = point.precision === undefined ? read : roundTo(point.precision)(read);
	if (nearest !== value)
		throw refuse(point, value, `be in steps of ${Math.abs(scale)} (the nearest is ${String(nearest)})`);
	return BigInt(raw);
}

/** Bits of a whole number of this point, without the bits of the registers that belong to others. */
const widths: Readonly<Partial<Record<RegisterType, number>>> = { int8h: 8, int8l: 8, uint8h: 8, uint8l: 8 };

const widthOf = ({ type, count, slice }: TemplatePoint): number => slice?.count ?? widths[type] ?? 16 * count;

const hexBytes = (digits: string, bytes: number): Buffer => Buffer.from(digits.padStart(2 * bytes, '0'), 'hex');

function binaryBytes(point: TemplatePoint, value: unknown, raw: bigint): Buffer {
	const bits = widthOf(point);
	const { isSigned } = factsOfType(point.type);
	const pattern = BigInt.asUintN(bits, raw);
	if ((isSigned ? BigInt.asIntN(bits, raw) : pattern) !== raw)
		throw refuse(point, value, `fit into ${bits} bits ${isSigned ? 'with' : 'without'} a sign`);
	const shift = point.slice?.first ?? (widths[point.type] !== undefined && point.type.endsWith('h') ? 8 : 0);
	const placed = pattern << BigInt(shift);
	if (point.mask !== undefined && (placed & ~BigInt(`0x${point.mask}`)) !== 0n)
		throw refuse(point, value, `have no bits outside of ${point.mask}`);
	return hexBytes(placed.toString(16), 2 * point.count);
}

function digitBytes(point: TemplatePoint, value: unknown, raw: bigint): Buffer {
	const digits = String(raw);
	if (raw < 0n || digits.length > 4 * point.count) throw refuse(point, value, `have at most ${4 * point.count} digits`);
	return hexBytes(digits, 2 * point.count);
}

function wholeBytes(point: TemplatePoint, scale: number, value: unknown): Buffer {
	const number = numberOf(point.type, value);
	if (number === null) throw refuse(point, value, 'be a number');
	const isWhole = typeof number === 'bigint' || Number.isSafeInteger(number);
	const raw = scale !== 1 || point.offset !== 0 || !isWhole ? unscaled(point, scale, number) : BigInt(number);
	return point.type.startsWith('bcd') ? digitBytes(point, value, raw) : binaryBytes(point, value, raw);
}

/** UTF-8, filled up with NULs. What could not be read back as it was written is refused. */
function textBytes(point: TemplatePoint, text: string): Buffer {
	const bytes = Buffer.alloc(2 * point.count);
	const needed = Buffer.byteLength(text);
	if (needed > bytes.length) throw refuse(point, text, `have at most ${bytes.length} bytes`);
	if (text.includes('\0') || text !== text.trimEnd() || Buffer.from(text).toString() !== text)
		throw refuse(point, text, 'end without blanks and be plain text');
	bytes.write(text);
	return bytes;
}

const HEX = /^[0-9A-Fa-f]*$/;
const EUI48 = /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/;
const IPV6 = /^[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{4}){7}$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Bytes of a text, and the sentence that tells how it is written. */
interface TextForm {
	readonly bytes: (point: TemplatePoint, text: string) => Buffer | null;
	readonly rule: (point: TemplatePoint) => string;
}

const withoutColons = (text: string): string => text.replaceAll(':', '');

const textForms: Readonly<Partial<Record<RegisterType, TextForm>>> = {
	raw: {
		bytes: ({ count }, text) => (text.length === 4 * count && HEX.test(text) ? Buffer.from(text, 'hex') : null),
		rule: ({ count }) => `be ${4 * count} hex digits`,
	},
	eui48: {
		bytes: ({ count }, text) => (EUI48.test(text) ? hexBytes(withoutColons(text), 2 * count) : null),
		rule: () => 'be written as 00:00:5E:00:53:01',
	},
	ipv4: {
		bytes(_point, text) {
			const parts = IPV4.test(text) ? text.split('.').map(Number) : [256];
			return parts.every((part) => part <= 255) ? Buffer.from(parts) : null;
		},
		rule: () => 'be written as 192.0.2.1',
	},
	ipv6: {
		bytes: (_point, text) => (IPV6.test(text) ? Buffer.from(withoutColons(text), 'hex') : null),
		rule: () => 'be eight groups of four hex digits with colons',
	},
};

const timeForm: TextForm = {
	bytes: timeBytes,
	rule: ({ zone, type }) =>
		`be a time that ${type} can hold, as 2026-03-01T12:00:00${zone === 'local' ? '' : ' (with Z where it is UTC)'}`,
};

function bytesOfText(point: TemplatePoint, value: unknown): Buffer {
	const text = typeof value === 'string' ? value : '';
	if (point.type === 'string') return textBytes(point, text);
	const form = textForms[point.type] ?? timeForm;
	const bytes = form.bytes(point, text);
	if (bytes === null) throw refuse(point, value, form.rule(point));
	return bytes;
}

/**
 * The bytes of a point's registers that are read as this value, most significant first; bits that belong to other points are 0.
 * @param exponent what the point's scale factor says; only for points that have one
 * @throws Fault `rule-violation` of `payload.value` when the registers cannot hold the value
 */
export function pointBytes(point: TemplatePoint, value: unknown, exponent: number): Buffer {
	const { nature } = factsOfType(point.type);
	if (nature === 'text') return bytesOfText(point, value);
	if (nature === 'truth') return hexBytes((value === true ? 2 ** (point.bit ?? 0) : 0).toString(16), 2);
	const scale = scaledByTens(point.scale, exponent);
	return nature === 'float' ? floatBytes(point, scale, value) : wholeBytes(point, scale, value);
}

/** The bits of a point's registers that are its own, most significant first; `null`: all. */
export function ownBits({ type, count, bit, slice, mask }: TemplatePoint): Buffer | null {
	const bytes = 2 * count;
	if (type === 'bit') return hexBytes((2 ** (bit ?? 0)).toString(16), bytes);
	if (widths[type] !== undefined) return hexBytes(type.endsWith('h') ? 'ff00' : '00ff', bytes);
	if (slice === undefined && mask === undefined) return null;
	const sliced = slice === undefined ? -1n : ((1n << BigInt(slice.count)) - 1n) << BigInt(slice.first);
	const masked = mask === undefined ? -1n : BigInt(`0x${mask}`);
	return hexBytes(BigInt.asUintN(8 * bytes, sliced & masked).toString(16), bytes);
}
