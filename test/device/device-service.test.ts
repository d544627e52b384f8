import test from 'ava';

import type { Connection } from '../../config/connection/connection.ts';

import { epochMs } from '../../core/kernel/clock.ts';
import type { Actor } from '../../core/identity/role.ts';
import { DEFAULT_TENANT, deviceUid, gatewayId, tenantId, type TenantId } from '../../core/kernel/id.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { deviceBox, deviceOf, GATEWAY, LOCAL, NOBODY, rtuConnection } from '../fake/device-box.ts';

const OTHER_GATEWAY = gatewayId('9a000000-0000-4000-8000-000000000002');

test('a device is found under its id and its address, also after a restart', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const device = await box.devices.register({ uid: deviceUid('meter-1'), name: 'Main', deviceType: 'meter' });
	t.is(box.devices.get('meter-1').id, device.id);
	const again = await box.reopen();
	t.deepEqual(again.get(device.id), device);
	t.throws(() => again.get('meter-2'), { message: 'device meter-2 does not exist' });
	t.is(again.find('not a uid'), null);
});

test('an address is taken once, and free again when its device is deleted', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const meter = { uid: deviceUid('meter-1'), name: 'Main', deviceType: 'meter' };
	const results = await Promise.allSettled([box.devices.register(meter), box.devices.register(meter)]);
	t.deepEqual(
		results.map(({ status }) => status),
		['fulfilled', 'rejected'],
	);
	await box.devices.remove('meter-1');
	t.is(box.devices.find('meter-1'), null);
	await box.devices.register(meter);
	t.is(box.devices.all().length, 1);
	const first = box.devices.get('meter-1');
	await t.throwsAsync(box.devices.register({ ...meter, uid: deviceUid(first.id) }), { message: /already exists/ });
});

test('rules name the field and the other device', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const meter = { name: 'Meter', deviceType: 'meter' };
	await box.devices.register({ ...meter, uid: deviceUid('a'), connection: rtuConnection('/dev/ttyUSB0') });
	await box.devices.register({ ...meter, uid: deviceUid('b'), connection: rtuConnection('/dev/ttyUSB0', 9600, 2) });
	await t.throwsAsync(box.devices.register({ ...meter, connection: rtuConnection('/dev/ttyUSB0', 19_200) }), {
		message: 'connection.line.path: /dev/ttyUSB0 is used by device a with 9600 8N1, not 19200 8N1',
	});
	await t.throwsAsync(box.devices.patch('b', { connection: rtuConnection('/dev/ttyUSB0', 19_200) }), {
		message: /used by device a/,
	});
	await t.notThrowsAsync(box.devices.register({ ...meter, connection: rtuConnection('/dev/ttyUSB1', 19_200) }));
	const unknown = { ...rtuConnection('/dev/ttyUSB2'), template: 'nobody' };
	await t.throwsAsync(
		box.devices.register({ ...meter, connection: unknown.driver === 'modbus' ? unknown : { driver: 'mqtt' } }),
		{ message: 'connection.template: there is no device template nobody' },
	);
	await t.throwsAsync(box.devices.register({ ...meter, ownerId: NOBODY }), { message: /owner_id: .* is not a user/ });
});

test('a port is one port under all of its names, and a contradiction names both', async (t) => {
	const links = new Map<string, string>();
	const box = await deviceBox(GATEWAY, undefined, {
		// The way of a path counts as it was last looked at.
		look: (paths) =>
			Promise.resolve(paths.forEach((path) => links.set(path, path.replace('/by-id/meters', '/ttyUSB0')))),
		nameOf: (path) => links.get(path) ?? path,
	});
	t.teardown(box.close);
	const meter = { name: 'Meter', deviceType: 'meter' };
	await box.devices.register({ ...meter, uid: deviceUid('a'), connection: rtuConnection('/dev/by-id/meters') });
	await t.throwsAsync(box.devices.register({ ...meter, connection: rtuConnection('/dev/ttyUSB0', 19_200) }), {
		message: 'connection.line.path: /dev/ttyUSB0 is used by device a as /dev/by-id/meters with 9600 8N1, not 19200 8N1',
	});
	await box.devices.register({ ...meter, uid: deviceUid('b'), connection: rtuConnection('/dev/ttyUSB0', 9600, 2) });
	await t.throwsAsync(box.devices.patch('b', { connection: rtuConnection('/dev/ttyUSB0', 19_200) }), {
		message: /used by device a as \/dev\/by-id\/meters with/,
	});
	t.is(box.devices.all().length, 2);
});

test('settings declare devices once; what people changed afterwards stays', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const declared = [{ uid: deviceUid('meter-1'), name: 'From the file', deviceType: 'meter' }];
	await box.devices.declare(declared);
	await box.devices.patch('meter-1', { name: 'By hand' });
	await box.devices.declare(declared);
	t.deepEqual(
		box.devices.all().map(({ name, revision }) => [name, revision]),
		[['By hand', 2]],
	);
});

