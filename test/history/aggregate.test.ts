import test from 'ava';
import fc from 'fast-check';

import { bucketEdges } from '../../core/history/aggregate-calendar.ts';
import { createRollupBuilder, type Rollup, totalOf } from '../../core/history/rollup.ts';
import type { Quality, Reading, SampleValue } from '../../core/telemetry/reading.ts';
import { rollupBox } from '../fake/rollup-box.ts';
import { createNamedReadings, deviceOf } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.UTC(2026, 0, 1);
const FROM = NOW - 40 * DAY_MS;
const DEVICE = deviceOf(1);

const named = createNamedReadings();
const reading = (readAt: number, values: Readonly<Record<string, SampleValue>>, quality?: Quality): Reading =>
	named(DEVICE, readAt, values, quality);

const isWanted = () => true;
const COUNTER = { isCounter: true, range: { bottom: 0, top: 65_536 } };

/** The same from every sample. */
function bruteForce(readings: readonly Reading[], points: readonly string[], edges: readonly number[]) {
	return edges.slice(1).map((to, index) => {
		const from = edges[index] ?? to;
		const within = readings.filter((each) => each.readAt >= from && each.readAt < to);
		const found = new Map<string, Rollup>();
		for (const point of points) {
			const builder = createRollupBuilder(point === 'energy' ? COUNTER : null);
			for (const { readAt, points: names, values, qualities } of within) {
				const at = names.indexOf(point);
				if (at >= 0) builder.add(readAt, values[at] ?? null, qualities?.[at] ?? 'good');
			}
			const rollup = builder.rollup();
			if (rollup !== null) found.set(point, rollup);
		}
		return found;
	});
}

const comparable = (buckets: readonly ReadonlyMap<string, Rollup>[]) =>
	buckets.map((bucket) =>
		[...bucket]
			.toSorted(([one], [other]) => (one < other ? -1 : 1))
			.map(([point, rollup]) => {
				const { numbers } = rollup;
				const sum = numbers === null ? null : Number(totalOf(numbers).toPrecision(13));
				return [point, { ...rollup, numbers: numbers === null ? null : { ...numbers, sum, rest: 0 } }];
			}),
	);

const anyZone = fc.constantFrom('UTC', 'Europe/Istanbul', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Havana');
const anyBucket = fc.constantFrom('15m', '1h', '7h', '1d', '1w', '1M');
/** Stretches of samples: some dense, some sparse. */
const anyStretch = fc.record({
	startMs: fc.integer({ min: FROM, max: NOW - 3 * HOUR_MS }),
	stepMs: fc.constantFrom(1_000, 20_000, 300_000, 3_000_000),
	count: fc.integer({ min: 1, max: 120 }),
	first: fc.integer({ min: 0, max: 65_000 }),
	isLate: fc.boolean(),
	quality: fc.constantFrom<Quality>('good', 'good', 'good', 'stale'),
});
type Stretch = typeof anyStretch extends fc.Arbitrary<infer T> ? T : never;

const readingsOf = ({ startMs, stepMs, count, first, quality }: Stretch): readonly Reading[] =>
	Array.from({ length: count }, (_, index) =>
		reading(
			startMs + index * stepMs,
			{
				energy: (first + index * 7) % 65_536,
				power: Math.fround(Math.sin(first + index) * 100),
				state: index % 3 === 0,
				...(index % 5 === 0 ? { mode: index % 2 === 0 ? 'eco' : 'boost' } : {}),
			},
			quality,
		),
	);

test('an aggregate equals brute force over the samples, for all data, zones and buckets, late data included', async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(anyStretch, { minLength: 1, maxLength: 8 }),
			anyZone,
			anyBucket,
			fc.integer({ min: FROM - DAY_MS, max: NOW - DAY_MS }),
			fc.integer({ min: HOUR_MS, max: 41 * DAY_MS }),
			fc.constantFrom(['energy', 'power'], ['power'], ['mode', 'state', 'absent'], null),
			async (stretches, timeZone, bucket, from, spanMs, points) => {
				const box = await rollupBox();
				for (const stretch of stretches.filter(({ isLate }) => !isLate)) box.history.accept(readingsOf(stretch));
				await box.settle();
				const late = stretches.filter(({ isLate }) => isLate).map(readingsOf);
				for (const readings of late.slice(0, 1)) box.history.accept(readings);
				await box.settle();
				// Sealed, and not summed up yet; and not even sealed.
				for (const readings of late.slice(1, 2)) box.history.accept(readings);
				await box.history.seal(box.rollups.watcher);
				for (const readings of late.slice(2)) box.history.accept(readings);
				const edges = bucketEdges({ from, to: from + spanMs, bucket, timeZone, maxBuckets: 10_000 });
				const wanted = points === null ? null : new Set(points);
				const { buckets, isExact } = await box.running.aggregate({ device: DEVICE, points: wanted, edges, isWanted });
				t.true(isExact);
				const names = points ?? ['energy', 'power', 'state', 'mode'];
				t.deepEqual(comparable(buckets), comparable(bruteForce(box.history.readings, names, edges)));
				await box.rollups.stop();
			},
		),
		{ numRuns: 60 },
	);
});

