import { randomUUID } from 'node:crypto';

import type { ExecutionContext } from 'ava';

import { member } from '../../system/kit/rest.ts';
import { type EventCase, refuses, works } from '../kit/event-case.ts';
import type { EventOperation } from '../kit/event-document.ts';
import type { MqttPeer } from '../kit/mqtt-client.ts';
import type { FieldDevice, Scene } from '../kit/scene.ts';

async function connected(scene: Scene): Promise<{ readonly device: FieldDevice; readonly peer: MqttPeer }> {
	const device = await scene.newDevice();
	return { device, peer: await scene.mqtt(device) };
}

/** The records of a device, newest first, once there are as many of the type. */
async function recordsOf(scene: Scene, uid: string, type: string, count: number): Promise<readonly unknown[]> {
	const ofType = (body: unknown): readonly unknown[] =>
		Array.isArray(body) ? body.filter((record: unknown) => member(record, 'telemetry_type') === type) : [];
	const body = await scene.until(
		`${count} records of type ${type}`,
		`/devices/${uid}/telemetry?limit=200`,
		(records) => ofType(records).length >= count,
	);
	return ofType(body);
}

/** Messages that break their schema: acknowledged, and nothing comes of them. */
const ignored = (event: string, topic: string, messages: readonly (string | object)[]): readonly EventCase[] =>
	messages.map((message) =>
		refuses(
			event,
			`the message ${typeof message === 'string' ? message : JSON.stringify(message)}`,
			async (t, scene) => {
				const { device, peer } = await connected(scene);
				await peer.publish(`devices/${device.uid}/${topic}`, message);
				await peer.publish(`devices/${device.uid}/telemetry`, { marker: 1 });
				await recordsOf(scene, device.uid, 'default', 1);
				const { body } = await scene.stage.callAs('superadmin', 'GET', `/devices/${device.uid}/telemetry?limit=200`);
				t.is(Array.isArray(body) ? body.length : null, 1);
			},
		),
	);

const upward: readonly EventCase[] = [
	works('onDeviceTelemetry', 'is stored as a record of telemetry', async (t, scene, { example }) => {
		const { device, peer } = await connected(scene);
		await peer.publish(`devices/${device.uid}/telemetry`, Object(example));
		const [record] = await recordsOf(scene, device.uid, 'default', 1);
		t.deepEqual(member(record, 'payload'), example);
	}),
	works('onDeviceTelemetry', 'carries its own time and type', async (t, scene) => {
		const { device, peer } = await connected(scene);
		const timestamp = '2025-08-22T14:34:56+02:00';
		const message = {
			timestamp,
			telemetry_type: 'environment',
			temperature: 22.5,
			open: true,
			note: 'ok',
			more: { a: [1] },
		};
		await peer.publish(`devices/${device.uid}/telemetry`, message);
		const [record] = await recordsOf(scene, device.uid, 'environment', 1);
		t.like(record, {
			recorded_at: '2025-08-22T12:34:56.000Z',
			payload: { temperature: 22.5, open: true, note: 'ok', more: { a: [1] } },
		});
	}),
	...ignored('onDeviceTelemetry', 'telemetry', ['no json', '[]', '5', {}, { timestamp: 'yesterday', temperature: 1 }]),
	...['online', 'maintenance', 'offline'].map((status) =>
		works('onDeviceStatus', `${status} sets the status and is logged`, async (t, scene) => {
			const { device, peer } = await connected(scene);
			await peer.publish(`devices/${device.uid}/status`, { status });
			const body = await scene.until(
				status,
				`/devices/${device.uid}`,
				(found) => member(found, 'status') === status && member(found, 'last_seen_at') !== null,
			);
			t.is(member(body, 'status'), status);
			const [record] = await recordsOf(scene, device.uid, 'status', 1);
			t.like(record, { payload: { status } });
		}),
	),
	...ignored('onDeviceStatus', 'status', ['no json', {}, { status: 'asleep' }, { status: 1 }]),
	works('onDeviceLog', 'is stored', async (t, scene, { example }) => {
		const { device, peer } = await connected(scene);
		await peer.publish(`devices/${device.uid}/log`, Object(example));
		const [record] = await recordsOf(scene, device.uid, 'log', 1);
		t.deepEqual(member(record, 'payload'), example);
	}),
	...ignored('onDeviceLog', 'log', ['no json', {}, { event_type: 5 }]),
	...[
		{ answer: { status: 'executed' }, status: 'executed' },
		{ answer: { status: 'failed', reason: 'stuck' }, status: 'failed' },
		{ answer: {}, status: 'executed' },
	].map(({ answer, status }) =>
		works('onDeviceResponse', `${JSON.stringify(answer)} makes the command ${status}`, async (t, scene) => {
			const { device, peer } = await connected(scene);
			await peer.subscribe(`devices/${device.uid}/command`);
			const id = await scene.stage.newCommand(device.uid);
			await peer.heard.next('the command', ({ payload }) => member(payload, 'command_id') === id);
			await peer.publish(`devices/${device.uid}/response`, { command_id: id, ...answer });
			const body = await scene.until(status, `/devices/${device.uid}/commands`, (commands) =>
				Array.isArray(commands) ? member(commands[0], 'status') === status : false,
			);
			t.like(member(body, '0'), { id, status });
		}),
	),
	...[{ status: 'executed' }, { command_id: 'not-a-uuid' }, { command_id: randomUUID(), status: 'asleep' }].map(
		(message) =>
			refuses(
				'onDeviceResponse',
				`the message ${JSON.stringify(Object.keys(message))} changes no command`,
				async (t, scene) => {
					const { device, peer } = await connected(scene);
					await peer.subscribe(`devices/${device.uid}/command`);
					const id = await scene.stage.newCommand(device.uid);
					await peer.heard.next('the command', ({ payload }) => member(payload, 'command_id') === id);
					await peer.publish(`devices/${device.uid}/response`, message);
					await peer.publish(`devices/${device.uid}/telemetry`, { marker: 1 });
					await recordsOf(scene, device.uid, 'default', 1);
					const { body } = await scene.stage.callAs('superadmin', 'GET', `/devices/${device.uid}/commands`);
					t.not(member(member(body, '0'), 'status'), 'executed');
				},
			),
	),
];