test('a declared device keeps its id when the documents were lost; declared again after its deletion it is another one', async (t) => {
	const declared = [{ uid: deviceUid('meter-1'), name: 'From the file', deviceType: 'meter' }];
	const before = await deviceBox();
	t.teardown(before.close);
	await before.devices.declare(declared);
	const { id } = before.devices.get('meter-1');

	const after = await deviceBox();
	t.teardown(after.close);
	await after.devices.declare(declared);
	t.is(after.devices.get('meter-1').id, id);

	await after.devices.remove('meter-1');
	await after.devices.declare(declared);
	t.not(after.devices.get('meter-1').id, id);
});

test('a declared device whose template is missing is there all the same, but nobody may register one', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const known = rtuConnection('/dev/ttyS1');
	if (known.driver !== 'modbus') return t.fail();
	const connection: Connection = { ...known, template: 'not-there' };
	const wanted = { uid: deviceUid('meter-1'), name: 'Main', deviceType: 'meter', connection };
	await t.throwsAsync(box.devices.register(wanted), { message: /there is no device template not-there/ });
	await box.devices.declare([wanted, { uid: deviceUid('meter-2'), name: 'Other', deviceType: 'meter' }]);
	t.deepEqual(
		box.devices
			.all()
			.map(({ uid }) => String(uid))
			.toSorted(),
		['meter-1', 'meter-2'],
	);
});

test('health drives the status, but never ends a maintenance', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const heard: string[] = [];
	const device = await box.devices.register({ uid: deviceUid('meter-1'), name: 'Main', deviceType: 'meter' });
	const stopListening = box.devices.listen({
		status: ({ status }) => void heard.push(status),
		health: (_device, { state }) => void heard.push(`health ${state}`),
	});
	const health = (state: 'ok' | 'degraded' | 'offline') =>
		box.devices.setHealth(device.id, { state, since: box.clock.now(), reason: state === 'ok' ? null : 'no answer' });
	health('ok');
	health('ok');
	health('degraded');
	await box.devices.patch('meter-1', { status: 'maintenance' });
	health('offline');
	t.is(box.devices.get('meter-1').status, 'maintenance');
	await box.devices.patch('meter-1', { status: 'online' });
	t.is(box.devices.get('meter-1').status, 'offline');
	health('ok');
	t.deepEqual(heard, [
		'health ok',
		'online',
		'health degraded',
		'maintenance',
		'health offline',
		'offline',
		'health ok',
		'online',
	]);
	t.is(box.devices.health(box.devices.get('meter-1')).state, 'ok');
	stopListening();
	const again = await box.reopen();
	t.is(again.get('meter-1').status, 'online');
});

test('a sign of life is in memory at once and on disk with the next flush, without a new revision', async (t) => {
	const box = await deviceBox();
	t.teardown(box.close);
	const changed: number[] = [];
	const device = await box.devices.register({ uid: deviceUid('meter-1'), name: 'Main', deviceType: 'meter' });
	box.devices.listen({ changed: ({ revision }) => void changed.push(revision) });
	box.devices.markSeen(device.id, epochMs(5_000));
	box.devices.markSeen(device.id, epochMs(4_000));
	t.is(box.devices.get('meter-1').lastSeenAt, epochMs(5_000));
	await box.devices.flushSeen();
	const again = await box.reopen();
	t.is(again.get('meter-1').lastSeenAt, epochMs(5_000));
	t.is(again.get('meter-1').revision, 1);
	t.deepEqual(changed, []);
});

test('on the hub the last word of the gateway counts: an equal document is no change, also after one of a restored gateway', async (t) => {
	const box = await deviceBox(null);
	t.teardown(box.close);
	const heard: string[] = [];
	box.devices.listen({ changed: ({ name }) => void heard.push(name), status: ({ status }) => void heard.push(status) });
	t.true(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 3, name: 'third' })));
	t.false(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 3, name: 'third' })));
	t.true(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 4, name: 'fourth', status: 'online' })));
	t.true(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 3, name: 'restored', status: 'online' })));
	t.true(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 4, name: 'renamed', status: 'online' })));
	t.deepEqual(heard, ['third', 'offline', 'fourth', 'online', 'restored', 'renamed']);
	t.is(box.devices.get('meter-1').name, 'renamed');
	await t.throwsAsync(box.devices.adopt(deviceOf(1, 'meter-1', { revision: 9, gatewayId: OTHER_GATEWAY })), {
		message: /belongs to 9a000000-0000-4000-8000-000000000001/,
	});
	await t.throwsAsync(box.devices.patch('meter-1', { status: 'maintenance' }), {
		message: /status: .* belongs to gateway .*: change it there/,
	});
	await t.throwsAsync(box.devices.remove('meter-1'), { message: /belongs to gateway .*: change it there/ });
	t.true(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 5, deletedAt: epochMs(9) })));
	t.is(box.devices.find('meter-1'), null);
	t.false(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 5, deletedAt: epochMs(9) })));
});