const everySecond = (from: number, seconds: number): readonly Reading[] =>
	Array.from({ length: seconds }, (_, index) => reading(from + index * 1_000, { energy: index, power: index % 10 }));

test('what is summed up is not read again, but for the minutes at the edges', async (t) => {
	const box = await rollupBox();
	const dayMs = FROM - (FROM % DAY_MS);
	for (let hour = 0; hour < 24; hour += 1) box.history.accept(everySecond(dayMs + hour * HOUR_MS, 600));
	await box.settle();
	const before = box.history.read();
	const ask = (from: number, to: number, step: number) => {
		const edges = Array.from({ length: Math.ceil((to - from) / step) + 1 }, (_, index) =>
			Math.min(to, from + index * step),
		);
		return box.running.aggregate({ device: DEVICE, points: new Set(['energy']), edges, isWanted });
	};
	await ask(dayMs, dayMs + DAY_MS, DAY_MS);
	await ask(dayMs, dayMs + DAY_MS, HOUR_MS);
	await ask(dayMs, dayMs + DAY_MS, HOUR_MS / 4);
	t.is(box.history.read(), before);
	const { buckets } = await ask(dayMs + 30_000, dayMs + DAY_MS, DAY_MS);
	t.is(box.history.read(), before + 30);
	t.is(buckets[0]?.get('energy')?.numbers?.count, 24 * 600 - 30);
	await box.rollups.stop();
});

test('a question that would read too much, or that nobody waits for, ends', async (t) => {
	const box = await rollupBox();
	box.history.accept(everySecond(NOW - HOUR_MS, 600));
	const query = { device: DEVICE, points: null, edges: [NOW - HOUR_MS, NOW] };
	await t.throwsAsync(box.running.aggregate({ ...query, isWanted, limits: { values: 100 } }), {
		message: /100 values/,
	});
	await t.throwsAsync(box.running.aggregate({ ...query, isWanted: () => false }), { message: /nobody waits/ });
	await box.rollups.stop();
});

test('where samples and minutes are gone, an hour counts once and the answer says that it is not exact', async (t) => {
	const box = await rollupBox({ minuteDays: 1 });
	const dayMs = FROM - (FROM % DAY_MS);
	box.history.accept(everySecond(dayMs, 3_600));
	box.history.accept(everySecond(NOW - 2 * HOUR_MS, 600));
	await box.settle();
	await box.running.run();
	box.history.drop(NOW - DAY_MS);
	box.state.rawFrom = NOW - DAY_MS;
	const edges = [dayMs, dayMs + HOUR_MS / 2, dayMs + HOUR_MS];
	const { buckets, isExact } = await box.running.aggregate({ device: DEVICE, points: null, edges, isWanted });
	t.false(isExact);
	t.deepEqual(
		buckets.map((bucket) => bucket.get('power')?.numbers?.count),
		[3_600, undefined],
	);
	await box.rollups.stop();
});
