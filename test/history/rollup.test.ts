import test from 'ava';
import fc from 'fast-check';

import {
	EMPTY_ROLLUP,
	createRollupBuilder,
	increaseOf,
	mergeRollups,
	type Rollup,
	totalOf,
} from '../../core/history/rollup.ts';
import { decodePoint, encodePoint } from '../../core/history/rollup-codec.ts';
import type { CounterRule, Numeric } from '../../core/history/rollup-counter.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';

type Sample = readonly [at: number, value: SampleValue, quality: Quality];

const FLOAT_COUNTER: CounterRule = { isCounter: true, range: null };
const UINT16: CounterRule = { isCounter: true, range: { bottom: 0, top: 65_536 } };
const UINT64: CounterRule = { isCounter: true, range: { bottom: 0, top: 2n ** 64n } };

function rollupOf(samples: readonly Sample[], rule: CounterRule | null): Rollup {
	const builder = createRollupBuilder(rule);
	for (const sample of samples) builder.add(...sample);
	return builder.rollup() ?? EMPTY_ROLLUP;
}

/** The rest of a sum is told with half the digits. */
const comparable = (rollup: Rollup) => ({
	...rollup,
	numbers:
		rollup.numbers === null
			? null
			: { ...rollup.numbers, sum: Number(totalOf(rollup.numbers).toPrecision(14)), rest: 0 },
});

const anyValue = fc.oneof(
	{ weight: 4, arbitrary: fc.integer({ min: -5, max: 70_000 }) },
	{ weight: 2, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true, min: -1_000, max: 1_000 }) },
	fc.constantFrom(true, false, 'on', 'off', null, Number.NaN, { a: 1 }),
	fc.bigInt({ min: 2n ** 60n, max: 2n ** 64n }),
);
const anyQuality = fc.constantFrom<Quality>('good', 'good', 'good', 'good', 'comm_error', 'out_of_range');
const anySamples = fc
	.array(fc.tuple(fc.nat(3_600_000), anyValue, anyQuality), { maxLength: 40 })
	.map((samples): readonly Sample[] => samples.toSorted(([one], [other]) => one - other));
const anyRule = fc.constantFrom(null, FLOAT_COUNTER, UINT16, UINT64);

test('the merge of the parts is the rollup of the whole, however it is cut', (t) => {
	fc.assert(
		fc.property(anySamples, anyRule, fc.array(fc.nat(40), { maxLength: 4 }), (samples, rule, cuts) => {
			const edges = [0, ...cuts.map((cut) => Math.min(cut, samples.length)).toSorted((a, b) => a - b), samples.length];
			const parts = edges.slice(1).map((edge, index) => rollupOf(samples.slice(edges[index], edge), rule));
			const whole = comparable(rollupOf(samples, rule));
			const fromLeft = parts.reduce((one, other) => mergeRollups(one, other, rule), EMPTY_ROLLUP);
			const fromRight = parts.reduceRight((other, one) => mergeRollups(one, other, rule), EMPTY_ROLLUP);
			t.deepEqual(comparable(fromLeft), whole);
			t.deepEqual(comparable(fromRight), whole);
		}),
	);
});

test('what is written of rollups is read again', (t) => {
	fc.assert(
		fc.property(fc.array(anySamples, { maxLength: 24 }), anyRule, (slots, rule) => {
			const starts = slots.map((_, index) => index * 3_600_000);
			const rollups = slots.map((samples, index) => {
				const moved = samples.map(([at, value, quality]): Sample => [at + index * 3_600_000, value, quality]);
				return moved.length === 0 ? null : rollupOf(moved, rule);
			});
			t.deepEqual(decodePoint(encodePoint(rollups, starts), starts), rollups);
		}),
	);
});

test('a counter is read across rollovers, resets and replacements', (t) => {
	const big = 2n ** 64n;
	const cases: readonly (readonly [string, CounterRule, readonly Numeric[], Numeric, number])[] = [
		['grows', FLOAT_COUNTER, [10, 12.5, 20], 10, 0],
		['rolls over', UINT16, [65_000, 65_535, 0, 100], 636, 0],
		['rolls over beyond 2^53', UINT64, [big - 10n, 5n], 15, 0],
		['is reset', FLOAT_COUNTER, [1_000, 1_010, 0, 5], 15, 1],
		['of a day begins again', FLOAT_COUNTER, [12, 14, 0.05, 3], 5, 1],
		['is replaced by a used one', FLOAT_COUNTER, [1_000, 1_010, 400, 405], 15, 1],
		['steps back a little', FLOAT_COUNTER, [1_000, 1_000.5, 1_000.25, 1_001], 1, 0],
		['falls in the middle of its range', UINT16, [30_000, 100], 100, 1],
		['stays exact beyond 2^53', UINT64, [2n ** 60n, 2n ** 60n + 1n, 2n ** 61n + 3n], 2n ** 60n + 3n, 0],
	];
	for (const [name, rule, values, increase, resets] of cases) {
		const { numbers } = rollupOf(
			values.map((value, index): Sample => [index, value, 'good']),
			rule,
		);
		t.is(numbers === null ? null : increaseOf(numbers), increase, name);
		t.is(numbers?.turns?.resets, resets, name);
	}
	t.is(rollupOf([[0, 1, 'good']], null).numbers?.turns, null);
});

test('sums lose nothing, whatever is added', (t) => {
	const samples = Array.from({ length: 3_600 }, (_, index): Sample => [index, 0.1, 'good']);
	const { numbers } = rollupOf(samples, null);
	t.is(numbers === null ? null : totalOf(numbers), 360);
});

test('truths count what is true, texts what changes, and what is not good is only counted', (t) => {
	const samples: readonly Sample[] = [
		[1, true, 'good'],
		[2, false, 'good'],
		[3, true, 'good'],
		[4, true, 'comm_error'],
		[5, 'idle', 'good'],
		[6, 'idle', 'good'],
		[7, 'busy', 'good'],
		[8, null, 'good'],
		[9, { a: 1 }, 'good'],
	];
	t.deepEqual(rollupOf(samples, null), {
		bad: 2,
		other: 1,
		numbers: null,
		truths: { count: 3, trues: 2, firstAt: 1, first: true, lastAt: 3, last: true, changes: 2 },
		texts: { count: 3, firstAt: 5, first: 'idle', lastAt: 7, last: 'busy', changes: 1 },
	});
});
