import { isWhole } from '../../config/template/register-types.ts';
import type { RegisterType, TemplatePoint } from '../../config/template/template.ts';

/** What a point shows: a number in its unit, a text, and the device's time. */
export interface ShownValue {
	readonly number: number;
	readonly text: string;
	readonly at: Date;
}

/** Digits of a packed decimal byte. */
const bcdByte = (value: number): number => (Math.floor(value / 10) << 4) | (value % 10);

const MOST_BCD = 10;

const SINCE_2000_S = Date.UTC(2000, 0, 1) / 1000;

const HEX = /^(?:[\da-f]{2})+$/i;

/** The nearest half-precision number (IEEE 754 binary16), as bits; too large ones become infinite. */
export function halfBits(value: number): number {
	const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
	const size = Math.abs(value);
	if (Number.isNaN(value)) return 0x7e00;
	if (size >= 65_520) return sign | 0x7c00;
	if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
	const exponent = Math.floor(Math.log2(size));
	// A mantissa that rounds up to 1024 carries into the exponent, which is right.
	return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}

/** A number as so many bytes, most significant first; what does not fit is brought to the nearest that does. */
function wholeBytes(raw: number, bytes: number, isSigned: boolean): Buffer {
	const bits = BigInt(bytes * 8);
	const most = isSigned ? 2n ** (bits - 1n) - 1n : 2n ** bits - 1n;
	const least = isSigned ? -(2n ** (bits - 1n)) : 0n;
	const wanted = BigInt(Math.round(Number.isFinite(raw) ? raw : 0));
	const fitting = wanted > most ? most : wanted < least ? least : wanted;
	return Buffer.from(
		BigInt.asUintN(bytes * 8, fitting)
			.toString(16)
			.padStart(bytes * 2, '0'),
		'hex',
	);
}

function bcdBytes(raw: number, bytes: number): Buffer {
	const digits = String(Math.min(Math.max(0, Math.round(raw)), MOST_BCD ** (bytes * 2) - 1));
	return Buffer.from(digits.padStart(bytes * 2, '0').slice(-bytes * 2), 'hex');
}

const float = (bytes: 4 | 8, value: number): Buffer => {
	const buffer = Buffer.alloc(bytes);
	if (bytes === 4) buffer.writeFloatBE(Math.fround(value));
	else buffer.writeDoubleBE(value);
	return buffer;
};

const half = (value: number): Buffer => wholeBytes(halfBits(value), 2, false);

const padded = (text: string, bytes: number): Buffer => {
	const buffer = Buffer.alloc(bytes);
	buffer.write(text, 'latin1');
	return buffer;
};

const hexBytes = (text: string, bytes: number): Buffer =>
	Buffer.concat([Buffer.from(text, 'hex'), Buffer.alloc(bytes)]).subarray(0, bytes);

/** Bytes that look like an address and are always the same for a text. */
const addressBytes = (text: string, bytes: number): Buffer =>
	Buffer.from(
		Array.from({ length: bytes }, (_, index) => (text.charCodeAt(index % Math.max(1, text.length)) || 1) & 0x7e),
	);

const yearToSecond = (at: Date): readonly number[] => [
	at.getUTCFullYear() - 2000,
	at.getUTCMonth() + 1,
	at.getUTCDate(),
	at.getUTCHours(),
	at.getUTCMinutes(),
	at.getUTCSeconds(),
];

const words = (...values: readonly number[]): Buffer =>
	Buffer.concat(values.map((value) => wholeBytes(value, 2, false)));

function iecTime(at: Date): Buffer {
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = yearToSecond(at);
	return words(year, (month << 8) | day, (hour << 8) | minute, second * 1000);
}

type Encoder = (raw: number, shown: ShownValue, bytes: number) => Buffer;

