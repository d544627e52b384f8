import test from 'ava';
import fc from 'fast-check';

import { bucketEdges } from '../../core/history/aggregate-calendar.ts';
import { isTimeZone } from '../../core/history/aggregate-zone.ts';

const HOUR_MS = 3_600_000;

const edgesOf = (bucket: string, timeZone: string, from: string, to: string): readonly number[] =>
	bucketEdges({ bucket, timeZone, from: Date.parse(from), to: Date.parse(to), maxBuckets: 10_000 });

const hoursOf = (edges: readonly number[]): readonly number[] =>
	edges.slice(1).map((edge, index) => (edge - (edges[index] ?? 0)) / HOUR_MS);

const iso = (edges: readonly number[]): readonly string[] => edges.map((edge) => new Date(edge).toISOString());

test('days have as many hours as the clocks of their zone show', (t) => {
	const cases: readonly (readonly [string, string, string, readonly number[]])[] = [
		['Europe/Berlin', '2026-03-27T23:00Z', '2026-03-30T22:00Z', [24, 23, 24]],
		['Europe/Berlin', '2026-10-23T22:00Z', '2026-10-26T23:00Z', [24, 25, 24]],
		['Europe/Istanbul', '2026-03-27T21:00Z', '2026-03-30T21:00Z', [24, 24, 24]],
		['Asia/Kolkata', '2026-01-01T18:30Z', '2026-01-03T18:30Z', [24, 24]],
		['Australia/Lord_Howe', '2026-04-03T13:00Z', '2026-04-05T13:30Z', [24, 24.5]],
		['Australia/Lord_Howe', '2026-10-02T13:30Z', '2026-10-04T13:00Z', [24, 23.5]],
		// Clocks are set at midnight: forwards to 01:00, back to 23:00.
		['Asia/Beirut', '2026-03-27T22:00Z', '2026-03-29T21:00Z', [24, 23]],
		['America/Havana', '2026-10-31T04:00Z', '2026-11-02T05:00Z', [24, 25]],
		// A whole day that never was.
		['Pacific/Apia', '2011-12-28T10:00Z', '2011-12-31T10:00Z', [24, 24, 24]],
		['UTC', '2026-03-28T00:00Z', '2026-03-30T00:00Z', [24, 24]],
	];
	for (const [zone, from, to, hours] of cases)
		t.deepEqual(hoursOf(edgesOf('1d', zone, from, to)), hours, `${zone} ${from}`);
});

test('hours begin with the clock on the wall, and the hour that it shows twice is two', (t) => {
	t.deepEqual(hoursOf(edgesOf('1h', 'Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z')), Array(25).fill(1));
	t.deepEqual(iso(edgesOf('1h', 'Asia/Kolkata', '2026-01-01T00:00Z', '2026-01-01T02:00Z')), [
		'2026-01-01T00:00:00.000Z',
		'2026-01-01T00:30:00.000Z',
		'2026-01-01T01:30:00.000Z',
		'2026-01-01T02:00:00.000Z',
	]);
	t.deepEqual(
		hoursOf(edgesOf('1h', 'Australia/Lord_Howe', '2026-04-04T13:00Z', '2026-04-04T17:00Z')),
		[1, 1, 0.5, 1, 0.5].slice(0, 5),
	);
	t.is(edgesOf('15m', 'Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z').length, 101);
	t.deepEqual(hoursOf(edgesOf('6h', 'Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z')), [7, 6, 6, 6]);
});

test('weeks begin on Mondays, months and years on their first', (t) => {
	t.deepEqual(iso(edgesOf('1w', 'UTC', '2026-11-20', '2026-12-01')), [
		'2026-11-20T00:00:00.000Z',
		'2026-11-23T00:00:00.000Z',
		'2026-11-30T00:00:00.000Z',
		'2026-12-01T00:00:00.000Z',
	]);
	t.deepEqual(iso(edgesOf('1M', 'Europe/Berlin', '2026-01-31T23:00Z', '2026-04-30T22:00Z')), [
		'2026-01-31T23:00:00.000Z',
		'2026-02-28T23:00:00.000Z',
		'2026-03-31T22:00:00.000Z',
		'2026-04-30T22:00:00.000Z',
	]);
	t.deepEqual(iso(edgesOf('1y', 'UTC', '2023-06-01', '2025-02-01')), [
		'2023-06-01T00:00:00.000Z',
		'2024-01-01T00:00:00.000Z',
		'2025-01-01T00:00:00.000Z',
		'2025-02-01T00:00:00.000Z',
	]);
	t.is(edgesOf('3M', 'UTC', '2026-01-01', '2027-01-01').length, 5);
});

test('edges ascend from the first instant to the last, in every zone', (t) => {
	const zones = [
		'Europe/Istanbul',
		'Australia/Lord_Howe',
		'Asia/Kathmandu',
		'America/Havana',
		'Africa/Casablanca',
		'UTC',
	];
	const anyInstant = fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2040, 0) });
	fc.assert(
		fc.property(
			fc.constantFrom(...zones),
			fc.constantFrom('15m', '1h', '6h', '1d', '2d', '1w', '1M', '3M', '1y'),
			anyInstant,
			fc.integer({ min: 1, max: 90 * 24 * HOUR_MS }),
			(timeZone, bucket, from, spanMs) => {
				const edges = bucketEdges({ bucket, timeZone, from, to: from + spanMs, maxBuckets: 10_000 });
				t.is(edges[0], from);
				t.is(edges.at(-1), from + spanMs);
				t.true(edges.every((edge, index) => index === 0 || edge > (edges[index - 1] ?? edge)));
			},
		),
		{ numRuns: 60 },
	);
});

test('too many buckets, and zones that are none, are refused', (t) => {
	const request = { from: 0, to: 11_000_000, bucket: '1s', timeZone: 'UTC', maxBuckets: 10_000 };
	t.throws(() => bucketEdges(request), { message: /more than 10000 buckets/ });
	t.is(bucketEdges({ ...request, to: 10_000_000 }).length, 10_001);
	t.true(isTimeZone('Europe/Istanbul'));
	for (const zone of ['Mars/Olympus', '', 'Europe/Istanbul; x']) t.false(isTimeZone(zone), zone);
});
