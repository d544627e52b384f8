import test from 'ava';

import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import type { Actor, Role } from '../../core/identity/role.ts';
import { type Box, startBox } from '../contract/kit/box.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { createFakeSlave } from '../fake/modbus-slave.ts';

interface Asked {
	readonly method?: 'GET' | 'POST' | 'DELETE' | 'PATCH';
	readonly url: string;
	readonly payload?: object;
	readonly role?: Role;
	/** Instead of somebody of this role. */
	readonly actor?: Actor;
}

async function ask(
	{ server }: Box,
	{ method = 'GET', url, payload, role = 'superadmin', actor = actorOfRole(role) }: Asked,
) {
	const auth = { strategy: TOKEN_STRATEGY, credentials: { user: { actor } } };
	const answer = await server.inject({
		method,
		url: `/api/v1${url}`,
		auth,
		...(payload === undefined ? {} : { payload }),
	});
	const body: unknown = answer.payload === '' ? null : JSON.parse(answer.payload);
	return { status: answer.statusCode, body, headers: answer.headers };
}

const rtu = { transport: 'rtu', path: '/dev/ttyNowhere0', baud_rate: 1200 };
const modbus = (line: object, more: object = {}) => ({
	driver: 'modbus',
	line,
	unit_id: 1,
	template: 'eastron-sdm630',
	period_ms: 1000,
	timeout_ms: 500,
	...more,
});

test('before a device is saved, its line says whether it will keep up', async (t) => {
	const box = await startBox('gateway', {});
	t.teardown(() => box.stop());
	const tooMuch = await ask(box, { method: 'POST', url: '/lines/budget', payload: { connection: modbus(rtu) } });
	t.is(tooMuch.status, 200);
	t.like(tooMuch.body, { line: 'rtu /dev/ttyNowhere0 1200 8N1', devices: [{ device_id: null, name: 'this device' }] });
	t.regex(
		JSON.stringify(tooMuch.body),
		/"sentence":"rtu \/dev\/ttyNowhere0 1200 8N1 needs [\d.]+ s per 1 s \(\d+ %\): periods will be skipped; /,
	);
	const slower = { connection: modbus(rtu, { period_ms: 60_000 }) };
	const fine = await ask(box, { method: 'POST', url: '/lines/budget', payload: slower });
	t.like(fine.body, { sentence: null });
	t.is((await ask(box, { url: '/lines/budget' })).status, 200);
	t.deepEqual((await ask(box, { url: '/lines/budget' })).body, [], 'nothing was saved');

	const payload = { name: '보일러', device_type: 'meter', owner_id: null, connection: modbus(rtu) };
	const saved = await ask(box, { method: 'POST', url: '/devices', payload });
	t.is(saved.status, 201);
	const warning =
		/^299 - "rtu \/dev\/ttyNowhere0 1200 8N1 needs [\d.]+ s per 1 s \(\d+ %\): periods will be skipped; [^"]+"$/;
	t.regex(String(saved.headers['warning']), warning);
	const url = `/devices/${String(Object(saved.body).id)}`;
	const patched = await ask(box, { method: 'PATCH', url, payload: { connection: modbus(rtu, { period_ms: 60_000 }) } });
	t.is(patched.status, 200);
	t.is(patched.headers['warning'], undefined);

	const unknown = await ask(box, {
		method: 'POST',
		url: '/lines/budget',
		payload: { connection: modbus(rtu, { template: 'no-such-meter' }) },
	});
	t.is(unknown.status, 422);
	t.regex(JSON.stringify(unknown.body), /connection\.template/);
	const mqtt = await ask(box, { method: 'POST', url: '/lines/budget', payload: { connection: { driver: 'mqtt' } } });
	t.is(mqtt.status, 422);
	const reader = await ask(box, { method: 'POST', url: '/lines/budget', payload: slower, role: 'viewer' });
	t.is(reader.status, 403);
});

test('what a device has taught is told and can be forgotten', async (t) => {
	const slave = await createFakeSlave(({ address, count }) =>
		address <= 52 && address + count > 52 ? { kind: 'exception', code: 2 } : { kind: 'data' },
	);
	t.teardown(() => slave.stop());
	const box = await startBox('gateway', {});
	t.teardown(() => box.stop());
	const connection = modbus({ transport: 'tcp', host: '127.0.0.1', port: slave.port }, { period_ms: 200 });
	const payload = { device_uid: 'meter-1', name: 'Meter 1', device_type: 'meter', owner_id: null, connection };
	const made = await ask(box, { method: 'POST', url: '/devices', payload });
	t.is(made.status, 201, JSON.stringify(made.body));
	const url = '/devices/meter-1/learnt';
	let refused: unknown[] = [];
	for (let tries = 0; refused.length === 0 && tries < 200; tries += 1) {
		await new Promise((resolve) => {
			setTimeout(resolve, 50);
		});
		const { body } = await ask(box, { url });
		refused = Object(body).refused_points ?? [];
	}
	t.deepEqual(refused, ['active_power']);
	const [budget] = Object((await ask(box, { url: '/lines/budget' })).body);
	t.like(budget, { line: `tcp 127.0.0.1:${slave.port}`, sentence: null, devices: [{ name: 'Meter 1' }] });
	slave.behave(() => ({ kind: 'data' }));
	t.is((await ask(box, { method: 'DELETE', url, role: 'viewer' })).status, 403);
	t.is((await ask(box, { method: 'DELETE', url })).status, 204);
	t.like((await ask(box, { url })).body, { max_registers: null, holes: [], refused_points: [] });
	t.is((await ask(box, { url: '/devices/unknown/learnt' })).status, 404);
});

test('who sees only devices of their own is told the names of no others', async (t) => {
	const box = await startBox('gateway', {});
	t.teardown(() => box.stop());
	for (const [index, period_ms] of [500, 60_000].entries()) {
		const connection = modbus(rtu, { unit_id: index + 1, period_ms });
		const payload = { name: `Secret boiler ${index}`, device_type: 'meter', owner_id: null, connection };
		t.is((await ask(box, { method: 'POST', url: '/devices', payload })).status, 201);
	}
	const line = encodeURIComponent('rtu /dev/ttyNowhere0 1200 8N1');
	for (const url of ['/lines', `/lines/${line}`, '/lines/budget', '/templates/eastron-sdm630']) {
		const [all, own] = [await ask(box, { url, role: 'viewer' }), await ask(box, { url, role: 'user' })];
		t.deepEqual([all.status, own.status], [200, 200], url);
		t.notRegex(JSON.stringify(own.body), /Secret boiler/, url);
		if (url === '/lines' || url === '/lines/budget') t.regex(JSON.stringify(all.body), /Secret boiler 0/, url);
	}
	const { body } = await ask(box, { url: '/templates/eastron-sdm630', role: 'user' });
	t.like(body, { used_by: [] });
	const installer: Actor = { ...actorOfRole('user'), permissions: new Set(['devices:write']) };
	const payload = { name: 'Own', device_type: 'meter', owner_id: null, connection: modbus(rtu, { unit_id: 9 }) };
	const saved = await ask(box, { method: 'POST', url: '/devices', payload, actor: installer });
	t.is(saved.status, 201, JSON.stringify(saved.body));
	t.is(saved.headers['warning'], '299 - "the line rtu /dev/ttyNowhere0 1200 8N1 needs more time than there is"');
});
