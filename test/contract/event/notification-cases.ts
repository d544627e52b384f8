import { randomUUID } from 'node:crypto';

import { member } from '../../system/kit/rest.ts';
import { type EventCase, refuses, works } from '../kit/event-case.ts';
import { refusedPayloads } from './refused-payloads.ts';

const NAMESPACE = '/notification';

/** Events of the namespace `/notification`. */
export const notificationCases: readonly EventCase[] = [
	works('onJoinUserRoom', 'the own room is acknowledged with success', async (t, scene, { ack }) => {
		const client = await scene.realtime('viewer', NAMESPACE);
		const { id } = await scene.stage.people.of('viewer');
		const answer = await client.ask('join_user_room', { user_id: id });
		t.deepEqual(ack?.(answer), []);
		t.like(answer, { success: true });
	}),
	...refusedPayloads('onJoinUserRoom', NAMESPACE, 'join_user_room', [
		undefined,
		{},
		{ user_id: 7 },
		{ user_id: 'not-a-uuid' },
	]),
	...(['viewer', 'superadmin'] as const).map((role) =>
		refuses('onJoinUserRoom', `the room of somebody else, as ${role}`, async (t, scene, { ack }) => {
			const client = await scene.realtime(role, NAMESPACE);
			const { id } = await scene.stage.people.of('editor');
			for (const userId of [id, randomUUID()]) {
				const answer = await client.ask('join_user_room', { user_id: userId });
				t.deepEqual(ack?.(answer), []);
				t.like(answer, { success: false, error_code: 'PERMISSION_DENIED' });
			}
		}),
	),
	works('emitNotification', 'an alert reaches the room of somebody it is for', async (t, scene, { payload }) => {
		const client = await scene.realtime('manager', NAMESPACE);
		const { id } = await scene.stage.people.of('manager');
		await client.ask('join_user_room', { user_id: id });
		await scene.stage.newAlert();
		const heard = await client.heard.next('notification', (one) => one.event === 'notification');
		t.deepEqual(payload(heard.payload), []);
		t.is(member(heard.payload, 'type'), 'warning');
	}),
	works('emitNotification', 'so does an alert about what a device says over MQTT', async (t, scene, { payload }) => {
		const client = await scene.realtime('manager', NAMESPACE);
		const { id } = await scene.stage.people.of('manager');
		await client.ask('join_user_room', { user_id: id });
		const metric = scene.stage.unique('pressure').replace('-', '_');
		const rule = { name: `Too much ${metric}`, metric, condition: 'gte', threshold: 6, severity: 'critical' };
		t.is((await scene.stage.callAs('manager', 'POST', '/monitoring/alert-rules', rule)).status, 201);
		const device = await scene.newDevice();
		const peer = await scene.mqtt(device);
		await peer.publish(`devices/${device.uid}/telemetry`, { [metric]: 7 });
		const heard = await client.heard.next('critical', (one) => member(one.payload, 'type') === 'critical');
		t.deepEqual(payload(heard.payload), []);
		const { body } = await scene.stage.callAs('manager', 'GET', '/monitoring/alerts?limit=200');
		t.true(JSON.stringify(body).includes(device.id));
	}),
	refuses('emitNotification', 'who has joined no room hears nothing', async (t, scene) => {
		const silent = await scene.realtime('manager', NAMESPACE);
		const client = await scene.realtime('manager', NAMESPACE);
		const { id } = await scene.stage.people.of('manager');
		await client.ask('join_user_room', { user_id: id });
		await scene.stage.newAlert();
		await client.heard.next('notification', (one) => one.event === 'notification');
		t.deepEqual(silent.heard.all(), []);
	}),
];
