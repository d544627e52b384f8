import test from 'ava';

import { systemTimer } from '../../core/journal/set-timer.ts';
import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import type { RealtimeLimits } from '../../core/realtime/realtime-server.ts';
import { createLatestValues } from '../../core/telemetry/latest-values.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createTelemetryRealtime } from '../../core/telemetry/telemetry-realtime.ts';
import { deviceBox, GATEWAY, rtuConnection } from '../fake/device-box.ts';
import { draftOf } from '../fake/memory-telemetry.ts';
import { userIdOf } from '../fake/bare-server.ts';
import { ask, heard, passOf, realtimeBox } from '../fake/realtime-box.ts';

const NOW = Date.UTC(2026, 0, 1);

async function monitoring(limits: Partial<RealtimeLimits> = {}, subscriptionsPerClient = 1_000) {
	const box = await deviceBox();
	const server = await realtimeBox(limits, { clock: systemClock, setTimer: systemTimer });
	const { realtime, passes } = server;
	passes.set('good', passOf('viewer')).set('stranger', passOf('user'));
	const latest = createLatestValues({ clock: box.clock });
	const events = createTelemetryRealtime({
		realtime,
		devices: box.devices,
		latest,
		pointFactsOf: () => null,
		clock: box.clock,
		subscriptionsPerClient,
	});
	box.devices.listen(events.device);
	const meter = await box.devices.register({
		uid: deviceUid('meter-1'),
		name: 'Main',
		deviceType: 'meter',
		connection: rtuConnection('/dev/ttyUSB0'),
	});
	return {
		...box,
		passes,
		port: server.port,
		realtime,
		latest,
		events,
		client: (token: string | null, namespace = '/monitoring', transport?: 'websocket' | 'polling') =>
			server.client(token, namespace, transport),
		meter,
		close: async () => {
			await server.close();
			await box.close();
		},
	};
}

const stamped = (reading: ReturnType<typeof draftOf>): Reading => ({
	...reading,
	origin: GATEWAY,
	epoch: 1,
	firstSeq: 1,
});

test('a connection without a valid token is refused with the error object', async (t) => {
	const { client, close } = await monitoring();
	t.teardown(close);
	const without = await heard<Error>(client(null), 'connect_error');
	t.like(without, { data: { success: false, error_code: 'NOT_AUTHENTICATED' } });
	const wrong = await heard<Error>(client('forged'), 'connect_error');
	t.like(wrong, { data: { error_code: 'INVALID_CREDENTIALS', error: { message: 'the token is not valid' } } });
	t.regex((await heard<Error>(client('good', '/'), 'connect_error')).message, /nothing in this namespace/);
});

test('REST keeps its place beside Socket.IO', async (t) => {
	const { port, close } = await monitoring();
	t.teardown(close);
	t.is(await (await fetch(`http://127.0.0.1:${port}/api/v1/devices`)).text(), 'rest');
});

for (const transport of ['websocket', 'polling'] as const)
	test(`a subscriber gets the latest values at once, then each reading once, over ${transport}`, async (t) => {
		const { client, close, latest, events, meter } = await monitoring();
		t.teardown(close);
		latest.apply(draftOf(meter.id, NOW - 1_000, { power: 1, energy: 2n ** 60n }));
		const socket = client('good', '/monitoring', transport);
		const first = heard(socket, 'telemetry');
		t.deepEqual(await ask(socket, 'subscribe_device', { device_uid: 'meter-1' }), { success: true });
		t.deepEqual(await first, {
			device_uid: 'meter-1',
			device_id: meter.id,
			data: { power: 1, energy: '1152921504606846976', timestamp: '2025-12-31T23:59:59.000Z' },
		});
		const events2: unknown[] = [];
		socket.on('telemetry', (event: unknown) => events2.push(event));
		events.reading(stamped(draftOf(meter.id, NOW, { power: 7, state: null }, ['good', 'comm_error'])));
		const status = heard(socket, 'device_status');
		const health = heard(socket, 'device_health');
		events.device.health?.(meter, { state: 'degraded', since: epochMs(NOW), reason: 'late answers' });
		events.device.status?.({ ...meter, status: 'online' });
		t.deepEqual(await status, { device_uid: 'meter-1', device_id: meter.id, status: 'online' });
		t.like(await health, { state: 'degraded', reason: 'late answers', since: '2026-01-01T00:00:00.000Z' });
		t.deepEqual(events2, [
			{
				device_uid: 'meter-1',
				device_id: meter.id,
				data: { power: 7, state: null, timestamp: '2026-01-01T00:00:00.000Z' },
				quality: { state: 'comm_error' },
			},
		]);
		t.deepEqual(await ask(socket, 'unsubscribe_device', { device_uid: meter.id }), { success: true });
		events.reading(stamped(draftOf(meter.id, NOW, { power: 8 })));
		t.deepEqual(await ask(socket, 'unsubscribe_device', { device_uid: meter.id }), { success: true });
		t.is(events2.length, 1);
	});

