import type { SunspecGroup, SunspecModel, SunspecPoint } from '../../gateway/sunspec/sunspec-model.ts';
import type { GoldenValue } from './sunspec-device.ts';

/** A value made for a point, and what it has to be read as. */
export interface MadeValue {
	readonly words: readonly number[];
	readonly expected: GoldenValue['value'];
}

/** A whole number below the limit. */
export type Draw = (limit: number) => number;

/** Exponents of scale factors by name. */
type Factors = ReadonlyMap<string, number | 'absent'>;

const wordsOfNumber = (value: bigint, size: number): readonly number[] =>
	Array.from({ length: size }, (_, index) => Number((value >> BigInt(16 * (size - 1 - index))) & 0xffffn));

const wordsOfBytes = (bytes: Buffer): readonly number[] =>
	Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(2 * index));

const signedTypes = new Set(['int16', 'int32', 'int64']);
const counterTypes = new Set(['acc16', 'acc32', 'acc64']);

/** The pattern for "not implemented", by the tables of the specification. */
function absentPattern(type: string, bits: bigint): bigint {
	if (signedTypes.has(type)) return 1n << (bits - 1n);
	return counterTypes.has(type) ? 0n : (1n << bits) - 1n;
}

function madeText(size: number, draw: Draw): MadeValue {
	const text = Array.from({ length: draw(2 * size + 1) }, () => String.fromCharCode(97 + draw(26))).join('');
	const bytes = Buffer.alloc(2 * size);
	bytes.write(text, 'latin1');
	return { words: wordsOfBytes(bytes), expected: text };
}

function madeFloat(draw: Draw): MadeValue {
	const bytes = Buffer.alloc(4);
	const value = draw(6) === 0 ? Number.NaN : Math.fround((draw(2_000_001) - 1_000_000) / 64);
	if (Number.isNaN(value)) bytes.writeUInt32BE(0x7fc0_0000);
	else bytes.writeFloatBE(value);
	return { words: wordsOfBytes(bytes), expected: Number.isNaN(value) ? null : value };
}

/** A number of the type, or its pattern for "not implemented"; `exponent`: `null` when it has no scale factor. */
function madeNumber({ type, size }: SunspecPoint, exponent: number | 'absent' | null, draw: Draw): MadeValue {
	const bits = BigInt(16 * size);
	const absent = absentPattern(type, bits);
	const any = BigInt(draw(0x1_0000)) * (size > 1 ? BigInt(1 + draw(30_000)) : 1n);
	const isNegative = signedTypes.has(type) && draw(2) === 0;
	const pattern = draw(6) === 0 ? absent : BigInt.asUintN(Number(bits), isNegative ? -any : any);
	const words = wordsOfNumber(pattern, size);
	if (pattern === absent || exponent === 'absent') return { words, expected: null };
	const raw = signedTypes.has(type) ? BigInt.asIntN(Number(bits), pattern) : pattern;
	return { words, expected: Number(raw) * 10 ** (exponent ?? 0) };
}

function madeFactor(exponent: number | 'absent' | undefined): MadeValue {
	const isAbsent = exponent === 'absent' || exponent === undefined;
	return { words: [(isAbsent ? -32_768 : exponent) & 0xffff], expected: isAbsent ? null : exponent };
}

function madeValue(point: SunspecPoint, factors: Factors, draw: Draw): MadeValue {
	const { type, size, sf } = point;
	if (type === 'sunssf') return madeFactor(factors.get(point.name));
	if (type === 'string') return madeText(size, draw);
	if (type === 'float32') return madeFloat(draw);
	if (type === 'eui48') return { words: [0, 0x0011, 0x2233, 0x4455], expected: '00:11:22:33:44:55' };
	return madeNumber(point, typeof sf === 'string' ? (factors.get(sf) ?? 'absent') : (sf ?? null), draw);
}

/** Names of the points that say how often a group below repeats. */
const countNames = ({ groups = [] }: SunspecGroup): readonly string[] =>
	groups.flatMap((inner) => [...(typeof inner.count === 'string' ? [inner.count] : []), ...countNames(inner)]);

function factorsOf({ points = [] }: SunspecGroup, around: Factors, draw: Draw): Factors {
	const own = points
		.filter(({ type }) => type === 'sunssf')
		.map(({ name }): [string, number | 'absent'] => [name, draw(8) === 0 ? 'absent' : draw(7) - 3]);
	return new Map([...around, ...own]);
}

/**
 * Lays a model out once more, by means of its own. Values are made in the order of the definition: the registers behind the header, and
 * what each point has to be read as.
 */
export function madeModel({ id, group }: SunspecModel, draw: Draw) {
	const words: number[] = [];
	const values: { readonly name: string; readonly offset: number; readonly expected: MadeValue['expected'] }[] = [];
	const countOf = new Map(countNames(group).map((name) => [name, draw(3)]));

	function put(point: SunspecPoint, path: string, factors: Factors): void {
		if (path === '' && (point.name === 'ID' || point.name === 'L')) return;
		const count = countOf.get(point.name);
		const made = count === undefined ? madeValue(point, factors, draw) : { words: [count], expected: count };
		const name = `${path}${point.name}`.toLowerCase();
		if (point.type !== 'pad') values.push({ name, offset: words.length, expected: made.expected });
		words.push(...made.words);
	}

	function lay(each: SunspecGroup, path: string, around: Factors): void {
		const factors = factorsOf(each, around, draw);
		for (const point of each.points ?? []) put(point, path, factors);
		for (const inner of each.groups ?? []) {
			const { count } = inner;
			// A model of nothing but repeated groups has one at least: none of them is of no length.
			const repeats = count === undefined ? 1 : count === 0 ? 1 + draw(3) : (countOf.get(String(count)) ?? 0);
			for (let number = 1; number <= repeats; number += 1)
				lay(inner, `${path}${inner.name}_${count === undefined ? '' : `${number}_`}`, factors);
		}
	}

	lay(group, '', new Map());
	return { id, words, values };
}
