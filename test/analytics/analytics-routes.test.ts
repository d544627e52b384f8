import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import Joi from 'joi';

import { analyticsRoutes } from '../../core/analytics/analytics-routes.ts';
import {
	reportAnswer,
	resultsAnswer,
	seriesAnswer,
	statusAnswer,
	trendAnswer,
} from '../../core/analytics/analytics-schema.ts';
import { createAnalyticsService } from '../../core/analytics/analytics-service.ts';
import { createAnalyticsStore, type ResultDocument } from '../../core/analytics/analytics-store.ts';
import { createReadingScan, type ScanLimits } from '../../core/analytics/reading-scan.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import { type Actor, ROLES } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { type DeviceId, deviceUid, tenantId, uuidOf } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { deviceBox } from '../fake/device-box.ts';
import { draftOf, memoryTelemetry } from '../fake/memory-telemetry.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const OTHER_TENANT = tenantId(uuidOf('other'));

async function box(t: ExecutionContext, limits: ScanLimits = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-analytics-'));
	const devices = await deviceBox();
	const memory = memoryTelemetry();
	const database = openDatabase<ResultDocument>(join(folder, 'analytics'));
	const sensor = await devices.devices.register({
		uid: deviceUid('sensor'),
		name: 'Sensor',
		deviceType: 'temperature',
	});
	await devices.devices.register({ uid: deviceUid('theirs'), name: 'x', deviceType: 'y', tenantId: OTHER_TENANT });
	const analytics = createAnalyticsService({
		devices: devices.devices,
		scan: createReadingScan({ telemetry: memory.telemetry, clock: devices.clock, limits }),
		aggregate: null,
		results: await createAnalyticsStore(database, 12),
		clock: devices.clock,
	});
	const actors = new Map<string, Actor>(ROLES.map((role) => [`r.${role}.x`, actorOfRole(role)]));
	actors.set('r.stranger.x', { ...actorOfRole('admin'), tenantId: OTHER_TENANT });
	const server = await createHttpServer({
		log: silentLog,
		web: null,
		tokens: {
			verify(token) {
				const actor = actors.get(token);
				if (actor === undefined) throw new Fault('bad-credentials', 'the access token is not valid');
				return actor;
			},
		},
		parts: [part(analyticsRoutes, { analytics }, '/api/v1')],
	});
	t.teardown(async () => {
		await server.stop();
		await database.close();
		rmSync(folder, { recursive: true });
		await devices.close();
	});
	const call = async (path: string, role: string | null = 'manager', method = 'GET') => {
		const headers = role === null ? {} : { authorization: `Bearer r.${role}.x` };
		const answer = await server.inject({ method, url: `/api/v1/analytics${path}`, headers });
		const body: Readonly<Record<string, unknown>> = Object(answer.result);
		return { status: answer.statusCode, body };
	};
	const put = (
		at: number,
		values: Readonly<Record<string, SampleValue>>,
		qualities: readonly Quality[] | null = null,
	) => memory.telemetry.accept(draftOf(sensor.id, at, values, qualities), 'group');
	const putStatus = (at: number, status: string, device: DeviceId = sensor.id) =>
		memory.telemetry.accept({ ...draftOf(device, at, { status }), telemetryType: 'status' }, 'group');
	return { ...devices, memory, sensor, database, call, put, putStatus };
}

test('telemetry is answered as the mean of each numeric metric per interval with data', async (t) => {
	const { call, put, putStatus, sensor } = await box(t);
	await put(NOW + 60_000, { temperature: 23, humidity: 45, note: 'x', on: true });
	await put(NOW + 120_000, { temperature: 24, counter: 2n ** 60n });
	await put(NOW + 130_000, { temperature: 99 }, ['comm_error']);
	await putStatus(NOW + 140_000, 'online');
	await put(NOW + 2 * HOUR_MS, { temperature: 25, timestamp: 7 });
	await put(NOW + 3 * HOUR_MS, { temperature: 26 });
	const { status, body } = await call('/telemetry/sensor?start=2026-01-01T00:00:00Z&end=2026-01-01T04:00:00%2B01:00');
	t.is(status, 200);
	Joi.assert(body, seriesAnswer);
	t.deepEqual(body, {
		device_id: sensor.id,
		device_uid: 'sensor',
		records: [
			{ timestamp: '2026-01-01T00:00:00.000Z', temperature: 23.5, humidity: 45, counter: 2 ** 60 },
			{ timestamp: '2026-01-01T02:00:00.000Z', temperature: 25, humidity: null, counter: null },
		],
		count: 2,
	});
	const day = await call('/telemetry/sensor?start=2026-01-01&end=2026-01-01&interval=1d');
	t.is(day.body['count'], 1);
	t.deepEqual((await call(`/telemetry/${sensor.id}?start=2020-01-01&end=2020-01-02`)).body['records'], []);
});