test('the latest values keep their own instants: one event per instant, oldest first, the newest of too many', async (t) => {
	const { client, close, latest, meter } = await monitoring();
	t.teardown(close);
	latest.apply(draftOf(meter.id, NOW - 1_000, { voltage: 230, current: 5 }));
	latest.apply(draftOf(meter.id, NOW - 60_000, { door: true }));
	latest.apply(draftOf(meter.id, NOW - 2_000, { power: null }, ['comm_error']));
	const socket = client('good');
	const events: { readonly data: Readonly<Record<string, unknown>>; readonly quality?: object }[] = [];
	socket.on('telemetry', (event) => events.push(event));
	await ask(socket, 'subscribe_device', { device_uid: 'meter-1' });
	await ask(socket, 'unsubscribe_device', { device_uid: 'meter-1' });
	t.deepEqual(
		events.map(({ data, quality }) => [data, quality]),
		[
			[{ door: true, timestamp: '2025-12-31T23:59:00.000Z' }, { door: 'stale' }],
			[{ power: null, timestamp: '2025-12-31T23:59:58.000Z' }, { power: 'comm_error' }],
			[{ voltage: 230, current: 5, timestamp: '2025-12-31T23:59:59.000Z' }, undefined],
		],
	);
	events.length = 0;
	for (let age = 1; age <= 300; age += 1) latest.apply(draftOf(meter.id, NOW - age, { [`point-${age}`]: age }));
	await ask(socket, 'subscribe_device', { device_uid: 'meter-1' });
	await ask(socket, 'unsubscribe_device', { device_uid: 'meter-1' });
	t.is(events.length, 200);
	t.deepEqual(events.at(-1)?.data, { 'point-1': 1, timestamp: '2025-12-31T23:59:59.999Z' });
});

test('bad requests are acknowledged with the error object and change nothing', async (t) => {
	const { client, close, devices } = await monitoring({}, 1);
	t.teardown(close);
	await devices.register({ uid: deviceUid('second'), name: 'x', deviceType: 'x' });
	const socket = client('good');
	const cases: readonly (readonly [unknown, string])[] = [
		[{ device_uid: 'nobody' }, 'RESOURCE_NOT_FOUND'],
		[{ device_uid: 'a/b' }, 'VALIDATION_ERROR'],
		[{}, 'VALIDATION_ERROR'],
		['meter-1', 'VALIDATION_ERROR'],
		[null, 'VALIDATION_ERROR'],
	];
	for (const [payload, code] of cases)
		t.like(await ask(socket, 'subscribe_device', payload), { success: false, error_code: code });
	t.like(await ask(socket, 'subscribe_device', { device_uid: 'meter-1' }), { success: true });
	t.like(await ask(socket, 'subscribe_device', { device_uid: 'meter-1' }), { success: true });
	t.like(await ask(socket, 'subscribe_device', { device_uid: 'second' }), { error_code: 'BUSINESS_RULE_VIOLATION' });
	const stranger = client('stranger');
	t.like(await ask(stranger, 'subscribe_device', { device_uid: 'meter-1' }), { error_code: 'RESOURCE_NOT_FOUND' });
	socket.emit('subscribe_device');
	t.like(await ask(socket, 'unsubscribe_device', { device_uid: 'meter-1' }), { success: true });
});

test('a token that ends disconnects its connection', async (t) => {
	const { client, close, passes, realtime } = await monitoring({ tokenCheckMs: 20 });
	t.teardown(close);
	const socket = client('good');
	await heard(socket, 'connect');
	passes.delete('good');
	t.is(await heard(socket, 'disconnect'), 'io server disconnect');
	t.true(realtime.connections() <= 1);
});

