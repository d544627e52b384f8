import type { ByteReader } from '../journal/byte-reader.ts';
import { malformed } from '../journal/byte-reader.ts';
import type { ByteWriter } from '../journal/byte-writer.ts';
import type { Numeric } from './rollup-counter.ts';

/** How the numbers of a column are written. `decimal0` to `decimal4`: differences of whole multiples of 10^-n, which most registers hold. */
const DECIMALS = 5;
const FLOAT32 = DECIMALS;
const FLOAT64 = DECIMALS + 1;
const ANY = DECIMALS + 2;

/** Differences of whole numbers up to this stay exact. */
const MAX_WHOLE = 2 ** 51;
const POWERS = [1, 10, 100, 1_000, 10_000];

const isDecimal = (value: number, power: number): boolean => {
	const whole = Math.round(value * power);
	return Math.abs(whole) <= MAX_WHOLE && whole / power === value;
};

const areNumbers = (values: readonly Numeric[]): values is readonly number[] =>
	values.every((value) => typeof value === 'number');

function modeOf(values: readonly Numeric[]): number {
	if (!areNumbers(values)) return ANY;
	for (const [mode, power] of POWERS.entries()) if (values.every((value) => isDecimal(value, power))) return mode;
	return values.every((value) => Math.fround(value) === value) ? FLOAT32 : FLOAT64;
}

const float32 = Buffer.alloc(4);

function writeAny(writer: ByteWriter, value: Numeric): void {
	writer.u8(typeof value === 'bigint' ? 1 : 0);
	if (typeof value === 'bigint') writer.text(value.toString());
	else writer.f64(value);
}

/** Writes numbers that resemble each other, exactly. */
export function writeNumerics(writer: ByteWriter, values: readonly Numeric[]): void {
	const mode = modeOf(values);
	writer.u8(mode);
	let previous = 0;
	for (const value of values) {
		if (mode === ANY) writeAny(writer, value);
		else if (mode === FLOAT64) writer.f64(Number(value));
		else if (mode === FLOAT32) {
			float32.writeFloatLE(Number(value), 0);
			writer.raw(float32);
		} else {
			const whole = Math.round(Number(value) * (POWERS[mode] ?? 1));
			writer.signed(whole - previous);
			previous = whole;
		}
	}
}

function readAny(reader: ByteReader): Numeric {
	if (reader.u8() === 0) return reader.f64();
	const text = reader.text();
	if (!/^-?\d{1,400}$/.test(text)) throw malformed('a rollup holds no number');
	return BigInt(text);
}

/** @throws Fault `rule-violation` for bytes that are no such column */
export function readNumerics(reader: ByteReader, count: number): Numeric[] {
	const mode = reader.u8();
	if (mode > ANY) throw malformed(`a column of kind ${mode}`);
	const values: Numeric[] = [];
	const power = POWERS[mode] ?? 1;
	let whole = 0;
	for (let index = 0; index < count; index += 1) {
		if (mode === ANY) values.push(readAny(reader));
		else if (mode === FLOAT64) values.push(reader.f64());
		else if (mode === FLOAT32) values.push(reader.raw(4).readFloatLE(0));
		else {
			whole += reader.signed();
			values.push(whole / power);
		}
	}
	return values;
}