test('the status history is counted, and its uptime is the share of online', async (t) => {
	const { call, putStatus, put, clock, sensor } = await box(t);
	for (let index = 0; index < 15; index += 1) await putStatus(NOW + index, index === 7 ? 'offline' : 'online');
	await putStatus(NOW, 'nonsense');
	await put(NOW + 5, { status: 'online' });
	clock.advance(14);
	const { body } = await call('/status/sensor');
	Joi.assert(body, statusAnswer);
	t.deepEqual(body, {
		device_id: sensor.id,
		device_uid: 'sensor',
		total_events: 15,
		status_counts: { online: 14, offline: 1 },
		uptime_ratio: 0.9333,
	});
	clock.advance(24 * HOUR_MS);
	t.like((await call('/status/sensor')).body, { total_events: 1 });
	clock.advance(24 * HOUR_MS);
	t.like((await call('/status/sensor')).body, { total_events: 0, status_counts: {}, uptime_ratio: null });
});

test('a trend is of the named metric, or of the one with most samples, of equals the first by name', async (t) => {
	const { call, put } = await box(t);
	const range = 'start=2026-01-01&end=2026-01-02';
	const none = await call(`/trends/sensor?${range}`);
	Joi.assert(none.body, trendAnswer);
	t.like(none.body, { metric: null, count: 0, mean: null, std: null, min: null, max: null, slope: null, trend: null });
	for (let hour = 0; hour < 4; hour += 1) {
		await put(NOW + hour * HOUR_MS, { zeta: hour, beta: 10 - hour, text: 'x' });
		if (hour > 0) await put(NOW + hour * HOUR_MS + 1, { alpha: 5 });
	}
	t.like((await call(`/trends/sensor?${range}`)).body, {
		metric: 'beta',
		count: 4,
		slope: -1,
		trend: 'decreasing',
		mean: 8.5,
	});
	t.like((await call(`/trends/sensor?${range}&metric=zeta`)).body, {
		metric: 'zeta',
		slope: 1,
		trend: 'increasing',
		min: 0,
		max: 3,
	});
	t.like((await call(`/trends/sensor?${range}&metric=alpha`)).body, { count: 3, slope: 0, trend: 'stable', std: 0 });
	t.like((await call(`/trends/sensor?${range}&metric=text`)).body, { metric: 'text', count: 0, mean: null });
	t.like((await call(`/trends/sensor?${range}&metric=`)).body, { metric: 'beta' });
});

test('a report is stored as a whole and in its parts, newest first, and the oldest give way', async (t) => {
	const { call, put, putStatus, clock, sensor, database } = await box(t);
	await putStatus(NOW, 'online');
	await put(NOW, { t: 1 });
	clock.advance(1_000);
	const made: unknown[] = [];
	for (let index = 0; index < 3; index += 1) {
		const { status, body } = await call('/reports/sensor', 'manager', 'POST');
		t.is(status, 200);
		Joi.assert(body, reportAnswer);
		t.like(body, { device_id: sensor.id, status: { total_events: 1, uptime_ratio: 1 }, trends: { count: 1, mean: 1 } });
		made.unshift(body['report_id']);
		clock.advance(1_000);
	}
	const list = async (query: string, role = 'manager') => {
		const { status, body } = await call(`/results?${query}`, role);
		t.is(status, 200);
		return Joi.attempt(body, resultsAnswer) as readonly { readonly id: string; readonly result: object }[];
	};
	const reports = await list('analysis_type=report');
	t.deepEqual(
		reports.map(({ id }) => id),
		made,
	);
	t.like(reports[0]?.result, { status: { total_events: 1 }, trends: { count: 1 } });
	t.like((await list('analysis_type=status&device_id=sensor'))[0]?.result, { total_events: 1 });
	t.like((await list(`analysis_type=trends&device_id=${sensor.id}`))[0]?.result, { count: 1, mean: 1 });
	t.deepEqual(
		(await list('analysis_type=report&skip=1&limit=1')).map(({ id }) => id),
		[made[1]],
	);
	for (const query of [
		'analysis_type=forecast',
		'analysis_type=report&device_id=nobody',
		'analysis_type=report&skip=9',
	])
		t.deepEqual(await list(query), [], query);
	t.deepEqual(await list('analysis_type=report', 'stranger'), []);
	t.is((await list('analysis_type=report', 'superadmin')).length, 3);

	for (let index = 0; index < 3; index += 1) await call('/reports/sensor', 'manager', 'POST');
	const again = await createAnalyticsStore(database, 12);
	t.is((await again.page('report', { skip: 0, limit: 99 }, () => true)).total, 4);
	t.is((await database.allDocs()).rows.length, 12);
});