/** Sends a command over REST and hears what reaches the device on a topic. */
async function delivered(
	t: ExecutionContext,
	scene: Scene,
	{ payload }: EventOperation,
	topic: string,
	command: object,
): Promise<{ readonly device: FieldDevice; readonly id: unknown; readonly heard: unknown }> {
	const { device, peer } = await connected(scene);
	await peer.subscribe(`devices/${device.uid}/#`);
	const { status, text, body } = await scene.stage.callAs(
		'manager',
		'POST',
		`/devices/${device.uid}/commands`,
		command,
	);
	t.is(status, 201, text);
	const { payload: heard } = await peer.heard.next(topic, (one) => one.topic === `devices/${device.uid}/${topic}`);
	t.deepEqual(payload(heard), []);
	return { device, id: member(body, 'id'), heard };
}

const downward: readonly EventCase[] = [
	works('publishCommand', 'a command reaches the device and is sent then', async (t, scene, event) => {
		const command = { command_name: 'restart', payload: { delay: 5 } };
		const { device, id, heard } = await delivered(t, scene, event, 'command', command);
		t.deepEqual(heard, { action: 'restart', command_id: id, payload: { delay: 5 } });
		await scene.until('sent', `/devices/${device.uid}/commands`, (commands) =>
			Array.isArray(commands) ? member(commands[0], 'status') === 'sent' : false,
		);
	}),
	works('publishCommand', 'a device that comes later hears what waits for it', async (t, scene, { payload }) => {
		const device = await scene.newDevice();
		const id = await scene.stage.newCommand(device.uid);
		const peer = await scene.mqtt(device);
		await peer.subscribe(`devices/${device.uid}/command`);
		const heard = await peer.heard.next('the command', (one) => member(one.payload, 'command_id') === id);
		t.deepEqual(payload(heard.payload), []);
	}),
	works('publishConfig', 'the command configure sends its settings', async (t, scene, event) => {
		const { heard } = await delivered(t, scene, event, 'config', {
			command_name: 'configure',
			payload: { interval: 30 },
		});
		t.like(heard, { interval: 30 });
	}),
	works('publishOta', 'the command update_firmware sends the address', async (t, scene, event) => {
		const url = 'https://gateway.example.com/api/firmware/versions/1.3.0/download';
		const { heard } = await delivered(t, scene, event, 'ota', { command_name: 'update_firmware', payload: { url } });
		t.like(heard, { url, action: 'update' });
	}),
];

/** Topics of MQTT, upward and downward. */
export const topicCases: readonly EventCase[] = [...upward, ...downward];
