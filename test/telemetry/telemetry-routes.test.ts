import test from 'ava';
import fc from 'fast-check';

import { epochMs } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { createSeriesBuilder } from '../../core/telemetry/series.ts';
import { telemetryRoutes } from '../../core/telemetry/telemetry-routes.ts';
import { recordId } from '../../core/telemetry/telemetry-view.ts';
import { isPlausibleInstant, parseEndTimestamp, parseTimestamp } from '../../core/telemetry/timestamp-input.ts';
import { bareServer, bearer, userIdOf } from '../fake/bare-server.ts';
import { deferred } from '../fake/deferred.ts';
import { deviceBox, GATEWAY, rtuConnection } from '../fake/device-box.ts';
import { draftOf, memoryTelemetry } from '../fake/memory-telemetry.ts';

const NOW = Date.UTC(2026, 0, 1);

async function routes() {
	const box = await deviceBox();
	const memory = memoryTelemetry();
	const meter = await box.devices.register({
		uid: deviceUid('meter-1'),
		name: 'Main',
		deviceType: 'meter',
		connection: rtuConnection('/dev/ttyUSB0'),
	});
	const server = await bareServer(telemetryRoutes, {
		devices: box.devices,
		telemetry: memory.telemetry,
		pointFactsOf: (_connection: unknown, point: string) => ({
			unit: point === 'power' ? 'W' : '',
			isSetting: point === 'baud_rate',
		}),
		charts: null,
		clock: box.clock,
	});
	const get = (path: string) => server.inject({ url: `/devices/meter-1/${path}`, headers: bearer('viewer') });
	const post = (payload: object, role: Parameters<typeof bearer>[0] = 'manager') =>
		server.inject({ method: 'POST', url: '/devices/meter-1/telemetry', headers: bearer(role), payload });
	return { ...box, ...memory, memory, meter, server, get, post };
}

test('a time is taken in every form the contract allows', (t) => {
	const cases: readonly (readonly [string, string | null])[] = [
		['2025-08-22T12:34:56Z', '2025-08-22T12:34:56.000Z'],
		['2025-08-22T12:34:56.789+09:00', '2025-08-22T03:34:56.789Z'],
		['2025-08-22T12:34+0900', '2025-08-22T03:34:00.000Z'],
		['2025-08-22T12:34:56', '2025-08-22T12:34:56.000Z'],
		['2025-08-22T12:34:56.123456789Z', '2025-08-22T12:34:56.123Z'],
		['2025-08-22', '2025-08-22T00:00:00.000Z'],
		['2025-13-22', null],
		['yesterday', null],
		['1755866096', null],
	];
	for (const [text, iso] of cases) {
		const at = parseTimestamp(text);
		t.is(at === null ? null : new Date(at).toISOString(), iso, text);
	}
	t.is(parseEndTimestamp('2025-08-22'), epochMs(Date.UTC(2025, 7, 23)));
	t.false(isPlausibleInstant(epochMs(NOW + 2 * 86_400_000), epochMs(NOW)));
	t.true(isPlausibleInstant(epochMs(NOW), epochMs(60_000)));
});

test('a record is answered only after it is durable, with the id it is listed under', async (t) => {
	const box = await routes();
	t.teardown(box.close);
	const disk = deferred<void>();
	box.memory.barrier = disk.promise;
	let isAnswered = false;
	const answer = box
		.post({
			telemetry_type: 'environment',
			payload: { temperature: 22.5, nested: { a: [1] } },
			recorded_at: '2025-08-22T14:34:56+02:00',
		})
		.finally(() => (isAnswered = true));
	await box.get('latest');
	await box.get('latest');
	t.false(isAnswered);
	disk.resolve();
	const { statusCode, result } = await answer;
	t.is(statusCode, 201);
	t.deepEqual(result, {
		id: recordId({ origin: GATEWAY, epoch: 1, firstSeq: 1 }),
		telemetry_type: 'environment',
		payload: { temperature: 22.5, nested: { a: [1] } },
		recorded_at: '2025-08-22T12:34:56.000Z',
	});
	t.deepEqual((await box.get('telemetry')).result, [result]);
	t.regex(
		recordId({ origin: GATEWAY, epoch: 1, firstSeq: 1 }),
		/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
	);
});

