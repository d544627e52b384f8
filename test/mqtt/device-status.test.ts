import test, { type ExecutionContext } from 'ava';

import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createDeviceTopics } from '../../gateway/broker/device-topics.ts';
import { deviceBox } from '../fake/device-box.ts';
import { memoryTelemetry } from '../fake/memory-telemetry.ts';

async function box(t: ExecutionContext) {
	const { devices, clock, close } = await deviceBox();
	t.teardown(close);
	const { telemetry } = memoryTelemetry();
	const topics = createDeviceTopics({ devices, telemetry, clock, log: silentLog, onResponse: () => undefined });
	devices.listen(topics.device);
	const { id, uid } = await devices.register({ uid: deviceUid('pump'), name: 'pump', deviceType: 'pump' });
	const account = { kind: 'device', name: uid, device: id, uid } as const;
	const say = (status: string) =>
		topics.receive(account, {
			topic: `devices/${uid}/status`,
			payload: Buffer.from(JSON.stringify({ status })),
			qos: 0,
			retain: false,
			dup: false,
			messageId: null,
		});
	const status = () => devices.get(uid).status;
	const set = (wanted: 'online' | 'maintenance') => devices.patch(uid, { status: wanted });
	return { say, status, set };
}

test('a device ends the maintenance into which it has put itself', async (t) => {
	const { say, status } = await box(t);
	await say('maintenance');
	t.is(status(), 'maintenance');
	await say('online');
	t.is(status(), 'online');
});

test('a device does not end the maintenance into which people have put it', async (t) => {
	const { say, status, set } = await box(t);
	await set('maintenance');
	await say('online');
	t.is(status(), 'maintenance');
});

test('what people decide about a maintenance of the device itself makes it theirs', async (t) => {
	const { say, status, set } = await box(t);
	await say('maintenance');
	await set('online');
	await set('maintenance');
	await say('offline');
	t.is(status(), 'maintenance');
});
