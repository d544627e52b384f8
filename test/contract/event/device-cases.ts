import { member } from '../../system/kit/rest.ts';
import { type EventCase, refuses, works } from '../kit/event-case.ts';
import type { MqttPeer } from '../kit/mqtt-client.ts';
import type { FieldDevice, Scene } from '../kit/scene.ts';
import { refusedPayloads } from './refused-payloads.ts';

const NAMESPACE = '/device';

/** A device that hears its commands. */
async function listening(scene: Scene): Promise<{ readonly device: FieldDevice; readonly peer: MqttPeer }> {
	const device = await scene.newDevice();
	const peer = await scene.mqtt(device);
	await peer.subscribe(`devices/${device.uid}/command`);
	return { device, peer };
}

const deviceOfRest = async ({ stage }: Scene): Promise<string> => {
	const uid = stage.unique('commanded');
	await stage.newDevice(null, { device_uid: uid });
	return uid;
};

/** The commands of a device as REST has them. */
const commandOf = (scene: Scene, uid: string, id: unknown, status: string): Promise<unknown> =>
	scene.until(`the command is ${status}`, `/devices/${uid}/commands`, (body) =>
		Array.isArray(body)
			? body.some((one: unknown) => member(one, 'id') === id && member(one, 'status') === status)
			: false,
	);

/** Events of the namespace `/device`. */
export const deviceCases: readonly EventCase[] = [
	...[{ action: 'restart', payload: { delay: 5 } }, { action: 'restart' }, 'restart'].map((command) =>
		works('onSendCommand', `the command ${JSON.stringify(command)} enters the queue`, async (t, scene, { ack }) => {
			const uid = await deviceOfRest(scene);
			const client = await scene.realtime('manager', NAMESPACE);
			const answer = await client.ask('send_command', { device_uid: uid, command });
			t.deepEqual(ack?.(answer), []);
			t.like(answer, { success: true, status: 'pending' });
			const { body } = await scene.stage.callAs('manager', 'GET', `/devices/${uid}/commands`);
			t.like(member(body, '0'), {
				id: member(answer, 'command_id'),
				command_name: 'restart',
				payload: member(command, 'payload') ?? {},
			});
		}),
	),
	works('onSendCommand', 'the owner of a device commands it without the permission (D1)', async (t, scene, { ack }) => {
		const uid = scene.stage.unique('own');
		await scene.stage.newDevice(await scene.stage.people.of('user'), { device_uid: uid });
		const client = await scene.realtime('user', NAMESPACE);
		const answer = await client.ask('send_command', { device_uid: uid, command: 'restart' });
		t.deepEqual(ack?.(answer), []);
		t.like(answer, { success: true });
	}),
	...refusedPayloads('onSendCommand', NAMESPACE, 'send_command', [
		undefined,
		{},
		{ device_uid: 'sensor-temp-001' },
		{ command: 'restart' },
		{ device_uid: 'sensor-temp-001', command: '' },
		{ device_uid: 'sensor-temp-001', command: 5 },
		{ device_uid: 'sensor-temp-001', command: {} },
		{ device_uid: 'sensor-temp-001', command: { action: '' } },
		{ device_uid: 'sensor-temp-001', command: { action: 'restart', payload: 'soon' } },
		{ device_uid: '-not/ok-', command: 'restart' },
	]),
	refuses('onSendCommand', 'a device that nobody knows', async (t, scene, { ack }) => {
		const client = await scene.realtime('manager', NAMESPACE);
		const answer = await client.ask('send_command', { device_uid: 'no-such-address', command: 'restart' });
		t.deepEqual(ack?.(answer), []);
		t.like(answer, { success: false, error_code: 'RESOURCE_NOT_FOUND' });
	}),
	...(['viewer', 'editor'] as const).map((role) =>
		refuses('onSendCommand', `a device of somebody else, as ${role} (D1)`, async (t, scene, { ack }) => {
			const uid = await deviceOfRest(scene);
			const client = await scene.realtime(role, NAMESPACE);
			const answer = await client.ask('send_command', { device_uid: uid, command: 'restart' });
			t.deepEqual(ack?.(answer), []);
			t.like(answer, { success: false, error_code: 'PERMISSION_DENIED' });
		}),
	),
	works('emitDeviceResponse', 'the answer of a device reaches who sent the command', async (t, scene, { payload }) => {
		const { device, peer } = await listening(scene);
		const client = await scene.realtime('manager', NAMESPACE);
		const answer = await client.ask('send_command', { device_uid: device.uid, command: { action: 'restart' } });
		const commandId = member(answer, 'command_id');
		await peer.heard.next('the command', (one) => member(one.payload, 'command_id') === commandId);
		await peer.publish(`devices/${device.uid}/response`, { command_id: commandId, status: 'executed', uptime: 3 });
		const heard = await client.heard.next('device_response', (one) => one.event === 'device_response');
		t.deepEqual(payload(heard.payload), []);
		t.like(heard.payload, { device_uid: device.uid });
		t.like(member(heard.payload, 'data'), { command_id: commandId, status: 'executed', uptime: 3 });
		await commandOf(scene, device.uid, commandId, 'executed');
	}),
	refuses('emitDeviceResponse', 'who sent no command to the device hears nothing', async (t, scene) => {
		const { device, peer } = await listening(scene);
		const sender = await scene.realtime('manager', NAMESPACE);
		const other = await scene.realtime('manager', NAMESPACE);
		const answer = await sender.ask('send_command', { device_uid: device.uid, command: 'restart' });
		const commandId = member(answer, 'command_id');
		await peer.heard.next('the command', (one) => member(one.payload, 'command_id') === commandId);
		await peer.publish(`devices/${device.uid}/response`, { command_id: commandId });
		await sender.heard.next('device_response', (one) => one.event === 'device_response');
		t.deepEqual(other.heard.all(), []);
	}),
];
