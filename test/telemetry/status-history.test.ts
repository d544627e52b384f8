import { setImmediate as nextTurn } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { deviceUid, type GatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createStatusHistory } from '../../core/telemetry/status-history.ts';
import type { ReadingListener } from '../../core/telemetry/telemetry-service.ts';
import { createDeviceTopics } from '../../gateway/broker/device-topics.ts';
import { deviceBox, deviceOf, GATEWAY } from '../fake/device-box.ts';
import { memoryTelemetry } from '../fake/memory-telemetry.ts';

async function box(t: ExecutionContext, gatewayId: GatewayId | null = GATEWAY) {
	const { devices, clock, close } = await deviceBox(gatewayId);
	t.teardown(close);
	const listeners: ReadingListener[] = [];
	const memory = memoryTelemetry(listeners);
	const history = createStatusHistory({ gatewayId, accept: memory.telemetry.accept, clock, log: silentLog });
	listeners.push(history.reading);
	devices.listen(history.device);
	const device = await devices.register({ uid: deviceUid('meter-1'), name: 'm', deviceType: 'meter' });
	const topics = createDeviceTopics({
		devices,
		telemetry: memory.telemetry,
		clock,
		log: silentLog,
		onResponse: () => undefined,
	});
	const say = (status: string) =>
		topics.receive(
			{ kind: 'device', name: device.uid, device: device.id, uid: device.uid },
			{
				topic: 'devices/meter-1/status',
				payload: Buffer.from(JSON.stringify({ status })),
				qos: 0,
				retain: false,
				dup: false,
				messageId: null,
			},
		);
	const events = async () => {
		await nextTurn();
		await nextTurn();
		return memory.readings.map(({ telemetryType, values, qualities }) => [
			telemetryType,
			values[0],
			qualities?.[0] ?? 'good',
		]);
	};
	const instants = () => memory.readings.map(({ readAt }) => readAt);
	return { devices, device, clock, say, events, instants };
}

test('what a driver finds out is an event once per change, and no sign of life', async (t) => {
	const { devices, device, clock, events } = await box(t);
	const found = (state: 'ok' | 'degraded' | 'offline', reason: string | null = null) =>
		devices.setHealth(device.id, { state, since: clock.now(), reason });
	found('ok');
	found('degraded', 'one point fails');
	found('ok');
	found('offline', 'silent');
	found('offline', 'still silent');
	found('ok');
	t.deepEqual(await events(), [
		['status', 'online', 'substituted'],
		['status', 'offline', 'substituted'],
		['status', 'online', 'substituted'],
	]);
});

test('two changes within a millisecond are two events of the history, and a clock that was set back is believed', async (t) => {
	const { devices, device, clock, events, instants } = await box(t);
	const found = (state: 'ok' | 'offline') => devices.setHealth(device.id, { state, since: clock.now(), reason: null });
	const start = clock.now();
	for (const state of ['ok', 'offline', 'ok'] as const) found(state);
	await events();
	clock.jumpTo(start - 3_600_000);
	found('offline');
	await events();
	t.deepEqual(
		instants().map((at) => at - start),
		[0, 1, 2, -3_600_000],
	);
});

test('what a device says of itself is one event per message, and a person’s word is one too', async (t) => {
	const { devices, device, say, events } = await box(t);
	await say('online');
	await say('online');
	await events();
	await say('maintenance');
	await events();
	await devices.patch(device.id, { status: 'online' });
	await events();
	await devices.patch(device.id, { status: 'maintenance' });
	t.deepEqual(await events(), [
		['status', 'online', 'good'],
		['status', 'online', 'good'],
		['status', 'maintenance', 'good'],
		['status', 'online', 'substituted'],
		['status', 'maintenance', 'substituted'],
	]);
});

test('a hub keeps events of its own devices only; those of gateways come with their history', async (t) => {
	const { devices, device, events } = await box(t, null);
	const theirs = deviceOf(1, 'meter-2');
	await devices.adopt(theirs);
	devices.setHealth(theirs.id, { state: 'ok', since: epochMs(1), reason: null });
	t.deepEqual(await events(), []);
	await devices.patch(device.id, { status: 'maintenance' });
	t.is((await events()).length, 1);
});
