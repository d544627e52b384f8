import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { intervalAggregates } from '../../core/analytics/interval-aggregates.ts';
import { createIntervalMeans } from '../../core/analytics/interval-means.ts';
import { interval } from '../../core/analytics/interval.ts';
import { eachNumber } from '../../core/analytics/reading-scan.ts';
import { aggregateRoutes } from '../../core/history/aggregate-routes.ts';
import { aggregateAnswer } from '../../core/history/aggregate-schema.ts';
import { counterRules } from '../../core/history/rollup-rule.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import type { Quality } from '../../core/telemetry/reading.ts';
import { createSeriesBuilder } from '../../core/telemetry/series.ts';
import { createSeriesSource } from '../../core/telemetry/series-source.ts';
import { pointFacts } from '../../config/template/point-facts.ts';
import type { TemplatePoint } from '../../config/template/template.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { deviceBox, rtuConnection } from '../fake/device-box.ts';
import { rollupBox } from '../fake/rollup-box.ts';
import { createNamedReadings, deviceOf } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2025, 11, 1);

const reading = createNamedReadings();

async function routes(t: ExecutionContext) {
	const box = await deviceBox();
	const sums = await rollupBox();
	const meter = await box.devices.register({
		uid: deviceUid('meter-1'),
		name: 'Main',
		deviceType: 'meter',
		connection: rtuConnection('/dev/ttyUSB0'),
	});
	const server = await bareServer(aggregateRoutes, {
		devices: box.devices,
		aggregate: sums.running.aggregate,
		ruleOf: (_device: string, point: string) => (point === 'energy' ? { isCounter: true, range: null } : null),
		clock: sums.manual.clock,
	});
	t.teardown(async () => {
		await sums.running.stop();
		await sums.rollups.stop();
		await box.close();
	});
	const get = async (query: string, role: Parameters<typeof bearer>[0] | null = 'viewer') => {
		const headers = role === null ? {} : bearer(role);
		const answer = await server.inject({ url: `/devices/meter-1/aggregate?${query}`, headers });
		const body: Readonly<Record<string, unknown>> = Object(answer.result);
		return { status: answer.statusCode, body, text: answer.payload };
	};
	return { sums, meter, get };
}

test('buckets are answered as columns, days as the clocks of the zone show them', async (t) => {
	const { sums, meter, get } = await routes(t);
	for (let hour = 0; hour < 72; hour += 1)
		sums.history.accept([
			reading(meter.id, START + hour * HOUR_MS, {
				energy: hour * 10,
				power: hour % 2,
				on: hour % 4 === 0,
				mode: `m${hour % 3}`,
			}),
		]);
	await sums.settle();
	const { status, body } = await get(
		'points=energy,power,on,mode,none&from=2025-12-01T21:00:00Z&to=2025-12-03T21:00:00Z&bucket=1d&tz=Europe/Istanbul&functions=count,mean,first,last,increase,changes',
	);
	t.is(status, 200);
	t.is(aggregateAnswer.validate(body).error, undefined);
	t.deepEqual(body, {
		device_id: meter.id,
		device_uid: 'meter-1',
		from: '2025-12-01T21:00:00.000Z',
		to: '2025-12-03T21:00:00.000Z',
		bucket: '1d',
		tz: 'Europe/Istanbul',
		exact: true,
		starts: ['2025-12-01T21:00:00.000Z', '2025-12-02T21:00:00.000Z'],
		points: {
			energy: {
				count: [24, 24],
				mean: [325, 565],
				first: [210, 450],
				last: [440, 680],
				// From the last value of the bucket before on: the increases add up.
				increase: [240, 240],
				changes: [null, null],
			},
			power: {
				count: [24, 24],
				mean: [0.5, 0.5],
				first: [1, 1],
				last: [0, 0],
				increase: [null, null],
				changes: [null, null],
			},
			on: {
				count: [24, 24],
				mean: [0.25, 0.25],
				first: [false, false],
				last: [true, true],
				increase: [null, null],
				changes: [11, 11],
			},
			mode: {
				count: [24, 24],
				mean: [null, null],
				first: ['m0', 'm0'],
				last: ['m2', 'm2'],
				increase: [null, null],
				changes: [23, 23],
			},
			none: {
				count: [0, 0],
				mean: [null, null],
				first: [null, null],
				last: [null, null],
				increase: [null, null],
				changes: [null, null],
			},
		},
	});
});

test('a question that is wrong names its field, and nobody asks without being allowed', async (t) => {
	const { get } = await routes(t);
	const bad: readonly (readonly [string, RegExp])[] = [
		['bucket=1h', /points/],
		['points=a&bucket=1x', /bucket/],
		['points=a&bucket=0d', /bucket/],
		['points=a&tz=Mars/Olympus', /tz/],
		['points=a&functions=median', /functions/],
		['points=a&from=2025-12-01&to=2025-11-01', /to: must be later/],
		['points=a&from=1980-01-01&to=2025-11-01&bucket=1y', /40 years/],
		['points=a&from=2025-01-01&to=2025-12-01&bucket=1m', /bucket.*more than 10000 buckets/],
		['points=a,b,c,d,e,f,g&from=2025-01-01&to=2025-12-01&bucket=1h', /bucket.*50000 entries/],
		[`points=${Array.from({ length: 21 }, (_, index) => `p${index}`).join()}`, /1 to 20 names/],
	];
	for (const [query, sentence] of bad) {
		const { status, text } = await get(query);
		t.is(status, 422, text);
		t.regex(text, sentence);
	}
	t.is((await get('points=a', null)).status, 401);
	t.is((await get('points=a')).status, 200);
});

