import type { JsonValue } from '../telemetry/reading.ts';
import { goodCount, increaseAfter, type NumberRollup, type Rollup, totalOf } from './rollup.ts';
import type { CounterRule, Numeric } from './rollup-counter.ts';

/** What can be asked of a bucket. */
export const AGGREGATE_FUNCTIONS = [
	'count',
	'bad',
	'min',
	'max',
	'mean',
	'sum',
	'first',
	'last',
	'increase',
	'resets',
	'changes',
] as const;
export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number];

interface Context {
	/** The numbers before this bucket; `null` where there are none. */
	readonly before: NumberRollup | null;
	readonly rule: CounterRule | null;
}

/** Whole numbers beyond 2^53 are decimal text; what is no number that JSON knows is `null`. */
function toJson(value: Numeric | null | undefined): JsonValue {
	if (typeof value === 'bigint') return value.toString();
	return value === null || value === undefined || !Number.isFinite(value) ? null : value;
}

/** Numbers of a bucket: those of the point, or truths as 0 and 1. */
const functions: Readonly<Record<AggregateFunction, (rollup: Rollup, context: Context) => JsonValue>> = {
	count: goodCount,
	bad: ({ bad }) => bad,
	min: ({ numbers, truths }) =>
		toJson(numbers?.min ?? (truths === null ? null : truths.trues === truths.count ? 1 : 0)),
	max: ({ numbers, truths }) => toJson(numbers?.max ?? (truths === null ? null : truths.trues > 0 ? 1 : 0)),
	mean({ numbers, truths }) {
		if (numbers !== null) return toJson(totalOf(numbers) / numbers.count);
		return truths === null ? null : truths.trues / truths.count;
	},
	sum: ({ numbers, truths }) => toJson(numbers === null ? truths?.trues : totalOf(numbers)),
	first: ({ numbers, truths, texts }) =>
		numbers === null ? (truths?.first ?? texts?.first ?? null) : toJson(numbers.first),
	last: ({ numbers, truths, texts }) =>
		numbers === null ? (truths?.last ?? texts?.last ?? null) : toJson(numbers.last),
	increase: ({ numbers }, { before, rule }) => (numbers === null ? null : toJson(increaseAfter(before, numbers, rule))),
	resets: ({ numbers }) => numbers?.turns?.resets ?? null,
	changes: ({ truths, texts }) => truths?.changes ?? texts?.changes ?? null,
};

/** Answers by function, one for each bucket; of a bucket without samples 0 or `null`. */
export type AggregateColumns = Readonly<Partial<Record<AggregateFunction, readonly JsonValue[]>>>;

/**
 * The columns of one point.
 * @param buckets in order of time; `before` is the one before them
 */
export function columnsOf(
	buckets: readonly (Rollup | null)[],
	before: Rollup | null,
	names: readonly AggregateFunction[],
	rule: CounterRule | null,
): AggregateColumns {
	let last = before?.numbers ?? null;
	const contexts = buckets.map((bucket): Context => {
		const context = { before: last, rule };
		last = bucket?.numbers ?? last;
		return context;
	});
	return Object.fromEntries(
		names.map((name) => [
			name,
			buckets.map((bucket, index) => {
				const context = contexts[index];
				if (bucket === null || context === undefined) return name === 'count' || name === 'bad' ? 0 : null;
				return functions[name](bucket, context);
			}),
		]),
	);
}
