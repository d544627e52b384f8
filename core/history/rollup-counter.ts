/** A number of a sample. Whole numbers beyond 2^53 are `bigint` and stay exact. */
export type Numeric = number | bigint;

/** What a point's register can hold, after scaling; the value after `top` is `bottom`. */
export interface CounterRange {
	readonly bottom: Numeric;
	/** One more than the greatest value. */
	readonly top: Numeric;
}

/** How the increase of a point is read. */
export interface CounterRule {
	/** The device's template says that it is a counter; false where nothing is known of the point. */
	readonly isCounter: boolean;
	/** `null`: not known, as for floats. */
	readonly range: CounterRange | null;
}

/** A counter that falls by less than this share only steps back: rounding, or a correction by the device. */
const STEP_BACK_SHARE = 0.1;
/** A counter that falls to less than this share of what it was has begun again at zero; to more, it is another one. */
const RESET_SHARE = 0.01;
/** Parts of the range at its ends within which a fall is a rollover. */
const ROLLOVER_PARTS = 8;

const isWhole = (value: Numeric): boolean => typeof value === 'bigint' || Number.isSafeInteger(value);

/** As a number when that is exact. */
const slim = (value: bigint): Numeric => {
	const number = Number(value);
	return Number.isSafeInteger(number) ? number : value;
};

/** The sum of two numbers; exact when both are whole. */
export function plus(one: Numeric, other: Numeric): Numeric {
	if (typeof one === 'number' && typeof other === 'number') {
		const sum = one + other;
		if (Number.isSafeInteger(sum) || !isWhole(one) || !isWhole(other)) return sum;
	}
	return isWhole(one) && isWhole(other) ? slim(BigInt(one) + BigInt(other)) : Number(one) + Number(other);
}

/** The difference of two numbers; exact when both are whole. */
export const minus = (one: Numeric, other: Numeric): Numeric => plus(one, -other);

/** What a turn of a counter adds to the plain difference of its values, and whether it has begun again. */
export interface Turn {
	readonly correction: Numeric;
	readonly isReset: boolean;
}

const NO_TURN: Turn = { correction: 0, isReset: false };

function isRollover({ bottom, top }: CounterRange, from: Numeric, to: Numeric): boolean {
	const edge = Number(minus(top, bottom)) / ROLLOVER_PARTS;
	return Number(minus(top, from)) <= edge && Number(minus(to, bottom)) <= edge;
}

/**
 * What happened between two successive values. The increase is `to - from + correction`:
 * across a rollover the range is added; a counter that begins again at zero has counted `to`; of another counter in its place nothing is known,
 * so nothing is counted; a small step back counts as it is.
 */
export function turnOf(from: Numeric, to: Numeric, { range }: CounterRule): Turn {
	if (to >= from) return NO_TURN;
	if (range !== null && isRollover(range, from, to))
		return { correction: minus(range.top, range.bottom), isReset: false };
	const was = Number(from);
	const is = Number(to);
	if (was <= 0 || is >= was * (1 - STEP_BACK_SHARE)) return NO_TURN;
	const isFromZero = is >= 0 && is <= was * RESET_SHARE;
	return { correction: isFromZero ? from : minus(from, to), isReset: true };
}