test('a template tells which points are counters, and where they roll over', (t) => {
	const point = { key: 'x', unit: '', kind: 'counter', type: 'uint32', scale: 1, offset: 0 } as const;
	const rangeOf = (more: object) => {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is read of a template is there
		const known = { ...point, ...more } as unknown as TemplatePoint;
		return counterRules({
			devices: { find: () => ({ connection: rtuConnection('/dev/ttyUSB0') }) },
			pointFactsOf: (_connection, key) => (key === known.key ? pointFacts(known) : null),
		})(deviceOf(1), 'x');
	};
	t.deepEqual(rangeOf({}), { isCounter: true, range: { bottom: 0n, top: 2n ** 32n } });
	t.deepEqual(rangeOf({ scale: 0.1, type: 'uint16' }), { isCounter: true, range: { bottom: 0, top: 6_553.6 } });
	t.deepEqual(rangeOf({ type: 'int16' }), { isCounter: true, range: { bottom: -32_768n, top: 32_768n } });
	t.deepEqual(rangeOf({ type: 'float32' }), { isCounter: true, range: null });
	t.is(rangeOf({ kind: 'measurement' }), null);
	t.deepEqual(rangeOf({ key: 'y' }), { isCounter: false, range: null });
});

test('means per interval are the same from aggregates as from every sample', async (t) => {
	const anyRow = fc.record({
		at: fc.integer({ min: START, max: START + 3 * DAY_MS }),
		a: fc.oneof(
			fc.float({ noNaN: true, noDefaultInfinity: true, min: -1_000, max: 1_000 }),
			fc.constantFrom(null, true, 'x', Number.NaN),
		),
		b: fc.integer({ min: -50, max: 50 }),
		quality: fc.constantFrom<Quality>('good', 'good', 'stale'),
	});
	await fc.assert(
		fc.asyncProperty(
			fc.array(anyRow, { maxLength: 60 }),
			fc.constantFrom('1m', '7m', '1h', '1d', '1w'),
			fc.integer({ min: 0, max: DAY_MS }),
			async (rows, text, later) => {
				const box = await rollupBox();
				const device = deviceOf(1);
				box.history.accept(rows.map(({ at, a, b, quality }) => reading(device, at, { a, b }, quality)));
				await box.settle();
				const span = { from: epochMs(START + later), to: epochMs(START + 2 * DAY_MS + later) };
				const means = createIntervalMeans(interval(text));
				for (const each of box.history.readings)
					if (each.readAt >= span.from && each.readAt < span.to) eachNumber(each, (...sample) => means.add(...sample));
				const rounded = ({ metrics, records }: ReturnType<typeof means.series>) => ({
					metrics,
					records: records.map((record) => ({
						at: record.at,
						means: metrics.map((name) => Number(record.means.get(name)?.toPrecision(12) ?? Number.NaN) + 0),
					})),
				});
				const query = { device, ...span, interval: interval(text), isWanted: () => true };
				t.deepEqual(rounded(await intervalAggregates(box.running.aggregate, query)), rounded(means.series()));
				await box.rollups.stop();
			},
		),
		{ numRuns: 40 },
	);
});

test('a long chart is drawn from rollups, with every peak, and with its gaps', async (t) => {
	const box = await rollupBox();
	const device = deviceOf(1);
	const days = Array.from({ length: 20 }, (_, day) => day).filter((day) => day < 8 || day >= 12);
	for (const day of days)
		for (let minute = 0; minute < 1_440; minute += 10) {
			const power = minute === 700 && day === 5 ? 9_999 : (minute % 70) - day;
			box.history.accept([reading(device, START + day * DAY_MS + minute * 60_000, { power })]);
		}
	box.history.accept([reading(device, START + 10 * DAY_MS, { power: null }, 'comm_error')]);
	await box.settle();
	const before = box.history.read();
	const source = createSeriesSource({
		history: box.history,
		aggregate: box.running.aggregate,
		clock: box.manual.clock,
	});
	const query = { device, points: ['power'], from: START, to: START + 20 * DAY_MS, isWanted: () => true };
	for (const method of ['minmax', 'lttb'] as const) {
		const { t: times, v } = (await source({ ...query, maxPoints: 200, method })).get('power') ?? { t: [], v: [] };
		t.true(times.length <= 200 && times.length > 50, method);
		t.true(v.includes(9_999) && v.includes(null), method);
		const within = times.filter((at) => at > START + 8 * DAY_MS && at < START + 12 * DAY_MS);
		t.deepEqual(within, [START + 10 * DAY_MS], method);
		t.deepEqual(
			times,
			times.toSorted((one, other) => one - other),
			method,
		);
	}
	t.is(box.history.read(), before);
	await box.rollups.stop();
});

test('the largest triangles keep ends, gaps and limit, whatever comes in', (t) => {
	const anyValue = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: -100, max: 100 }) }, fc.constant(null));
	fc.assert(
		fc.property(fc.array(anyValue, { maxLength: 3_000 }), fc.integer({ min: 10, max: 300 }), (values, maxPoints) => {
			const builder = createSeriesBuilder(0, values.length + 1, maxPoints, 'lttb');
			for (const [at, value] of values.entries()) builder.add(at, value, value === null ? 'comm_error' : 'good');
			const { t: times, v } = builder.series();
			t.true(times.length <= maxPoints);
			t.deepEqual(
				times,
				times.toSorted((one, other) => one - other),
			);
			for (const [index, at] of times.entries()) t.is(v[index], values[at]);
			if (values.length > 0 && !values.includes(null)) t.deepEqual([times[0], times.at(-1)], [0, values.length - 1]);
		}),
		{ numRuns: 60 },
	);
});
