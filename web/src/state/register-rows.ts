import type { FoundRegistersView } from '../wire-field.ts';

/** What one or two registers could be. */
export interface Meaning {
	readonly type: string;
	/** Order of the bytes, e.g. `CDAB`. */
	readonly order: string;
	readonly value: number | string;
}

/** One address that answers; two where single registers are refused. */
export interface RegisterRow {
	/** As on the wire, from 0. */
	readonly address: number;
	/** Registers in hex, or one bit. */
	readonly words: readonly string[];
	readonly meanings: readonly Meaning[];
	readonly isZero: boolean;
}

/** Functions that read single bits. */
const BIT_FUNCTIONS: ReadonlySet<number> = new Set([1, 2]);
/** What devices measure lies between; anything else is most likely no float. */
const FLOAT_MIN = 1e-4;
const FLOAT_MAX = 1e8;
const PRINTABLE = /^[\u0020-\u007e]{2}$/;

const view = new DataView(new ArrayBuffer(4));

function floatOf(high: number, low: number): number | null {
	view.setUint16(0, high);
	view.setUint16(2, low);
	const value = view.getFloat32(0);
	const size = Math.abs(value);
	return size >= FLOAT_MIN && size <= FLOAT_MAX ? Number(value.toPrecision(7)) : null;
}

function singlesOf(word: number): readonly Meaning[] {
	const text = String.fromCodePoint(word >> 8, word & 0xff);
	return [
		{ type: 'uint16', order: 'AB', value: word },
		...(word >= 0x8000 ? [{ type: 'int16', order: 'AB', value: word - 0x1_0000 }] : []),
		...(PRINTABLE.test(text) ? [{ type: 'text', order: 'AB', value: text }] : []),
	];
}

function pairsOf(high: number, low: number): readonly Meaning[] {
	const long = high * 0x1_0000 + low;
	const floats = (
		[
			['ABCD', floatOf(high, low)],
			['CDAB', floatOf(low, high)],
		] as const
	).flatMap(([order, value]) => (value === null ? [] : [{ type: 'float32', order, value }]));
	return [...floats, ...(high > 0 && long <= FLOAT_MAX ? [{ type: 'uint32', order: 'ABCD', value: long }] : [])];
}

/** What the words from a place on could be; the next word only counts as far as it answered. */
function meaningsOf(word: number, next: number | undefined, arePairs: boolean): readonly Meaning[] {
	const pairs = next === undefined ? [] : pairsOf(word, next);
	return arePairs ? pairs : [...pairs, ...singlesOf(word)];
}

/** The addresses that answered, one after the other, with what they could be. */
export function registerRows(functionCode: number, found: FoundRegistersView): readonly RegisterRow[] {
	if (BIT_FUNCTIONS.has(functionCode))
		return found.answered.flatMap(({ first, data }) =>
			Array.from(data, (bit, k) => ({ address: first + k, words: [bit], meanings: [], isZero: bit === '0' })),
		);
	const step = found.pairs_only ? 2 : 1;
	return found.answered.flatMap(({ first, data }) => {
		const hex = data.match(/.{4}/g) ?? [];
		const words = hex.map((text) => Number.parseInt(text, 16));
		return Array.from({ length: Math.ceil(words.length / step) }, (_, row) => {
			const at = row * step;
			const own = words.slice(at, at + step);
			return {
				address: first + at,
				words: hex.slice(at, at + step).map((text) => text.toUpperCase()),
				meanings: meaningsOf(own[0] ?? 0, words[at + 1], found.pairs_only),
				isZero: own.every((word) => word === 0),
			};
		});
	});
}
