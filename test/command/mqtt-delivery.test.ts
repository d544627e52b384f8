import test, { type ExecutionContext } from 'ava';
import mqtt, { type MqttClient } from 'mqtt';

import type { Device } from '../../core/device/device.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { Broker, DeliveryResult } from '../../core/mqtt/mqtt.ts';
import { parseResponse } from '../../core/telemetry/telemetry-topics.ts';
import { createDeviceResponses } from '../../gateway/command/device-responses.ts';
import { assertDeviceTakes } from '../../gateway/command/gateway-delivery.ts';
import { type LockOut, noLockOut } from '../../gateway/command/lock-out.ts';
import { createMqttDelivery } from '../../gateway/command/mqtt-delivery.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { commandBox, draftOfCommand } from '../fake/command-box.ts';
import { deferred } from '../fake/deferred.ts';
import { deviceBox } from '../fake/device-box.ts';
import { startBroker } from '../fake/mqtt-peer.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const MANAGER = actorOfRole('manager');

async function opened(t: ExecutionContext, deliver?: Broker['deliver'], lockOut: LockOut = noLockOut) {
	const box = await deviceBox();
	const queue = await commandBox({ assertFits: (device, draft) => assertDeviceTakes(device, draft, new Map()) });
	const { commands, timer } = queue;
	const pump = await box.devices.register({
		uid: deviceUid('pump'),
		name: 'Pump',
		deviceType: 'pump',
		connection: { driver: 'mqtt' },
	});
	const responses: unknown[] = [];
	const onResponse = createDeviceResponses({
		commands,
		listeners: [(device, data) => void responses.push([device.uid, data])],
		log: silentLog,
	});
	const { broker, port, stop } = await startBroker({
		onSubscribed: () => delivery.hurry(pump.id),
		onPublish: async (_account, { payload }) => {
			onResponse(pump, parseResponse(payload));
			return 'deliver';
		},
	});
	const delivery = createMqttDelivery({
		commands,
		devices: box.devices,
		deliver: deliver ?? ((...message) => broker.deliver(...message)),
		lockOut,
		clock: timer.clock,
		setTimer: deliver === undefined ? systemTimer : timer.setTimer,
		log: silentLog,
	});
	commands.listen({ queued: ({ device }) => delivery.wake(device) });
	const clients: MqttClient[] = [];
	t.teardown(async () => {
		for (const client of clients) await client.endAsync(true);
		await stop();
		await delivery.stop();
		await queue.close();
		await box.close();
	});
	const connect = async (filter: string, heard: [string, string][] = []): Promise<MqttClient> => {
		const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
			username: 'pump',
			password: 'right',
			reconnectPeriod: 0,
		});
		clients.push(client);
		client.on('message', (topic, payload) => void heard.push([topic, payload.toString()]));
		await client.subscribeAsync(filter, { qos: 1 });
		return client;
	};
	const send = (name: string, payload = {}, device: Device = pump) =>
		commands.create(device, draftOfCommand(name, { payload }), MANAGER);
	const statusOf = (id: string) => commands.find(id)?.status;
	const becomes = (id: string, status: string) =>
		waitFor(`${id} ${status}`, 30_000, async () => statusOf(id) === status);
	return { ...queue, pump, delivery, connect, send, statusOf, becomes, responses, onResponse };
}

test('pending commands go out in order when the device subscribes, on their topics, and its answer ends them', async (t) => {
	const { connect, send, statusOf, becomes, responses, commands } = await opened(t);
	const restart = await send('restart', { delay: 5 });
	const configure = await send('configure', { interval: 30 });
	const update = await send('update_firmware', { url: 'https://example.com/1.3.0.bin' });
	const plain = await send('blink');
	t.is(statusOf(restart.id), 'pending');
	const heard: [string, string][] = [];
	const client = await connect('devices/pump/#', heard);
	await becomes(plain.id, 'sent');
	t.deepEqual(
		heard.map(([topic, payload]): unknown[] => [topic, JSON.parse(payload)]),
		[
			['devices/pump/command', { action: 'restart', command_id: restart.id, payload: { delay: 5 } }],
			['devices/pump/config', { interval: 30 }],
			['devices/pump/ota', { url: 'https://example.com/1.3.0.bin', action: 'update', command_id: update.id }],
			['devices/pump/command', { action: 'blink', command_id: plain.id }],
		],
	);
	t.is(statusOf(configure.id), 'executed');
	t.is(statusOf(update.id), 'sent');
	const uptime = { command_id: restart.id, status: 'executed', uptime: 1 };
	await client.publishAsync('devices/pump/response', JSON.stringify(uptime), { qos: 1 });
	await client.publishAsync(
		'devices/pump/response',
		JSON.stringify({ command_id: plain.id, status: 'failed', error: 'no lamp' }),
		{ qos: 1 },
	);
	await becomes(restart.id, 'executed');
	await becomes(plain.id, 'failed');
	t.deepEqual(commands.find(restart.id)?.result, uptime);
	t.is(commands.find(plain.id)?.error, 'the device says: no lamp');
	t.deepEqual(responses[0], ['pump', uptime]);
});

test('a command waits only for the topic it goes to', async (t) => {
	const { connect, send, becomes, statusOf } = await opened(t);
	const configure = await send('configure', { interval: 30 });
	const restart = await send('restart');
	await connect('devices/pump/command');
	await becomes(restart.id, 'sent');
	t.is(statusOf(configure.id), 'pending');
	await connect('devices/pump/config');
	await becomes(configure.id, 'executed');
});

