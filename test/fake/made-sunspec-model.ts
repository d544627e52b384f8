import type { SunspecGroup, SunspecModel, SunspecPoint } from '../../gateway/sunspec/sunspec-model.ts';
import type { GoldenValue } from './sunspec-device.ts';

/** A value made for a point, and what it has to be read as. */
export interface MadeValue {
	readonly words: readonly number[];
	readonly expected: GoldenValue['value'] | bigint;
}

const wordsOfNumber = (value: bigint, size: number): readonly number[] =>
	Array.from({ length: size }, (_, index) => Number((value >> BigInt(16 * (size - 1 - index))) & 0xffffn));

const signedTypes = new Set(['int16', 'int32', 'int64']);
/** Not implemented, by the tables of the specification. */
const absentNumbers: Readonly<Record<string, (bits: bigint) => bigint>> = {
	int16: (bits) => 1n << (bits - 1n),
	int32: (bits) => 1n << (bits - 1n),
	int64: (bits) => 1n << (bits - 1n),
	acc16: () => 0n,
	acc32: () => 0n,
	acc64: () => 0n,
};

const allOnes = (bits: bigint): bigint => (1n << bits) - 1n;

function madeText(size: number, draw: (limit: number) => number): MadeValue {
	const text = Array.from({ length: draw(2 * size + 1) }, () => String.fromCharCode(97 + draw(26))).join('');
	const bytes = Buffer.alloc(2 * size);
	bytes.write(text, 'latin1');
	return { words: Array.from({ length: size }, (_, index) => bytes.readUInt16BE(2 * index)), expected: text };
}

function madeFloat(draw: (limit: number) => number): MadeValue {
	const bytes = Buffer.alloc(4);
	const value = draw(6) === 0 ? Number.NaN : Math.fround((draw(2_000_001) - 1_000_000) / 64);
	if (Number.isNaN(value)) bytes.writeUInt32BE(0x7fc0_0000);
	else bytes.writeFloatBE(value);
	return { words: [bytes.readUInt16BE(0), bytes.readUInt16BE(2)], expected: Number.isNaN(value) ? null : value };
}

/** A number of the type, or its pattern for "not implemented"; `exponent` is that of its scale factor, `null` when it has none. */
function madeNumber(
	{ type, size }: SunspecPoint,
	exponent: number | 'absent' | null,
	draw: (limit: number) => number,
): MadeValue {
	const bits = BigInt(16 * size);
	const absent = (absentNumbers[type] ?? allOnes)(bits);
	const any = BigInt(draw(0x1_0000)) * (size > 1 ? BigInt(1 + draw(30_000)) : 1n);
	const pattern =
		draw(6) === 0 ? absent : BigInt.asUintN(Number(bits), signedTypes.has(type) && draw(2) === 0 ? -any : any);
	const words = wordsOfNumber(pattern, size);
	if (pattern === absent || exponent === 'absent') return { words, expected: null };
	const raw = signedTypes.has(type) ? BigInt.asIntN(Number(bits), pattern) : pattern;
	return { words, expected: Number(raw) * 10 ** (exponent ?? 0) };
}

/**
 * Lays a model out once more, by means of its own. Values are made in the order of the definition: its registers behind the header, and what each point has to be read as.
 */
export function madeModel({ id, group }: SunspecModel, draw: (limit: number) => number) {
	const words: number[] = [];
	const values: { readonly name: string; readonly offset: number; readonly expected: MadeValue['expected'] }[] = [];

	function factorsOf(points: readonly SunspecPoint[], around: ReadonlyMap<string, number | 'absent'>) {
		const own = points.filter(({ type }) => type === 'sunssf').map(({ name }) => name);
		return new Map([
			...around,
			...own.map((name): [string, number | 'absent'] => [name, draw(8) === 0 ? 'absent' : draw(7) - 3]),
		]);
	}

	function lay(each: SunspecGroup, path: string, around: ReadonlyMap<string, number | 'absent'>): void {
		const factors = factorsOf(each.points ?? [], around);
		const counts = new Map(
			[...(each.groups ?? [])]
				.flatMap(({ count, groups = [] }) => [
					count,
					...groups.flatMap((inner) => [inner.count, ...(inner.groups ?? []).map((deep) => deep.count)]),
				])
				.filter((count) => typeof count === 'string')
				.map((name) => [name, draw(3)]),
		);
		const put = (point: SunspecPoint): MadeValue => {
			const { type, size, sf, name } = point;
			const count = counts.get(name);
			if (count !== undefined) countOf.set(name, count);
			if (count !== undefined) return { words: [count], expected: count };
			const factor = factors.get(name);
			if (type === 'sunssf') {
				const value = factor === 'absent' || factor === undefined ? null : factor;
				return { words: [(value ?? -32_768) & 0xffff], expected: value };
			}
			if (type === 'string') return madeText(size, draw);
			if (type === 'float32') return madeFloat(draw);
			if (type === 'eui48') return { words: [0, 0x0011, 0x2233, 0x4455], expected: '00:11:22:33:44:55' };
			const exponent = typeof sf === 'string' ? (factors.get(sf) ?? 'absent') : (sf ?? null);
			return madeNumber(point, exponent, draw);
		};
		for (const point of each.points ?? []) {
			const isHeader = path === '' && (point.name === 'ID' || point.name === 'L');
			const { words: made, expected } = put(point);
			if (!isHeader && point.type !== 'pad')
				values.push({ name: `${path}${point.name}`.toLowerCase(), offset: words.length, expected });
			if (!isHeader) words.push(...made);
		}
		for (const inner of each.groups ?? []) {
			const { count } = inner;
			const repeats = count === undefined ? 1 : count === 0 ? draw(4) : (countOf.get(String(count)) ?? 0);
			for (let number = 1; number <= repeats; number += 1)
				lay(inner, `${path}${inner.name}_${count === undefined ? '' : `${number}_`}`, factors);
		}
	}
	const countOf = new Map<string, number>();
	lay(group, '', new Map());
	return { id, words, values };
}