const unsigned = (raw: number, _shown: ShownValue, bytes: number): Buffer => wholeBytes(raw, bytes, false);
const signed = (raw: number, _shown: ShownValue, bytes: number): Buffer => wholeBytes(raw, bytes, true);
const bcd = (raw: number, _shown: ShownValue, bytes: number): Buffer => bcdBytes(raw, bytes);
const address = (_raw: number, { text }: ShownValue, bytes: number): Buffer => addressBytes(text, bytes);
const high = (byte: Buffer): Buffer => Buffer.concat([byte, Buffer.alloc(1)]);
const low = (byte: Buffer): Buffer => Buffer.concat([Buffer.alloc(1), byte]);
const unixSeconds = ({ at }: ShownValue): number => Math.floor(at.getTime() / 1000);

/** Bytes of each type, most significant first. */
const encoders: Readonly<Record<Exclude<RegisterType, 'bool'>, Encoder>> = {
	bit: (raw) => words(raw >= 0.5 ? 1 : 0),
	int8h: (raw) => high(wholeBytes(raw, 1, true)),
	uint8h: (raw) => high(wholeBytes(raw, 1, false)),
	int8l: (raw) => low(wholeBytes(raw, 1, true)),
	uint8l: (raw) => low(wholeBytes(raw, 1, false)),
	int16: signed,
	uint16: unsigned,
	int32: signed,
	uint32: unsigned,
	int64: signed,
	uint64: unsigned,
	float16: half,
	float32: (raw) => float(4, raw),
	float64: (raw) => float(8, raw),
	bcd16: bcd,
	bcd32: bcd,
	bcd64: bcd,
	bits: unsigned,
	string: (_raw, { text }, bytes) => padded(text, bytes),
	raw: (_raw, { text }, bytes) => (HEX.test(text) ? hexBytes(text, bytes) : padded(text, bytes)),
	eui48: (_raw, { text }, bytes) => Buffer.concat([Buffer.alloc(bytes - 6), addressBytes(text, 6)]),
	ipv4: () => Buffer.from([192, 168, 1, 20]),
	ipv6: address,
	time_since2000: (_raw, shown, bytes) => wholeBytes(unixSeconds(shown) - SINCE_2000_S, bytes, false),
	time_unix32: (_raw, shown, bytes) => wholeBytes(unixSeconds(shown), bytes, false),
	time_unix64: (_raw, shown, bytes) => wholeBytes(unixSeconds(shown), bytes, false),
	time_unix64ms: (_raw, { at }, bytes) => wholeBytes(at.getTime(), bytes, false),
	time_bytes: (_raw, { at }) => Buffer.from(yearToSecond(at)),
	time_bcd: (_raw, { at }) => Buffer.from(yearToSecond(at).map(bcdByte)),
	time_registers: (_raw, { at }) => words(at.getUTCFullYear(), ...yearToSecond(at).slice(1)),
	time_iec: (_raw, { at }) => iecTime(at),
};

/** Whether a point shares its registers with others. */
export const isPart = ({ type, slice }: TemplatePoint): boolean =>
	slice !== undefined || type === 'bit' || type.startsWith('int8') || type.startsWith('uint8');

/**
 * The bytes of a point's registers, most significant first, zero where other points of the same registers are. Values beyond the
 * type are brought to its end.
 * @param exponent of its scale-factor point; 0 without one
 */
export function rawBytes(point: TemplatePoint, shown: ShownValue, exponent: number): Buffer {
	const { type, scale, offset, count, slice } = point;
	if (type === 'bool') throw new RangeError(`${point.key}: a bit is not in a register`);
	const unscaled = (shown.number - offset) / scale / 10 ** exponent;
	if (slice !== undefined && isWhole(type)) {
		const raw = Math.max(0, Math.round(unscaled)) % 2 ** Math.min(slice.count, 31);
		return wholeBytes(raw * 2 ** slice.first, 2 * count, false);
	}
	if (type === 'bit') return words((unscaled >= 0.5 ? 1 : 0) << (point.bit ?? 0));
	return encoders[type](unscaled, shown, 2 * count);
}
