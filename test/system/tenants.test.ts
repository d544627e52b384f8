import test, { type ExecutionContext } from 'ava';

import { type Rest, claim, createRest, member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';

const ELSEWHERE = '7e000000-0000-4000-8000-000000000001';
const PASSWORD = 'correct horse battery';

/** A box with one device of its own tenant, and somebody of another tenant with every permission that the superadmin's level has not alone. */
async function guestOn(t: ExecutionContext, role: 'gateway' | 'hub') {
	const stage = createStage(t);
	const hull = role === 'hub' ? await stage.spawnHub() : await stage.spawnGateway({ devices: [] });
	const host = await claim(hull.url(), await hull.claimCode());
	const body = { email: 'guest@example.com', password: PASSWORD, role: 'admin', tenant_id: ELSEWHERE };
	t.is((await host.post('/api/v1/users', body)).status, 201);
	const { body: tokens } = await createRest(hull.url(), null).post('/api/v1/auth/login', body);
	const guest = createRest(hull.url(), String(member(tokens, 'access_token')));
	const device = await host.post('/api/v1/devices', { name: 'Meter', device_type: 'meter', device_uid: 'meter-1' });
	t.is(device.status, 201);
	return { host, guest, id: String(member(device.body, 'id')), ownerId: String(member(device.body, 'owner_id')) };
}

/** Answers of another tenant's device are those of a device that is nowhere. */
async function seesNothing(t: ExecutionContext, guest: Rest, references: readonly string[]): Promise<void> {
	for (const reference of references) {
		const base = `/api/v1/devices/${reference}`;
		for (const path of ['', '/telemetry', '/latest', '/series?points=a', '/commands'])
			t.is((await guest.get(`${base}${path}`)).status, 404, `GET ${base}${path}`);
		t.is((await guest.patch(base, { name: 'mine' })).status, 404);
		t.is((await guest.delete(base)).status, 404);
		t.is((await guest.post(`${base}/telemetry`, { telemetry_type: 'x', payload: { a: 1 } })).status, 404);
		t.is((await guest.post(`${base}/commands`, { command_name: 'x', payload: {} })).status, 404);
		t.is((await guest.post(`/api/v1/analytics/reports/${reference}`, {})).status, 404);
	}
	const rule = { name: 'x', metric: 'a', condition: 'gt', threshold: 1, device_id: references[0] };
	t.is((await guest.post('/api/v1/monitoring/alert-rules', rule)).status, 422);
	t.deepEqual((await guest.get('/api/v1/devices?limit=10')).body, []);
}

test('on a gateway the people of another tenant get at no device and at nothing of the box', async (t) => {
	const { guest, host, id, ownerId } = await guestOn(t, 'gateway');
	await seesNothing(t, guest, [id, 'meter-1']);
	for (const reference of [id, 'meter-1']) {
		t.is((await guest.post(`/api/v1/devices/${reference}/mqtt-credentials`, {})).status, 404);
		t.is((await guest.delete(`/api/v1/devices/${reference}/mqtt-credentials`)).status, 404);
	}
	t.is((await guest.post('/api/v1/mqtt/readers', { name: 'spy' })).status, 403);
	for (const path of ['/mqtt/readers', '/mqtt/knocking', '/lines'])
		t.is((await guest.get(`/api/v1${path}`)).status, 403, path);
	t.is((await guest.get('/metrics')).status, 403);
	t.is((await guest.delete('/api/v1/uplink')).status, 403);
	const own = await guest.post('/api/v1/devices', { name: 'Own', device_type: 'meter' });
	t.is(own.status, 201);
	const ownPath = `/api/v1/devices/${String(member(own.body, 'id'))}`;
	t.is((await guest.patch(ownPath, { owner_id: '00000000-0000-4000-8000-000000000000' })).status, 422);
	t.is((await guest.get('/api/v1/audit')).status, 200);
	t.is((await host.patch(ownPath, { owner_id: ownerId })).status, 200, 'a superadmin is at home in all tenants');
});

test('on a hub an address belongs to a tenant, and says nothing of those of others', async (t) => {
	const { guest, host, id } = await guestOn(t, 'hub');
	await seesNothing(t, guest, [id, 'meter-1']);
	const twin = { name: 'Twin', device_type: 'meter', device_uid: 'meter-1' };
	t.is((await guest.post('/api/v1/devices', twin)).status, 201);
	t.is((await guest.post('/api/v1/devices', twin)).status, 409);
	t.is(member((await guest.get('/api/v1/devices/meter-1')).body, 'name'), 'Twin');
	t.is((await host.get(`/api/v1/devices/${id}`)).status, 200);
	const changed = await host.patch(
		`/api/v1/devices/${String(member((await guest.get('/api/v1/devices/meter-1')).body, 'id'))}`,
		{
			name: 'Renamed',
		},
	);
	t.is(changed.status, 200);
	const { body: seen } = await guest.get('/api/v1/audit?action=updateDevice&outcome=done');
	t.true(
		Array.isArray(seen) && seen.length === 1,
		'what a superadmin changes is told to the tenant that it belongs to',
	);
	const own = String(member((await guest.get('/api/v1/devices/meter-1')).body, 'id'));
	t.is((await host.post(`/api/v1/devices/${own}/commands`, { command_name: 'x', payload: {} })).status, 201);
	const { body: commands } = await guest.get('/api/v1/audit?action=createCommand');
	t.true(Array.isArray(commands) && commands.length === 1);
});