test('a status found out on the hub never takes a revision of the gateway', async (t) => {
	const box = await deviceBox(null);
	t.teardown(box.close);
	await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 3, status: 'online' }));
	box.devices.setStatus(deviceOf(1, 'x').id, 'offline');
	t.is(box.devices.get('meter-1').status, 'offline');
	t.true(await box.devices.adopt(deviceOf(1, 'meter-1', { revision: 4, status: 'online' })));
	t.is(box.devices.get('meter-1').status, 'online');
});

test('an address that two gateways use asks for the id', async (t) => {
	const box = await deviceBox(null);
	t.teardown(box.close);
	await box.devices.adopt(deviceOf(1, 'meter-1', { gatewayId: GATEWAY }));
	await box.devices.adopt(deviceOf(2, 'meter-1', { gatewayId: OTHER_GATEWAY }));
	t.throws(() => box.devices.get('meter-1'), { message: /ambiguous .* use the id/ });
	t.is(box.devices.get(deviceOf(2, 'x').id).gatewayId, OTHER_GATEWAY);
});

test('lists are newest first, and pages by cursor meet without gap or repetition', async (t) => {
	const box = await deviceBox(null);
	t.teardown(box.close);
	for (let number = 1; number <= 7; number += 1)
		await box.devices.adopt(deviceOf(number, `m-${number}`, { createdAt: epochMs(1_000 + (number >> 1)) }));
	const whole = box.devices.all().map(({ uid }) => uid);
	t.deepEqual(whole.map(String), ['m-6', 'm-7', 'm-4', 'm-5', 'm-2', 'm-3', 'm-1']);
	const walked: string[] = [];
	for (let part = box.devices.after(null, 3); part.length > 0; part = box.devices.after(part.at(-1) ?? null, 3))
		walked.push(...part.map(({ uid }) => uid));
	t.deepEqual(walked, whole);
	t.deepEqual(
		box.devices.page({ skip: 5, limit: 5 }).items.map(({ uid }) => String(uid)),
		['m-3', 'm-1'],
	);
});

const ELSEWHERE = tenantId('7e000000-0000-4000-8000-000000000001');
const managerOf = (tenant: TenantId): Actor => ({ ...actorOfRole('manager'), tenantId: tenant });

test('an address of another tenant is neither found, nor in the way, nor taken', async (t) => {
	const { devices, close } = await deviceBox(null);
	t.teardown(close);
	await devices.adopt(deviceOf(1, 'meter-1'));
	await devices.adopt(deviceOf(2, 'meter-1', { gatewayId: OTHER_GATEWAY, tenantId: ELSEWHERE }));
	for (const [tenant, number] of [
		[DEFAULT_TENANT, 1],
		[ELSEWHERE, 2],
	] as const) {
		t.is(devices.get('meter-1', managerOf(tenant)).id, deviceOf(number, 'x').id);
		t.is(devices.find(deviceOf(3 - number, 'x').id, managerOf(tenant)), null);
	}
	t.throws(() => devices.get('meter-1', actorOfRole('superadmin')), { message: /ambiguous/ });
	const pump = { uid: deviceUid('pump-1'), name: 'Pump', deviceType: 'pump' };
	await devices.register(pump);
	await t.notThrowsAsync(devices.register({ ...pump, tenantId: ELSEWHERE }));
	await t.throwsAsync(devices.register(pump), { message: /already exists/ });
});

test('the owner of a device is at home in its tenant', async (t) => {
	const { devices, close } = await deviceBox();
	t.teardown(close);
	const meter = { name: 'Meter', deviceType: 'meter', tenantId: ELSEWHERE };
	await t.throwsAsync(devices.register({ ...meter, ownerId: LOCAL }), { message: /owner_id: .* is not a user/ });
	const { id } = await devices.register(meter);
	await t.throwsAsync(devices.patch(id, { ownerId: LOCAL }), { message: /owner_id: .* is not a user/ });
	await t.notThrowsAsync(devices.register({ ...meter, tenantId: DEFAULT_TENANT, ownerId: LOCAL }));
});

test('a gateway cannot fill the hub with devices', async (t) => {
	const { devices, reopen, close } = await deviceBox(null, 2);
	t.teardown(close);
	await devices.adopt(deviceOf(1, 'a'));
	await devices.adopt(deviceOf(2, 'b', { deletedAt: epochMs(1) }));
	await t.throwsAsync(devices.adopt(deviceOf(3, 'c')), { message: /has 2 devices here/ });
	t.true(await devices.adopt(deviceOf(1, 'a', { name: 'changed' })), 'a known one may change');
	t.true(await devices.adopt(deviceOf(4, 'd', { gatewayId: OTHER_GATEWAY })), 'another gateway has its own share');
	const again = await reopen();
	await t.throwsAsync(again.adopt(deviceOf(3, 'c')), { message: /has 2 devices here/ });
});
