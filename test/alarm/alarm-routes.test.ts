import test from 'ava';

import { alarmRoutes } from '../../core/alarm/alarm-routes.ts';
import { MAX_ALERT_RULES } from '../../core/alarm/alert-rule.ts';
import type { Role } from '../../core/identity/role.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { alarmBox } from '../fake/alarm-box.ts';
import { bareServer, bearer, userIdOf } from '../fake/bare-server.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

/** The body that reference 000 shows. */
const SEED_RULE = {
	name: '고온 경고',
	description: '온도가 40도를 초과하면 알림',
	metric: 'temperature',
	condition: 'gt',
	threshold: 40.0,
	severity: 'warning',
};
const NOBODY = 'a1000000-0000-4000-8000-00000000ffff';

async function served() {
	const box = await alarmBox();
	const server = await bareServer(alarmRoutes, { alarms: box.alarms() });
	const meter = await box.devices.register({ uid: deviceUid('meter-1'), name: 'Meter', deviceType: 'meter' });
	const call = async (method: string, url: string, role: Role, payload?: object) => {
		const { statusCode, result } = await server.inject({
			method,
			url,
			headers: bearer(role),
			...(payload === undefined ? {} : { payload }),
		});
		return { status: statusCode, body: result };
	};
	return {
		...box,
		meter,
		call,
		raise: (at: number, temperature: number) => {
			const reading: Reading = { ...draftOf(meter.id, at, { temperature }), origin: GATEWAY, epoch: 1, firstSeq: 1 };
			box.alarms().reading(reading);
		},
	};
}

test('a rule is created, listed, changed and deleted', async (t) => {
	const { call, close, meter } = await served();
	t.teardown(close);
	const created = await call('POST', '/monitoring/alert-rules', 'manager', SEED_RULE);
	t.is(created.status, 201);
	t.like(created.body, {
		...SEED_RULE,
		hysteresis: 0,
		duration_seconds: 0,
		device_group_id: null,
		device_id: null,
		is_active: true,
		created_at: '2026-01-01T00:00:00.000Z',
	});
	const listed = await call('GET', '/monitoring/alert-rules', 'manager');
	t.deepEqual(listed.body, [created.body]);
	const [{ id } = { id: '' }] = Array.isArray(listed.body) ? listed.body : [];
	t.deepEqual((await call('GET', `/monitoring/alert-rules/${id}`, 'admin')).body, created.body);
	const change = { is_active: false, threshold: 45, hysteresis: 2, duration_seconds: 60, device_id: meter.id };
	const changed = await call('PATCH', `/monitoring/alert-rules/${id}`, 'manager', change);
	t.is(changed.status, 200);
	t.like(changed.body, { ...SEED_RULE, ...change });
	t.is((await call('DELETE', `/monitoring/alert-rules/${id}`, 'manager')).status, 204);
	for (const method of ['GET', 'DELETE'])
		t.is((await call(method, `/monitoring/alert-rules/${id}`, 'manager')).status, 404);
	t.is((await call('PATCH', `/monitoring/alert-rules/${id}`, 'manager', change)).status, 404);
});

test('an alert is listed until it is acknowledged, once', async (t) => {
	const { call, close, meter, raise } = await served();
	t.teardown(close);
	await call('POST', '/monitoring/alert-rules', 'manager', SEED_RULE);
	raise(Date.UTC(2026, 0, 1), 43.2);
	const { status, body } = await call('GET', '/monitoring/alerts', 'manager');
	t.is(status, 200);
	const [alert] = Array.isArray(body) ? body : [];
	t.like(alert, {
		device_id: meter.id,
		severity: 'warning',
		message: 'Meter (meter-1): temperature 43.2 is above 40',
		is_acknowledged: false,
		acknowledged_by: null,
		acknowledged_at: null,
		created_at: '2026-01-01T00:00:00.000Z',
		occurrences: 1,
		cleared_at: null,
	});
	const acknowledge = `/monitoring/alerts/${alert.id}/acknowledge`;
	t.is((await call('POST', acknowledge, 'viewer')).status, 403);
	const acknowledged = await call('POST', acknowledge, 'editor');
	t.is(acknowledged.status, 200);
	t.like(acknowledged.body, {
		id: alert.id,
		is_acknowledged: true,
		acknowledged_by: userIdOf('editor'),
		acknowledged_at: '2026-01-01T00:00:00.000Z',
	});
	t.deepEqual((await call('GET', '/monitoring/alerts', 'manager')).body, []);
	t.is((await call('POST', acknowledge, 'manager')).status, 409);
	t.is((await call('POST', `/monitoring/alerts/${NOBODY}/acknowledge`, 'manager')).status, 404);
});

const REFUSED: readonly (readonly [string, string, object | undefined])[] = [
	['POST', '/monitoring/alert-rules', {}],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, condition: 'between' }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, threshold: 'hot' }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, threshold: null }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, name: '' }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, severity: 'fatal' }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, hysteresis: -1 }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, duration_seconds: 86_401 }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, device_group_id: 'all' }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, device_id: NOBODY }],
	['POST', '/monitoring/alert-rules', { ...SEED_RULE, is_active: 'yes' }],
	['GET', '/monitoring/alerts?limit=201', undefined],
	['GET', '/monitoring/alerts?skip=-1', undefined],
	['GET', '/monitoring/alert-rules?limit=0', undefined],
	// A bare server answers a malformed path as it answers a malformed body.
	['POST', '/monitoring/alerts/1/acknowledge', undefined],
	['GET', '/monitoring/alert-rules/1', undefined],
];

for (const [method, url, payload] of REFUSED)
	test(`refused: ${method} ${url} ${JSON.stringify(payload) ?? ''}`, async (t) => {
		const { call, close } = await served();
		t.teardown(close);
		t.is((await call(method, url, 'manager', payload)).status, 422);
	});

test('lists and rules are for managers', async (t) => {
	const { call, close } = await served();
	t.teardown(close);
	for (const role of ['user', 'viewer', 'editor'] as const) {
		t.is((await call('GET', '/monitoring/alerts', role)).status, 403);
		t.is((await call('GET', '/monitoring/alert-rules', role)).status, 403);
		t.is((await call('POST', '/monitoring/alert-rules', role, SEED_RULE)).status, 403);
	}
});

test('there are 500 rules at most', async (t) => {
	const { call, close, alarms } = await served();
	t.teardown(close);
	const { body } = await call('POST', '/monitoring/alert-rules', 'manager', SEED_RULE);
	t.truthy(body);
	for (let number = 1; number < MAX_ALERT_RULES; number += 1)
		await call('POST', '/monitoring/alert-rules', 'manager', SEED_RULE);
	const refused = await call('POST', '/monitoring/alert-rules', 'manager', SEED_RULE);
	t.is(refused.status, 422);
	t.like(refused.body, { detail: 'this box takes 500 alert rules at most' });
	t.is(alarms().activeAlerts(), 0);
});
