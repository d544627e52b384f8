import type { Quality, SampleValue } from '../telemetry/reading.ts';
import { type CounterRule, minus, type Numeric, plus, turnOf } from './rollup-counter.ts';

/** What counter turns within a span add to the difference of its last and first value. */
export interface Turns {
	readonly correction: Numeric;
	/** How often the counter began again or was replaced. */
	readonly resets: number;
}

/** Good numbers of a point within a span. */
export interface NumberRollup {
	/** At least 1. */
	readonly count: number;
	readonly min: Numeric;
	readonly max: Numeric;
	readonly sum: number;
	/** What `sum` lacks for its rounding, so that sums of sums lose nothing. */
	readonly rest: number;
	/** Instant of the first one, ms since the Unix epoch. */
	readonly firstAt: number;
	readonly first: Numeric;
	readonly lastAt: number;
	readonly last: Numeric;
	/** `null` for points that are known to be no counters. */
	readonly turns: Turns | null;
}

/** Good values of one kind that can only be compared: truths or texts. */
export interface StateRollup<T> {
	/** At least 1. */
	readonly count: number;
	readonly firstAt: number;
	readonly first: T;
	readonly lastAt: number;
	readonly last: T;
	/** How often a value differs from the one before. */
	readonly changes: number;
}

export interface TruthRollup extends StateRollup<boolean> {
	readonly trues: number;
}

export type TextRollup = StateRollup<string>;

/** Everything kept of one point's samples within a span of time. A point has mostly values of one kind. */
export interface Rollup {
	/** Samples that are not good, have no value, or are no finite number. */
	readonly bad: number;
	/** Good structured values: counted only. */
	readonly other: number;
	readonly numbers: NumberRollup | null;
	readonly truths: TruthRollup | null;
	readonly texts: TextRollup | null;
}

export const EMPTY_ROLLUP: Rollup = { bad: 0, other: 0, numbers: null, truths: null, texts: null };

/** Good samples of all kinds. */
export const goodCount = ({ other, numbers, truths, texts }: Rollup): number =>
	other + (numbers?.count ?? 0) + (truths?.count ?? 0) + (texts?.count ?? 0);

/** `[sum, error of it]`: exact together, whatever the sizes of the two. */
function twoSum(one: number, other: number): readonly [number, number] {
	const sum = one + other;
	const part = sum - one;
	return [sum, one - (sum - part) + (other - part)];
}

function turnsBetween(one: NumberRollup, other: NumberRollup, rule: CounterRule | null): Turns | null {
	if (rule === null || one.turns === null || other.turns === null) return null;
	const { correction, isReset } = turnOf(one.last, other.first, rule);
	return {
		correction: plus(plus(one.turns.correction, correction), other.turns.correction),
		resets: one.turns.resets + other.turns.resets + (isReset ? 1 : 0),
	};
}

function mergeNumbers(one: NumberRollup, other: NumberRollup, rule: CounterRule | null): NumberRollup {
	const [sum, error] = twoSum(one.sum, other.sum);
	return {
		count: one.count + other.count,
		min: other.min < one.min ? other.min : one.min,
		max: other.max > one.max ? other.max : one.max,
		sum,
		rest: one.rest + other.rest + error,
		firstAt: one.firstAt,
		first: one.first,
		lastAt: other.lastAt,
		last: other.last,
		turns: turnsBetween(one, other, rule),
	};
}

const mergeStates = <T>(one: StateRollup<T>, other: StateRollup<T>): StateRollup<T> => ({
	count: one.count + other.count,
	firstAt: one.firstAt,
	first: one.first,
	lastAt: other.lastAt,
	last: other.last,
	changes: one.changes + other.changes + (one.last === other.first ? 0 : 1),
});

const mergeTruths = (one: TruthRollup, other: TruthRollup): TruthRollup => ({
	...mergeStates(one, other),
	trues: one.trues + other.trues,
});

const both = <T>(one: T | null, other: T | null, merge: (one: T, other: T) => T): T | null => {
	if (one === null) return other;
	return other === null ? one : merge(one, other);
};

/**
 * Of two spans that follow each other, `one` first. Associative: the merge of the parts is the rollup of the whole.
 * @param rule of the point; `null`: no counter
 */
export function mergeRollups(one: Rollup, other: Rollup, rule: CounterRule | null): Rollup {
	return {
		bad: one.bad + other.bad,
		other: one.other + other.other,
		numbers: both(one.numbers, other.numbers, (a, b) => mergeNumbers(a, b, rule)),
		truths: both(one.truths, other.truths, mergeTruths),
		texts: both(one.texts, other.texts, mergeStates),
	};
}

