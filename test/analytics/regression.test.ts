import test from 'ava';
import fc from 'fast-check';

import type { TrendDirection } from '../../core/analytics/analytics.ts';
import { interval, intervalStart } from '../../core/analytics/interval.ts';
import { createIntervalMeans, MAX_MEANS } from '../../core/analytics/interval-means.ts';
import { createRegression } from '../../core/analytics/regression.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);

interface Sample {
	readonly at: number;
	readonly value: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The textbook's two passes. */
function reference(samples: readonly Sample[]) {
	const hours = samples.map(({ at }) => (at - NOW) / HOUR_MS);
	const values = samples.map(({ value }) => value);
	const meanH = sum(hours) / hours.length;
	const mean = sum(values) / values.length;
	const squaresH = sum(hours.map((hour) => (hour - meanH) ** 2));
	const products = sum(hours.map((hour, index) => (hour - meanH) * ((values[index] ?? 0) - mean)));
	return {
		mean,
		std: Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / values.length),
		slope: squaresH === 0 ? null : products / squaresH,
	};
}

const analysisOf = (samples: readonly Sample[]) => {
	const regression = createRegression();
	for (const { at, value } of samples) regression.add(at, value);
	return regression.analysis();
};

const isNear = (one: number | null, other: number | null, scale: number): boolean =>
	one === null || other === null ? one === other : Math.abs(one - other) <= 1e-9 * Math.max(1, scale);

const sample = fc.record({
	at: fc.integer({ min: 0, max: 7 * 24 * HOUR_MS }).map((ms) => NOW + ms),
	value: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
});

test('mean, deviation and slope are those of the textbook, in any order and far from zero', (t) => {
	fc.assert(
		fc.property(fc.array(sample, { minLength: 1, maxLength: 200 }), fc.constantFrom(0, 1e9), (samples, offset) => {
			const shifted = samples.map(({ at, value }) => ({ at, value: value + offset }));
			const { count, mean, std, slope, min, max } = analysisOf(shifted);
			const expected = reference(samples);
			const values = shifted.map(({ value }) => value);
			t.is(count, samples.length);
			t.is(min, Math.min(...values));
			t.is(max, Math.max(...values));
			t.true(isNear(mean, expected.mean + offset, 1e6 + offset));
			t.true(isNear(std, expected.std, 1e6 + offset));
			const hours = samples.map(({ at }) => (at - NOW) / HOUR_MS);
			const spread = Math.max(...hours) - Math.min(...hours);
			t.true(
				spread < 1e-3 || isNear(slope, expected.slope, (1e6 + offset) / spread / 1e-3),
				`${slope} ${expected.slope}`,
			);
		}),
	);
});

test('a straight line has its slope per hour and its direction, whatever instant it begins at', (t) => {
	const cases: readonly (readonly [number, TrendDirection])[] = [
		[2.5, 'increasing'],
		[-0.0101, 'decreasing'],
		[0.0101, 'increasing'],
		[0.0099, 'stable'],
		[-0.0023, 'stable'],
		[0, 'stable'],
	];
	for (const [perHour, direction] of cases) {
		const samples = Array.from({ length: 720 }, (_, index) => ({
			at: NOW + index * 60_000,
			value: 20 + (perHour * index) / 60,
		}));
		const { slope, trend } = analysisOf(samples);
		t.true(Math.abs((slope ?? 99) - perHour) < 1e-9, String(slope));
		t.is(trend, direction);
	}
});

test('too few samples have no slope, and none have nothing', (t) => {
	t.deepEqual(analysisOf([]), { count: 0, mean: null, std: null, min: null, max: null, slope: null, trend: null });
	t.deepEqual(analysisOf([{ at: NOW, value: 5 }]), {
		count: 1,
		mean: 5,
		std: 0,
		min: 5,
		max: 5,
		slope: null,
		trend: null,
	});
	t.like(analysisOf([1, 2].map((value) => ({ at: NOW, value }))), {
		count: 2,
		mean: 1.5,
		std: 0.5,
		slope: null,
		trend: null,
	});
});

test('intervals are aligned to UTC, weeks to Mondays', (t) => {
	const at = Date.parse('2025-03-30T01:59:59.999Z');
	const cases: readonly (readonly [string, string])[] = [
		['15m', '2025-03-30T01:45:00.000Z'],
		['1h', '2025-03-30T01:00:00.000Z'],
		['1d', '2025-03-30T00:00:00.000Z'],
		['1w', '2025-03-24T00:00:00.000Z'],
		['10s', '2025-03-30T01:59:50.000Z'],
	];
	for (const [text, start] of cases) t.is(new Date(intervalStart(interval(text), at)).toISOString(), start, text);
	t.is(new Date(intervalStart(interval('1w'), -1)).getUTCDay(), 1);
	for (const text of ['0h', '10000h', '1y', 'h', '', '1.5h'])
		t.throws(() => interval(text), { instanceOf: RangeError });
});

test('means per interval are those of the samples in it', (t) => {
	fc.assert(
		fc.property(
			fc.array(
				fc.record({
					at: fc.integer({ min: 0, max: 100_000_000 }),
					metric: fc.constantFrom('a', 'b'),
					value: fc.integer({ min: -1_000, max: 1_000 }),
				}),
				{ maxLength: 100 },
			),
			fc.constantFrom('1h', '7m', '1d', '1w', '90s'),
			(samples, text) => {
				const step = interval(text);
				const means = createIntervalMeans(step);
				const sorted = samples.toSorted((one, other) => one.at - other.at);
				for (const { at, metric, value } of sorted) means.add(at, metric, value);
				const { records, metrics } = means.series();
				const starts = [...new Set(sorted.map(({ at }) => intervalStart(step, at)))];
				t.deepEqual(
					records.map(({ at }) => Number(at)),
					starts,
				);
				t.deepEqual(metrics, [...new Set(samples.map(({ metric }) => metric))].toSorted());
				for (const { at, means: found } of records) {
					for (const metric of metrics) {
						const inside = sorted.filter((one) => one.metric === metric && one.at >= at && one.at < at + step.stepMs);
						const expected = inside.length === 0 ? undefined : sum(inside.map(({ value }) => value)) / inside.length;
						const mean = found.get(metric);
						t.true(mean === expected || Math.abs((mean ?? 0) - (expected ?? 1e9)) < 1e-9);
					}
				}
			},
		),
	);
});

test('an answer without end is refused', (t) => {
	const means = createIntervalMeans(interval('1h'));
	for (let index = 0; index < MAX_MEANS; index += 1) means.add(0, `m${index}`, 1);
	t.throws(() => means.add(0, 'one more', 1), { message: /more than 200000 numbers/ });
});