test('a command that was acknowledged is not sent again, neither to a device that comes back nor after a restart', async (t) => {
	const { connect, send, becomes, reopen, pump } = await opened(t);
	const first = await send('first');
	const client = await connect('devices/pump/command');
	await becomes(first.id, 'sent');
	await client.endAsync(true);
	const second = await send('second');
	const heard: [string, string][] = [];
	await connect('devices/pump/command', heard);
	await becomes(second.id, 'sent');
	t.deepEqual(
		heard.map(([, payload]) => JSON.parse(payload).action),
		['second'],
	);
	const next = await reopen();
	t.deepEqual(
		next.open(pump.id).map(({ name, status }) => `${name} ${status}`),
		['first sent', 'second sent'],
	);
});

const answer = (id: string) => parseResponse(Buffer.from(JSON.stringify({ command_id: id })));

test('a response to an unknown, a foreign or a final command changes nothing, and is told all the same', async (t) => {
	const { commands, send, statusOf, responses, onResponse, pump } = await opened(t);
	const done = await send('done');
	await commands.advance(done.id, { status: 'failed', error: 'too late' });
	const foreign = await send('foreign', {}, { ...pump, id: done.device, uid: deviceUid('valve') });
	onResponse(pump, answer(done.id));
	onResponse({ ...pump, id: deviceId('00000000-0000-4000-8000-000000000001') }, answer(foreign.id));
	onResponse(pump, answer('01900000-0000-7000-8000-000000000001'));
	await commands.advance('none', {});
	t.is(statusOf(done.id), 'failed');
	t.is(statusOf(foreign.id), 'pending');
	t.is(responses.length, 3);
});

const wrong: readonly (readonly [what: string, name: string, payload: object, field: string])[] = [
	['an update without a URL', 'update_firmware', {}, 'payload.url'],
	['an update from a file', 'update_firmware', { url: 'file:///etc/passwd' }, 'payload.url'],
	['an update from nowhere', 'update_firmware', { url: 'not a url' }, 'payload.url'],
	['a configuration of nothing', 'configure', {}, 'payload'],
];
for (const [what, name, payload, field] of wrong)
	test(`${what} is refused when it is made`, async (t) => {
		const { send, commands } = await opened(t);
		const fault = await t.throwsAsync(send(name, payload), { instanceOf: Fault });
		t.is(fault.reason, 'rule-violation');
		t.is(fault.field, field);
		t.deepEqual(commands.open(), []);
	});

/** A broker whose answers the test gives. */
function answering(results: readonly DeliveryResult[]) {
	const sent: string[] = [];
	const deliver: Broker['deliver'] = async (_account, _topic, payload) => {
		sent.push(JSON.parse(payload.toString()).action);
		return results[sent.length - 1] ?? 'acknowledged';
	};
	return { deliver, sent };
}

test('one command is in flight at a time, and one that is not acknowledged holds up those behind it', async (t) => {
	const first = deferred<DeliveryResult>();
	const sent: string[] = [];
	const { send, becomes } = await opened(t, (_account, _topic, payload) => {
		sent.push(JSON.parse(payload.toString()).action);
		return sent.length === 1 ? first.promise : Promise.resolve('acknowledged');
	});
	await send('one');
	const two = await send('two');
	t.deepEqual(sent, ['one']);
	first.resolve('acknowledged');
	await becomes(two.id, 'sent');
	t.deepEqual(sent, ['one', 'two']);
});

test('without an acknowledgement the same command is sent again, a few times, then it has failed', async (t) => {
	const { deliver, sent } = answering(Array.from({ length: 5 }, () => 'timeout' as const));
	const { send, becomes, commands, timer } = await opened(t, deliver);
	const one = await send('one');
	const two = await send('two');
	for (let attempts = 1; attempts < 5; attempts += 1) {
		await waitFor('the attempt is noted', 30_000, async () => commands.find(one.id)?.attempts === attempts);
		await new Promise((resolve) => setImmediate(resolve));
		timer.advance(30_000);
	}
	await becomes(one.id, 'failed');
	t.regex(commands.find(one.id)?.error ?? '', /did not acknowledge it in 5 attempts/);
	await new Promise((resolve) => setImmediate(resolve));
	timer.advance(30_000);
	await becomes(two.id, 'sent');
	t.deepEqual(sent, ['one', 'one', 'one', 'one', 'one', 'two']);
});

test('a command that expired or was ended by a person meanwhile is not sent', async (t) => {
	const gate = deferred<DeliveryResult>();
	const sent: string[] = [];
	const { send, commands, pump, timer, becomes } = await opened(t, (_account, _topic, payload) => {
		sent.push(JSON.parse(payload.toString()).action);
		return sent.length === 1 ? gate.promise : Promise.resolve('acknowledged');
	});
	await send('one');
	const ended = await send('ended');
	await commands.create(pump, draftOfCommand('short', { ttlMs: 1_000 }), MANAGER);
	const last = await send('last');
	await commands.update(pump.id, ended.id, { status: 'failed' });
	timer.clock.advance(2_000);
	gate.resolve('acknowledged');
	await becomes(last.id, 'sent');
	t.deepEqual(sent, ['one', 'last']);
});

test('a device that is locked out is sent nothing, and the command says why', async (t) => {
	let sendings = 0;
	const deliver = async () => {
		sendings += 1;
		return 'acknowledged' as const;
	};
	const lockOut = { lockOf: () => ({ reason: 'Ada works on the pump' }) };
	const { send, becomes, commands } = await opened(t, deliver, lockOut);
	const { id } = await send('restart');
	await becomes(id, 'failed');
	t.is(commands.find(id)?.error, 'the device is locked out: Ada works on the pump');
	t.is(sendings, 0);
});