/** The sum of the numbers; not finite when it is beyond the range of a double. */
export const totalOf = ({ sum, rest }: Pick<NumberRollup, 'sum' | 'rest'>): number =>
	Number.isFinite(sum) ? sum + rest : sum;

/** What a counter counted from its first to its last value; `null` for no counter. */
export const increaseOf = ({ first, last, turns }: NumberRollup): Numeric | null =>
	turns === null ? null : plus(minus(last, first), turns.correction);

/** Longest text that is told from others and kept as a first or last value, characters; longer ones are cut. */
const MAX_TEXT_LENGTH = 256;

/**
 * What a counter counted in a span, from the last value before it on: the increases of spans that follow each other add up to the whole.
 * @param before the numbers before the span; `null` where there are none
 */
export function increaseAfter(
	before: NumberRollup | null,
	numbers: NumberRollup,
	rule: CounterRule | null,
): Numeric | null {
	const increase = increaseOf(numbers);
	if (increase === null || before === null || rule === null) return increase;
	const { correction } = turnOf(before.last, numbers.first, rule);
	return plus(increase, plus(minus(numbers.first, before.last), correction));
}

type Growing<T> = { -readonly [K in keyof T]: T[K] };

/** Collects the samples of one point, in order of time. */
export interface RollupBuilder {
	add(at: number, value: SampleValue, quality: Quality): void;
	/** `null` without any sample. The builder may not be used any more. */
	rollup(): Rollup | null;
}

/** HOT when an hour is summed up: no object for each sample. */
export function createRollupBuilder(rule: CounterRule | null): RollupBuilder {
	let bad = 0;
	let other = 0;
	let numbers: Growing<NumberRollup> | null = null;
	let truths: Growing<TruthRollup> | null = null;
	let texts: Growing<TextRollup> | null = null;
	let correction: Numeric = 0;
	let resets = 0;

	function addNumber(at: number, value: Numeric): void {
		if (numbers === null) {
			const sum = Number(value);
			numbers = {
				count: 1,
				min: value,
				max: value,
				sum,
				rest: 0,
				firstAt: at,
				first: value,
				lastAt: at,
				last: value,
				turns: null,
			};
			return;
		}
		if (rule !== null && value < numbers.last) {
			const turn = turnOf(numbers.last, value, rule);
			correction = plus(correction, turn.correction);
			if (turn.isReset) resets += 1;
		}
		numbers.count += 1;
		if (value < numbers.min) numbers.min = value;
		if (value > numbers.max) numbers.max = value;
		const before = numbers.sum;
		const number = Number(value);
		const sum = before + number;
		const part = sum - before;
		numbers.rest += before - (sum - part) + (number - part);
		numbers.sum = sum;
		numbers.lastAt = at;
		numbers.last = value;
	}

	function addTruth(at: number, value: boolean): void {
		const single = { count: 1, trues: value ? 1 : 0, firstAt: at, first: value, lastAt: at, last: value, changes: 0 };
		truths = truths === null ? single : mergeTruths(truths, single);
	}

	function addText(at: number, whole: string): void {
		const value = whole.slice(0, MAX_TEXT_LENGTH);
		const single = { count: 1, firstAt: at, first: value, lastAt: at, last: value, changes: 0 };
		texts = texts === null ? single : mergeStates(texts, single);
	}

	function addGood(at: number, value: SampleValue): void {
		// Adding zero makes a negative zero plain.
		if (typeof value === 'number') {
			if (Number.isFinite(value)) addNumber(at, value + 0);
			else bad += 1;
		} else if (typeof value === 'bigint') addNumber(at, value);
		else if (typeof value === 'boolean') addTruth(at, value);
		else if (typeof value === 'string') addText(at, value);
		else if (value === null) bad += 1;
		else other += 1;
	}

	return {
		add(at, value, quality) {
			if (quality === 'good') addGood(at, value);
			else bad += 1;
		},
		rollup() {
			if (bad === 0 && other === 0 && numbers === null && truths === null && texts === null) return null;
			if (numbers !== null) {
				// Half the digits of what a double could not hold are enough, and half the bytes.
				numbers.rest = Math.fround(numbers.rest);
				if (rule !== null) numbers.turns = { correction, resets };
			}
			return { bad, other, numbers, truths, texts };
		},
	};
}
