import { member } from '../../system/kit/rest.ts';
import { type EventCase, refuses, works } from '../kit/event-case.ts';
import type { Heard, RealtimeClient } from '../kit/realtime-client.ts';
import type { Scene } from '../kit/scene.ts';
import { refusedPayloads } from './refused-payloads.ts';

const NAMESPACE = '/monitoring';

const isAbout =
	(event: string, uid: string) =>
	(heard: Heard): boolean =>
		heard.event === event && member(heard.payload, 'device_uid') === uid;

const metric = ({ payload }: Heard, name: string): unknown => member(member(payload, 'data'), name);

/** A client that is subscribed to a new device of REST. */
async function subscribed(scene: Scene, transport?: 'polling'): Promise<{ uid: string; client: RealtimeClient }> {
	const uid = scene.stage.unique('watched');
	await scene.stage.newDevice(null, { device_uid: uid });
	const client = await scene.realtime('viewer', NAMESPACE, transport);
	await client.ask('subscribe_device', { device_uid: uid });
	return { uid, client };
}

const subscription = (event: string, id: string): readonly EventCase[] => [
	works(id, 'acknowledged with success', async (t, scene, { ack }) => {
		const { uid, client } = await subscribed(scene);
		const answer = await client.ask(event, { device_uid: uid, surprise: 1 });
		t.deepEqual(ack?.(answer), []);
		t.like(answer, { success: true });
	}),
	...refusedPayloads(id, NAMESPACE, event, [
		undefined,
		null,
		'a text',
		{},
		{ device_uid: 5 },
		{ device_uid: '-not/ok-' },
	]),
	refuses(id, 'a device that nobody knows', async (t, scene, { ack }) => {
		const client = await scene.realtime('viewer', NAMESPACE);
		const answer = await client.ask(event, { device_uid: 'no-such-address' });
		t.deepEqual(ack?.(answer), []);
		t.like(answer, { success: false, error_code: 'RESOURCE_NOT_FOUND' });
	}),
	refuses(id, 'a device of somebody else, as user (D2)', async (t, scene, { ack }) => {
		const uid = scene.stage.unique('private');
		await scene.stage.newDevice(null, { device_uid: uid });
		const client = await scene.realtime('user', NAMESPACE);
		const answer = await client.ask(event, { device_uid: uid });
		t.deepEqual(ack?.(answer), []);
		t.like(answer, { success: false, error_code: 'RESOURCE_NOT_FOUND' });
	}),
];

/** Events of the namespace `/monitoring`. */
export const monitoringCases: readonly EventCase[] = [
	...subscription('subscribe_device', 'onSubscribeDevice'),
	...subscription('unsubscribe_device', 'onUnsubscribeDevice'),
	works('onUnsubscribeDevice', 'nothing of the device arrives afterwards', async (t, scene) => {
		const { uid, client } = await subscribed(scene);
		const other = await scene.realtime('viewer', NAMESPACE);
		await other.ask('subscribe_device', { device_uid: uid });
		await client.ask('unsubscribe_device', { device_uid: uid });
		await scene.stage.newTelemetry(uid, { temperature: 1 });
		await other.heard.next('telemetry', isAbout('telemetry', uid));
		t.deepEqual(client.heard.all(), []);
	}),
	...(['websocket', 'polling'] as const).map((transport) =>
		works('emitTelemetry', `what is measured arrives over ${transport}`, async (t, scene, { payload }) => {
			const { uid, client } = await subscribed(scene, transport === 'polling' ? transport : undefined);
			await scene.stage.newTelemetry(uid, { temperature: 23.5 });
			const heard = await client.heard.next('telemetry', isAbout('telemetry', uid));
			t.deepEqual(payload(heard.payload), []);
			t.is(metric(heard, 'temperature'), 23.5);
		}),
	),
	works('emitTelemetry', 'what a device says over MQTT arrives', async (t, scene, { payload }) => {
		const device = await scene.newDevice();
		const client = await scene.realtime('viewer', NAMESPACE);
		await client.ask('subscribe_device', { device_uid: device.uid });
		const peer = await scene.mqtt(device);
		await peer.publish(`devices/${device.uid}/telemetry`, { temperature: 23.5 });
		const heard = await client.heard.next('telemetry', isAbout('telemetry', device.uid));
		t.deepEqual(payload(heard.payload), []);
		t.is(metric(heard, 'temperature'), 23.5);
	}),
	refuses('emitTelemetry', 'nothing arrives of a device that is not subscribed to', async (t, scene) => {
		const { uid, client } = await subscribed(scene);
		const other = scene.stage.unique('unwatched');
		await scene.stage.newDevice(null, { device_uid: other });
		await scene.stage.newTelemetry(other, { temperature: 1 });
		await scene.stage.newTelemetry(uid, { temperature: 2 });
		await client.heard.next('telemetry', isAbout('telemetry', uid));
		t.deepEqual(client.heard.all().filter(isAbout('telemetry', other)), []);
	}),
	works('emitDeviceStatus', 'what a device says of itself over MQTT arrives', async (t, scene, { payload }) => {
		const device = await scene.newDevice();
		const client = await scene.realtime('viewer', NAMESPACE);
		await client.ask('subscribe_device', { device_uid: device.uid });
		const peer = await scene.mqtt(device);
		for (const status of ['online', 'maintenance', 'offline']) {
			await peer.publish(`devices/${device.uid}/status`, { status });
			const heard = await client.heard.next(
				status,
				(one) => isAbout('device_status', device.uid)(one) && member(one.payload, 'status') === status,
			);
			t.deepEqual(payload(heard.payload), []);
		}
	}),
	works('emitDeviceStatus', 'a status that is set over REST arrives', async (t, scene, { payload }) => {
		const { uid, client } = await subscribed(scene);
		await scene.stage.callAs('manager', 'PATCH', `/devices/${uid}`, { status: 'maintenance' });
		const heard = await client.heard.next('device_status', isAbout('device_status', uid));
		t.deepEqual(payload(heard.payload), []);
		t.is(member(heard.payload, 'status'), 'maintenance');
	}),
];
