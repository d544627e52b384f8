/** Scales and offsets in device manuals have a few decimals; one with more is a measured factor and needs no exact form. */
const MAX_DECIMALS = 12;

/** A raw whole number; `bigint` beyond 2^53. */
export type Integer = number | bigint;

/** A scale as whole numbers: value = (raw x numerator + addend) / 10^decimals. */
interface Fraction {
	readonly numerator: number;
	readonly addend: number;
	readonly decimals: number;
}

function fractionOf(scale: number, offset: number): Fraction | null {
	for (let decimals = 0; decimals <= MAX_DECIMALS; decimals++) {
		const denominator = 10 ** decimals;
		const numerator = Math.round(scale * denominator);
		const addend = Math.round(offset * denominator);
		if (!Number.isSafeInteger(numerator) || !Number.isSafeInteger(addend)) return null;
		if (numerator / denominator === scale && addend / denominator === offset) return { numerator, addend, decimals };
	}
	return null;
}

/** A whole number in its smallest form, so that one that fits is a plain number. */
export const slim = (value: bigint): Integer => {
	const number = Number(value);
	return Number.isSafeInteger(number) ? number : value;
};

/** For what plain numbers cannot hold: whole results stay exact, others are the nearest number to the true value. */
function exactly({ numerator, addend, decimals }: Fraction, raw: bigint): Integer {
	const product = raw * BigInt(numerator) + BigInt(addend);
	return decimals === 0 ? slim(product) : Number(`${product}e-${decimals}`);
}

/**
 * value = raw x scale + offset, without the noise of binary fractions: 2301 at scale 0.1 is 230.1, not 230.10000000000002.
 * With scale and offset as whole numbers over a power of ten, everything up to the one division is exact; a whole result beyond 2^53 is `bigint`.
 */
export function linearScale(scale: number, offset: number): (raw: Integer) => Integer {
	const fraction = fractionOf(scale, offset);
	if (fraction === null) return (raw) => Number(raw) * scale + offset;
	const { numerator, addend } = fraction;
	const denominator = 10 ** fraction.decimals;
	return (raw) => {
		if (typeof raw === 'bigint') return exactly(fraction, raw);
		const product = raw * numerator + addend;
		if (product <= Number.MAX_SAFE_INTEGER && product >= Number.MIN_SAFE_INTEGER) return product / denominator;
		return Number.isInteger(raw) ? exactly(fraction, BigInt(raw)) : product / denominator;
	};
}

/** `scale` x 10^exponent as the nearest number to it, so that 0.1 and -2 are 0.001. */
export function scaledByTens(scale: number, exponent: number): number {
	const [digits = '', tens = '0'] = scale.toExponential().split('e');
	return Number(`${digits}e${Number(tens) + exponent}`);
}

/** Rounds to a number of decimals, halves away from zero. What has no such decimals, or is exact already, stays. */
export function roundTo(decimals: number): (value: Integer) => Integer {
	const factor = 10 ** decimals;
	return (value) => {
		if (typeof value === 'bigint') return value;
		const shifted = Math.abs(value) * factor;
		if (!(shifted < Number.MAX_SAFE_INTEGER)) return value;
		const rounded = Math.round(shifted) / factor;
		return value < 0 ? -rounded : rounded;
	};
}

/** The whole raw number that is nearest to a value; `linearScale` of it tells whether it is the value. */
export const nearestRaw =
	(scale: number, offset: number) =>
	(value: number): number =>
		Math.round((value - offset) / scale);