test('who may write telemetry, and what it may hold', async (t) => {
	const box = await routes();
	t.teardown(box.close);
	const record = { telemetry_type: 'x', payload: { a: 1 } };
	t.is((await box.post(record, 'viewer')).statusCode, 403);
	t.is((await box.post(record, 'editor')).statusCode, 201);
	await box.devices.patch('meter-1', { ownerId: userIdOf('user') });
	t.is((await box.post(record, 'user')).statusCode, 201);
	const bad: readonly (readonly [object, RegExp])[] = [
		[{ payload: { a: 1 } }, /telemetry_type/],
		[{ telemetry_type: 'x' }, /payload/],
		[{ telemetry_type: 'x', payload: {} }, /payload.* at least one/],
		[{ telemetry_type: 'x', payload: [1] }, /payload/],
		[
			{ telemetry_type: 'x', payload: Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`p${n}`, n])) },
			/501 metrics/,
		],
		[{ telemetry_type: 'x', payload: { a: [[[[[[[[[1]]]]]]]]] } }, /deeper/],
		[{ telemetry_type: 'x', payload: { ['k'.repeat(129)]: 1 } }, /longer than 128/],
		[{ ...record, recorded_at: 'soon' }, /recorded_at/],
		[{ ...record, recorded_at: '2030-01-01' }, /more than a day ahead/],
	];
	for (const [payload, sentence] of bad) {
		const { statusCode, payload: text } = await box.post(payload);
		t.is(statusCode, 422, text);
		t.regex(text, sentence);
	}
	t.is((await box.server.inject({ url: '/devices/nobody/telemetry', headers: bearer('viewer') })).statusCode, 404);
});

test('records come newest first, and cursors walk through all of them once', async (t) => {
	const box = await routes();
	t.teardown(box.close);
	for (let minute = 0; minute < 25; minute += 1)
		await box.telemetry.accept(draftOf(box.meter.id, NOW + (minute >> 1) * 60_000, { minute }), 'group');
	const walked: unknown[] = [];
	let cursor = '';
	do {
		const { result, headers } = await box.get(`telemetry?limit=4${cursor && `&cursor=${cursor}`}`);
		walked.push(...(Array.isArray(result) ? result : []).map((one: unknown) => Reflect.get(Object(one), 'payload')));
		cursor = String(headers['x-next-cursor'] ?? '');
		t.is(headers['x-limit'], '4');
	} while (cursor !== '');
	t.deepEqual(
		walked,
		Array.from({ length: 25 }, (_, index) => ({ minute: 24 - index })),
	);
	t.is((await box.get('telemetry')).headers['x-limit'], '10');
	for (const query of ['limit=201', 'limit=0', 'cursor=xyz'])
		t.is((await box.get(`telemetry?${query}`)).statusCode, 422, query);
});

test('latest values carry age, unit and quality; old ones of a polled device are stale, settings by their own period', async (t) => {
	const box = await routes();
	t.teardown(box.close);
	const big = 2n ** 60n;
	await box.telemetry.accept(
		draftOf(box.meter.id, NOW, { power: 1.5, energy: big, state: null, baud_rate: 2 }, [
			'good',
			'good',
			'comm_error',
			'good',
		]),
		'group',
	);
	box.clock.advance(5_000);
	const read = { read_at: '2026-01-01T00:00:00.000Z', age_ms: 5_000, stale_after_ms: 5_000 };
	t.deepEqual((await box.get('latest')).result, {
		device_id: box.meter.id,
		device_uid: 'meter-1',
		values: {
			power: { value: 1.5, quality: 'good', ...read, unit: 'W' },
			energy: { value: '1152921504606846976', quality: 'good', ...read },
			state: { value: null, quality: 'comm_error', ...read },
			baud_rate: { value: 2, quality: 'good', ...read, stale_after_ms: 1_800_000 },
		},
	});
	box.clock.advance(1);
	t.like((await box.get('latest')).result, {
		values: { power: { quality: 'stale' }, state: { quality: 'comm_error' }, baud_rate: { quality: 'good' } },
	});
	box.clock.advance(1_795_000);
	t.like((await box.get('latest')).result, { values: { baud_rate: { quality: 'stale' } } });
});

