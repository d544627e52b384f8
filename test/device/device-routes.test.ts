import test from 'ava';

import { type DeviceRoutesOptions, deviceRoutes } from '../../core/device/device-routes.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { deviceUid, type GatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { bareServer, bearer, userIdOf } from '../fake/bare-server.ts';
import { deviceBox, deviceOf, GATEWAY } from '../fake/device-box.ts';

async function routes(at: GatewayId | null = GATEWAY, more: Partial<DeviceRoutesOptions> = {}) {
	const box = await deviceBox(at);
	const server = await bareServer(deviceRoutes, { devices: box.devices, log: silentLog, ...more });
	return { ...box, server };
}

const uids = (result: unknown): unknown[] =>
	(Array.isArray(result) ? result : []).map((one: unknown) => Reflect.get(Object(one), 'device_uid'));

const sdm = {
	driver: 'modbus',
	line: { transport: 'tcp', host: '192.168.1.20' },
	template: 'eastron-sdm630',
};

test('a device is registered with the documented fields, and unknown ones are ignored', async (t) => {
	const { server, close } = await routes();
	t.teardown(close);
	const { statusCode, result } = await server.inject({
		method: 'POST',
		url: '/devices',
		headers: bearer('manager'),
		payload: {
			device_uid: 'sensor-temp-001',
			name: '1층 온도센서',
			device_type: 'temperature',
			surprise: 1,
			connection: sdm,
		},
	});
	t.is(statusCode, 201);
	t.like(result, {
		device_uid: 'sensor-temp-001',
		name: '1층 온도센서',
		status: 'offline',
		firmware_version: null,
		ip_address: null,
		owner_id: userIdOf('manager'),
		metadata: {},
		last_seen_at: null,
		created_at: '2026-01-01T00:00:00.000Z',
		gateway_id: GATEWAY,
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '192.168.1.20', port: 502 },
			unit_id: 1,
			template: 'eastron-sdm630',
			period_ms: 1000,
			timeout_ms: 1000,
		},
		health: { state: 'unknown', reason: null },
	});
	t.false(Object.hasOwn(Object(result), 'surprise'));
});

test('bad bodies are refused with the field in the sentence', async (t) => {
	const { server, close } = await routes();
	t.teardown(close);
	const rtu = { transport: 'rtu', path: '/dev/ttyUSB0' };
	const cases: readonly (readonly [object, number, RegExp])[] = [
		[{ device_type: 'x' }, 422, /"name" is required/],
		[{ name: 'x', device_type: 'x', device_uid: 'a/b' }, 422, /device_uid/],
		[{ name: 'x', device_type: 'x', status: 'asleep' }, 422, /status/],
		[{ name: 'x', device_type: 'x', connection: { driver: 'carrier-pigeon' } }, 422, /connection/],
		[{ name: 'x', device_type: 'x', connection: { ...sdm, line: { transport: 'tcp' } } }, 422, /line\.host/],
		[{ name: 'x', device_type: 'x', connection: { ...sdm, line: rtu, unit_id: 0 } }, 422, /unit_id/],
		[{ name: 'x', device_type: 'x', connection: { ...sdm, line: rtu, unit_id: 248 } }, 422, /unit_id/],
		[{ name: 'x', device_type: 'x', connection: { ...sdm, period_ms: 1 } }, 422, /period_ms/],
		[{ name: 'x', device_type: 'x', connection: { ...sdm, template: 'no-such' } }, 422, /no device template no-such/],
		[{ name: 'x', device_type: 'x', metadata: { a: Array(600).fill(0) } }, 422, /metadata/],
	];
	for (const [payload, status, sentence] of cases) {
		const { statusCode, result } = await server.inject({
			method: 'POST',
			url: '/devices',
			headers: bearer('manager'),
			payload,
		});
		t.is(statusCode, status, JSON.stringify(payload));
		t.regex(String(Reflect.get(Object(result), 'detail')), sentence);
	}
});

test('who may do what follows the contract', async (t) => {
	const { server, devices, close } = await routes();
	t.teardown(close);
	await devices.register({ uid: deviceUid('meter-1'), name: 'Main', deviceType: 'meter' });
	await devices.register({ uid: deviceUid('mine'), name: 'Mine', deviceType: 'meter', ownerId: userIdOf('user') });
	const ask = async (method: string, url: string, role: Parameters<typeof bearer>[0] | null, payload?: object) =>
		(await server.inject({ method, url, headers: role === null ? {} : bearer(role), ...(payload && { payload }) }))
			.statusCode;
	const body = { name: 'x', device_type: 'y' };
	t.is(await ask('GET', '/devices', null), 401);
	t.is(await ask('GET', '/devices/meter-1', 'viewer'), 200);
	t.is(await ask('GET', '/devices/meter-1', 'user'), 404);
	t.is(await ask('GET', '/devices/mine', 'user'), 200);
	t.is(await ask('POST', '/devices', 'editor', body), 403);
	t.is(await ask('POST', '/devices', 'admin', body), 201);
	t.is(await ask('PATCH', '/devices/meter-1', 'editor', { name: 'n' }), 403);
	t.is(await ask('PATCH', '/devices/meter-1', 'manager', { name: 'n' }), 200);
	t.is(await ask('DELETE', '/devices/meter-1', 'manager'), 403);
	t.is(await ask('DELETE', '/devices/meter-1', 'admin'), 204);
	t.is(await ask('DELETE', '/devices/meter-1', 'admin'), 404);
});