test('analytics refuses strangers, unknown devices and ranges that are none, each with its code', async (t) => {
	const { call } = await box(t);
	const range = 'start=2026-01-01&end=2026-01-02';
	const cases: readonly (readonly [string, string, string | null, number, string])[] = [
		['GET', `/telemetry/sensor?${range}`, null, 401, 'NOT_AUTHENTICATED'],
		['GET', `/telemetry/sensor?${range}`, 'editor', 403, 'PERMISSION_DENIED'],
		['GET', '/status/sensor', 'viewer', 403, 'PERMISSION_DENIED'],
		['POST', '/reports/sensor', 'user', 403, 'PERMISSION_DENIED'],
		['GET', '/results?analysis_type=report', 'editor', 403, 'PERMISSION_DENIED'],
		['GET', `/telemetry/nobody?${range}`, 'manager', 404, 'RESOURCE_NOT_FOUND'],
		['GET', '/trends/theirs', 'manager', 404, 'RESOURCE_NOT_FOUND'],
		['GET', '/status/%20', 'manager', 400, 'VALIDATION_ERROR'],
		['GET', '/telemetry/sensor?start=2026-01-01', 'manager', 422, 'VALIDATION_ERROR'],
		['GET', `/telemetry/sensor?${range}&interval=1y`, 'manager', 422, 'VALIDATION_ERROR'],
		['GET', `/telemetry/sensor?${range}&interval=0h`, 'manager', 422, 'VALIDATION_ERROR'],
		['GET', '/status/sensor?start=yesterday', 'manager', 422, 'VALIDATION_ERROR'],
		['GET', '/results', 'manager', 422, 'VALIDATION_ERROR'],
		['GET', '/results?analysis_type=report&limit=201', 'manager', 422, 'VALIDATION_ERROR'],
		[
			'GET',
			'/telemetry/sensor?start=2026-01-02T00:00:00Z&end=2026-01-02T00:00:00Z',
			'manager',
			422,
			'BUSINESS_RULE_VIOLATION',
		],
		['GET', '/trends/sensor?start=2026-01-02&end=2026-01-01', 'manager', 422, 'BUSINESS_RULE_VIOLATION'],
		['POST', '/reports/sensor?end=2025-01-01&start=2026-01-01', 'manager', 422, 'BUSINESS_RULE_VIOLATION'],
		[
			'GET',
			'/telemetry/sensor?start=2026-01-01T00:00:00Z&end=2026-01-01T02:46:41Z&interval=1s',
			'manager',
			422,
			'BUSINESS_RULE_VIOLATION',
		],
	];
	for (const [method, path, role, status, code] of cases) {
		const answer = await call(path, role, method);
		t.is(answer.status, status, path);
		t.is(answer.body['error_code'], code, path);
	}
	const most = await call('/telemetry/sensor?start=2026-01-01T00:00:00Z&end=2026-01-01T02:46:40Z&interval=1s');
	t.is(most.status, 200);
});

test('a range that holds more than an analysis takes is refused, and read no further', async (t) => {
	const { call, put, memory } = await box(t, { values: 3_000 });
	for (let index = 0; index < 6_000; index += 1) await put(NOW + index, { a: 1 });
	const { status, body } = await call('/trends/sensor?start=2026-01-01&end=2026-01-02');
	t.is(status, 422);
	t.regex(String(body['detail']), /3000 values/);
	t.is(memory.queries.length, 2);
	t.true(memory.queries.every(({ limit }) => limit <= 2_000));
	t.like((await call('/trends/sensor?start=2026-01-01T00:00:00.100Z&end=2026-01-01T00:00:02.200Z')).body, {
		count: 2_100,
	});
});