test('whoever may not see a device any more hears no more of it: other owner, other rights', async (t) => {
	const { client, close, devices, events, meter, passes } = await monitoring({ tokenCheckMs: 20 });
	t.teardown(close);
	await devices.patch('meter-1', { ownerId: userIdOf('user') });
	const owner = client('stranger');
	const viewer = client('good');
	const counts = { owner: 0, viewer: 0 };
	owner.on('telemetry', () => (counts.owner += 1));
	viewer.on('telemetry', () => (counts.viewer += 1));
	for (const socket of [owner, viewer])
		t.deepEqual(await ask(socket, 'subscribe_device', { device_uid: 'meter-1' }), { success: true });
	const tell = async () => {
		events.reading(stamped(draftOf(meter.id, NOW, { power: 1 })));
		for (const socket of [owner, viewer]) await ask(socket, 'unsubscribe_device', {});
	};
	await tell();
	t.deepEqual(counts, { owner: 1, viewer: 1 });
	await devices.patch('meter-1', { ownerId: null });
	await tell();
	t.deepEqual(counts, { owner: 1, viewer: 2 }, 'it is no longer the property of the one');
	passes.set('good', passOf('user'));
	// The next event, or the check, notices.
	await ask(viewer, 'unsubscribe_device', { device_uid: 'nobody' });
	await tell();
	t.deepEqual(counts, { owner: 1, viewer: 2 }, 'the other is a user without devices now');
});

test('a deleted device has no subscribers any more, and connections are limited', async (t) => {
	const { client, close, devices, events, meter } = await monitoring({ connections: 1 });
	t.teardown(close);
	const socket = client('good');
	await ask(socket, 'subscribe_device', { device_uid: 'meter-1' });
	await devices.remove('meter-1');
	let count = 0;
	socket.on('telemetry', () => (count += 1));
	events.reading(stamped(draftOf(meter.id, NOW, { power: 1 })));
	await ask(socket, 'subscribe_device', { device_uid: 'meter-1' });
	t.is(count, 0);
	await heard(client('good'), 'connect_error');
});

test('a client that asks and asks without taking anything in is owed each device once', async (t) => {
	const { client, close, latest, meter, port, realtime } = await monitoring({ waitingPackets: 200 });
	t.teardown(close);
	for (let age = 1; age <= 200; age += 1) latest.apply(draftOf(meter.id, NOW - age, { [`point-${age}`]: age }));
	const base = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`;
	const sid = /"sid":"([^"]+)"/.exec(await (await fetch(base)).text())?.[1];
	const say = (body: string) => fetch(`${base}&sid=${sid}`, { method: 'POST', body });
	await say('40/monitoring,{"token":"good"}');
	await (await fetch(`${base}&sid=${sid}`)).text();
	for (let count = 0; count < 50; count += 1) await say('42/monitoring,["subscribe_device",{"device_uid":"meter-1"}]');
	const first = await (await fetch(`${base}&sid=${sid}`)).text();
	t.is(first.split('"telemetry"').length - 1, 200, 'one snapshot waits, not fifty');
	const second = await (await fetch(`${base}&sid=${sid}`)).text();
	t.is(second.split('"telemetry"').length - 1, 200, 'and the newest when it has caught up');
	const healthy = client('good');
	t.deepEqual(await ask(healthy, 'subscribe_device', { device_uid: 'meter-1' }), { success: true });
	t.is(realtime.connections(), 2);
});

test('a client that does not take in what it is sent is disconnected, the others are not', async (t) => {
	const { client, close, events, meter, realtime, port } = await monitoring({ waitingPackets: 5 });
	t.teardown(close);
	const healthy = client('good');
	await ask(healthy, 'subscribe_device', { device_uid: 'meter-1' });
	// A long-polling client that subscribes and then never polls again.
	const base = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`;
	const opening = await (await fetch(base)).text();
	const sid = /"sid":"([^"]+)"/.exec(opening)?.[1];
	const say = (body: string) => fetch(`${base}&sid=${sid}`, { method: 'POST', body });
	await say('40/monitoring,{"token":"good"}');
	await (await fetch(`${base}&sid=${sid}`)).text();
	await say('42/monitoring,["subscribe_device",{"device_uid":"meter-1"}]');
	t.is(realtime.connections(), 2);
	const last = new Promise<void>((resolve) =>
		healthy.on('telemetry', ({ data }: { data: { power: number } }) => data.power === 59 && resolve()),
	);
	for (let number = 0; number < 60; number += 1) {
		events.reading(stamped(draftOf(meter.id, NOW + number, { power: number })));
		if (number % 10 === 9) await ask(healthy, 'subscribe_device', { device_uid: 'meter-1' });
	}
	await last;
	t.is(realtime.connections(), 1);
	t.true(healthy.connected);
});