test('a taken address is a duplicate; on the hub a device of a bus or a serial line is refused', async (t) => {
	const { server, close } = await routes(null);
	t.teardown(close);
	const post = (payload: object) =>
		server.inject({ method: 'POST', url: '/devices', headers: bearer('admin'), payload });
	const body = { name: 'x', device_type: 'y', device_uid: 'z' };
	t.is((await post(body)).statusCode, 201);
	t.is((await post(body)).statusCode, 409);
	const line = { transport: 'serial', path: '/dev/ttyUSB0' };
	for (const connection of [sdm, { driver: 'serial', line, template: 'sdm630' }]) {
		const refused = await post({ name: 'x', device_type: 'y', connection });
		t.is(refused.statusCode, 422);
		t.regex(refused.payload, /configured on its gateway/);
	}
});

test('PATCH replaces metadata as a whole and leaves absent fields alone', async (t) => {
	const { server, devices, close } = await routes();
	t.teardown(close);
	await devices.register({
		uid: deviceUid('m'),
		name: 'Main',
		deviceType: 'meter',
		metadata: { model: 'esp32', at: 'lab' },
	});
	const { result } = await server.inject({
		method: 'PATCH',
		url: '/devices/m',
		headers: bearer('manager'),
		payload: { metadata: { at: 'roof' }, status: 'maintenance' },
	});
	t.like(result, { name: 'Main', status: 'maintenance' });
	t.deepEqual(Reflect.get(Object(result), 'metadata'), { at: 'roof' });
});

test('a list answers a page, or with limit or cursor an array with headers, never both', async (t) => {
	const { server, devices, close } = await routes(null);
	t.teardown(close);
	for (let number = 1; number <= 5; number += 1)
		await devices.adopt(deviceOf(number, `m-${number}`, { createdAt: epochMs(number) }));
	const get = (query: string) => server.inject({ url: `/devices${query}`, headers: bearer('viewer') });
	t.like((await get('')).result, { total: 5, page: 1, size: 20, pages: 1 });
	t.like((await get('?page=2&size=2')).result, { total: 5, page: 2, size: 2, pages: 3 });
	const first = await get('?limit=2');
	t.deepEqual(uids(first.result), ['m-5', 'm-4']);
	t.is(first.headers['x-limit'], '2');
	const cursor = String(first.headers['x-next-cursor']);
	t.is(first.headers['link'], `</devices?limit=2&cursor=${cursor}>; rel="next"`);
	const last = await get(`?limit=3&cursor=${cursor}`);
	t.deepEqual(uids(last.result), ['m-3', 'm-2', 'm-1']);
	t.is(last.headers['x-next-cursor'], undefined);
	t.is(last.headers['link'], undefined);
	for (const query of [
		'?page=1&limit=2',
		`?size=1&cursor=${cursor}`,
		'?cursor=nonsense',
		'?limit=201',
		'?page=0',
		'?size=101',
	])
		t.is((await get(query)).statusCode, 422, query);
});

test('a device that was saved is answered although nothing can be said of its line, and the log has why', async (t) => {
	const told: unknown[] = [];
	const { server, devices, close } = await routes(GATEWAY, {
		notice() {
			throw new RangeError('the budget cannot be reckoned');
		},
		log: { ...silentLog, error: (event, fields) => void told.push([event, fields]) },
	});
	t.teardown(close);
	const payload = { device_uid: 'meter-1', name: 'Meter', device_type: 'meter', connection: sdm };
	const created = await server.inject({ method: 'POST', url: '/devices', headers: bearer('manager'), payload });
	t.is(created.statusCode, 201);
	t.is(created.headers['warning'], undefined);
	const change = { name: 'Cellar' };
	const patched = await server.inject({
		method: 'PATCH',
		url: '/devices/meter-1',
		headers: bearer('manager'),
		payload: change,
	});
	t.is(patched.statusCode, 200);
	t.is(devices.get('meter-1').name, 'Cellar');
	const line = ['device-notice-failed', { device: 'meter-1', reason: 'the budget cannot be reckoned' }];
	t.deepEqual(told, [line, line]);
});