test('a series reads the history in pages and answers no more points than asked', async (t) => {
	const box = await routes();
	t.teardown(box.close);
	for (let second = 0; second < 4_500; second += 1)
		await box.telemetry.accept(
			draftOf(box.meter.id, NOW + second * 1_000, { power: second === 3_000 ? 9_999 : second % 7, name: 'x' }),
			'group',
		);
	const from = '2026-01-01T00:00:00Z';
	const { result, statusCode } = await box.get(
		`series?points=power,name,none&from=${from}&to=2026-01-01T01:15:00Z&max_points=100`,
	);
	t.is(statusCode, 200);
	const points: unknown = Reflect.get(Object(result), 'points');
	const power: { t: number[]; v: number[] } = Reflect.get(Object(points), 'power');
	t.true(power.t.length <= 100 && power.t.length > 50);
	t.true(power.v.includes(9_999));
	t.like(points, { name: { t: [], v: [] }, none: { t: [], v: [] } });
	t.deepEqual(
		box.queries.map(({ limit }) => limit),
		[2_000, 2_000, 2_000],
	);
	t.like((await box.get('series?points=power')).result, {
		from: '2025-12-31T23:00:00.000Z',
		to: from.replace('Z', '.000Z'),
	});
	for (const query of [
		'points=a,b,c,d,e,f',
		'points=',
		'max_points=50',
		`points=a&from=${from}&to=${from}`,
		`points=a&from=2015-11-01&to=${from}`,
		'points=a&max_points=5001',
	])
		t.is((await box.get(`series?${query}`)).statusCode, 422, query);
});

test('a thinned series keeps the order of time, its least and its greatest value, and its limit', (t) => {
	const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null), fc.boolean());
	fc.assert(
		fc.property(fc.array(value, { maxLength: 400 }), fc.integer({ min: 10, max: 60 }), (values, maxPoints) => {
			const builder = createSeriesBuilder(0, values.length + 1, maxPoints);
			for (const [at, one] of values.entries()) builder.add(at, one, one === null ? 'comm_error' : 'good');
			const series = builder.series();
			const numbers = values.filter((one) => one !== null).map(Number);
			t.true(series.t.length <= maxPoints);
			t.deepEqual(
				[...series.t],
				[...series.t].toSorted((a, b) => a - b),
			);
			const kept = series.v.filter((one) => one !== null);
			if (numbers.length > 0) {
				t.is(Math.max(...kept), Math.max(...numbers));
				t.is(Math.min(...kept), Math.min(...numbers));
			}
			t.is(series.q === undefined, !series.v.includes(null));
		}),
	);
});

test('few charts are read at once, and a flood of them is refused instead of read', async (t) => {
	const { close, devices, clock, telemetry } = await routes();
	t.teardown(close);
	const held = deferred<void>();
	let reading = 0;
	const server = await bareServer(telemetryRoutes, {
		devices,
		telemetry: {
			...telemetry,
			async range() {
				reading += 1;
				await held.promise;
				return [];
			},
		},
		pointFactsOf: () => null,
		charts: null,
		clock,
	});
	const asked = Array.from({ length: 80 }, () =>
		server.inject({ url: '/devices/meter-1/series?points=power', headers: bearer('viewer') }),
	);
	const refused = await Promise.race(asked);
	t.is(refused.statusCode, 503);
	t.is(reading, 4);
	held.resolve();
	const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode);
	t.is(statuses.filter((status) => status === 200).length, 68);
	t.is(statuses.filter((status) => status === 503).length, 12);
});
