import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import type { Device } from '../../core/device/device.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { DEFAULT_MQTT_LIMITS } from '../../core/mqtt/mqtt-limits.ts';
import { openMqttPort } from '../fake/mqtt-port.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { ResponseMessage } from '../../core/telemetry/telemetry-topics.ts';
import { createDeviceTopics } from '../../gateway/broker/device-topics.ts';
import { createLocalBroker } from '../../gateway/broker/local-broker.ts';
import { mqttAccountRoutes } from '../../gateway/broker/mqtt-account-routes.ts';
import { createMqttAccountService } from '../../gateway/broker/mqtt-account-service.ts';
import { createMqttAccountStore } from '../../gateway/broker/mqtt-account-store.ts';
import { createTelemetryPublisher } from '../../gateway/broker/telemetry-publisher.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { deferred } from '../fake/deferred.ts';
import { deviceBox, GATEWAY, rtuConnection } from '../fake/device-box.ts';
import { lacks, run } from '../fake/peer-program.ts';
import { draftOf, memoryTelemetry } from '../fake/memory-telemetry.ts';
import { connectPacket, packet, publishPacket, rawPeer, subscribePacket } from '../fake/mqtt-peer.ts';

const NOW = Date.UTC(2026, 0, 1);
const CONNACK_OK = Buffer.from([0x20, 2, 0, 0]);
const puback = (messageId: number) => Buffer.from([0x40, 2, 0, messageId]);

async function gateway() {
	const box = await deviceBox();
	const memory = memoryTelemetry();
	const responses: ResponseMessage[] = [];
	const topics = createDeviceTopics({
		devices: box.devices,
		telemetry: memory.telemetry,
		clock: box.clock,
		log: silentLog,
		onResponse: (_device, response) => void responses.push(response),
	});
	const path = join(box.folder, 'mqtt-accounts.json');
	const accounts = createMqttAccountService({
		accounts: await createMqttAccountStore(path, silentLog),
		devices: box.devices,
		clock: box.clock,
		log: silentLog,
	});
	const broker = await createLocalBroker({
		accounts,
		topics,
		limits: DEFAULT_MQTT_LIMITS,
		clock: box.clock,
		log: silentLog,
	});
	const publisher = createTelemetryPublisher({ broker, devices: box.devices });
	box.devices.listen(accounts.device);
	box.devices.listen(publisher.device);
	const listener = await openMqttPort({ ...broker });
	const server = await bareServer(mqttAccountRoutes, { accounts });
	const add = (uid: string): Promise<Device> =>
		box.devices.register({ uid: deviceUid(uid), name: uid, deviceType: 'sensor', connection: { driver: 'mqtt' } });
	const login = async (username: string, password: string) => {
		const peer = rawPeer(listener.port);
		peer.send(connectPacket(username, password));
		await peer.until((heard) => heard.length >= 4);
		return peer;
	};
	const say = (method: string, url: string, payload?: object) =>
		server.inject({ method, url, headers: bearer('manager'), ...(payload && { payload }) });
	return {
		...box,
		memory,
		topics,
		accounts,
		broker,
		publisher,
		responses,
		path,
		add,
		login,
		say,
		server,
		port: listener.port,
		close: async () => {
			await listener.stop();
			await broker.stop();
			await box.close();
		},
	};
}

const stamped = (draft: ReturnType<typeof draftOf>): Reading => ({ ...draft, origin: GATEWAY, epoch: 1, firstSeq: 1 });

test('a login is shown once, kept as a hash, and cut off at once when it is renewed or revoked', async (t) => {
	const { add, say, login, path, close, server } = await gateway();
	t.teardown(close);
	await add('meter-1');
	t.is(
		(await server.inject({ method: 'POST', url: '/devices/meter-1/mqtt-credentials', headers: bearer('editor') }))
			.statusCode,
		403,
	);
	const first = await say('POST', '/devices/meter-1/mqtt-credentials');
	t.is(first.statusCode, 201);
	const { username, password }: { username: string; password: string } = JSON.parse(first.payload);
	t.is(username, 'meter-1');
	t.regex(password, /^[\w-]{32}$/);
	t.false(readFileSync(path, 'utf8').includes(password));
	t.is(statSync(path).mode & 0o077, 0);
	const connection = await login('meter-1', password);
	t.deepEqual(connection.heard(), CONNACK_OK);
	const second: { password: string } = JSON.parse((await say('POST', '/devices/meter-1/mqtt-credentials')).payload);
	await connection.closed();
	t.deepEqual((await login('meter-1', password)).heard(), Buffer.from([0x20, 2, 0, 4]));
	const renewed = await login('meter-1', second.password);
	t.deepEqual(renewed.heard(), CONNACK_OK);
	t.is((await say('DELETE', '/devices/meter-1/mqtt-credentials')).statusCode, 204);
	await renewed.closed();
	t.is((await say('DELETE', '/devices/meter-1/mqtt-credentials')).statusCode, 404);
	t.is((await say('POST', '/devices/nobody/mqtt-credentials')).statusCode, 404);
});

test('a deleted device loses its login, also for a later device of the same address', async (t) => {
	const { add, accounts, login, devices, close } = await gateway();
	t.teardown(close);
	await add('meter-1');
	const { password } = await accounts.issueForDevice('meter-1');
	const connection = await login('meter-1', password);
	await devices.remove('meter-1');
	await connection.closed();
	await add('meter-1');
	t.is(accounts.authenticate('meter-1', Buffer.from(password)), null);
});

test('a device that becomes a Modbus device loses its login', async (t) => {
	const { add, accounts, login, devices, close } = await gateway();
	t.teardown(close);
	await add('meter-1');
	const { password } = await accounts.issueForDevice('meter-1');
	const connection = await login('meter-1', password);
	await devices.patch('meter-1', { connection: rtuConnection('/dev/ttyUSB0') });
	await connection.closed();
	t.is(accounts.authenticate('meter-1', Buffer.from(password)), null);
});

test('a Modbus device has no login, and logins survive a restart of the store', async (t) => {
	const { devices, accounts, add, path, close } = await gateway();
	t.teardown(close);
	await devices.register({
		uid: deviceUid('rtu'),
		name: 'x',
		deviceType: 'x',
		connection: rtuConnection('/dev/ttyUSB0'),
	});
	await t.throwsAsync(accounts.issueForDevice('rtu'), { message: /read by Modbus/ });
	await add('meter-1');
	await Promise.all([accounts.issueForDevice('meter-1'), accounts.addReader('panel')]);
	t.true(existsSync(path));
	const again = await createMqttAccountStore(path, silentLog);
	t.deepEqual(
		again.all().map(({ username, kind }) => [username, kind]),
		[
			['meter-1', 'device'],
			['panel', 'reader'],
		],
	);
	await t.throwsAsync(accounts.addReader('panel'), { message: /already exists/ });
	await t.throwsAsync(accounts.addReader('meter-1'), { message: /already exists/ });
});

test('a device that was registered without a connection is an MQTT device once it has a login', async (t) => {
	const { devices, accounts, close } = await gateway();
	t.teardown(close);
	await devices.register({ uid: deviceUid('sensor-1'), name: 'x', deviceType: 'x' });
	t.is(devices.get('sensor-1').connection, null);
	await accounts.issueForDevice('sensor-1');
	t.deepEqual(devices.get('sensor-1').connection, { driver: 'mqtt' });
});

test('a reader hears all devices and may say nothing', async (t) => {
	const { add, accounts, login, say, close } = await gateway();
	t.teardown(close);
	await add('meter-1');
	const created = await say('POST', '/mqtt/readers', { name: 'panel' });
	t.is(created.statusCode, 201);
	const { password }: { password: string } = JSON.parse(created.payload);
	t.deepEqual((await say('GET', '/mqtt/readers')).result, [{ name: 'panel', created_at: '2026-01-01T00:00:00.000Z' }]);
	const reader = await login('panel', password);
	reader.send(subscribePacket('#'));
	await reader.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	reader.send(subscribePacket('devices/+/telemetry'));
	await reader.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0])));
	const device = await login('meter-1', (await accounts.issueForDevice('meter-1')).password);
	device.send(publishPacket('devices/meter-1/telemetry', '{"temperature":23.5}'));
	await reader.until((heard) => heard.includes('{"temperature":23.5}'));
	t.true(reader.heard().includes('{"temperature":23.5}'));
	reader.send(publishPacket('devices/meter-1/telemetry', '{"temperature":99}'));
	await reader.closed();
	t.is((await say('DELETE', '/mqtt/readers/panel')).statusCode, 204);
	t.is((await say('DELETE', '/mqtt/readers/panel')).statusCode, 404);
});

test('telemetry is acknowledged only when it is durable, and a repetition is not stored twice', async (t) => {
	const { add, accounts, login, memory, topics, close } = await gateway();
	t.teardown(close);
	const meter = await add('meter-1');
	const { password } = await accounts.issueForDevice('meter-1');
	const device = await login('meter-1', password);
	const disk = deferred<void>();
	memory.barrier = disk.promise;
	const publish = publishPacket('devices/meter-1/telemetry', '{"power":5}', 9);
	device.send(publish);
	const other = await login('meter-1', 'wrong');
	await other.closed();
	t.deepEqual(device.heard(), CONNACK_OK);
	disk.resolve();
	await device.until((heard) => heard.includes(puback(9)));
	device.socket.destroy();
	const again = await login('meter-1', password);
	publish.writeUInt8(0x3a, 0);
	again.send(publish);
	await again.until((heard) => heard.includes(puback(9)));
	t.is(memory.readings.length, 1);
	t.like(memory.readings[0], { device: meter.id, telemetryType: 'default', points: ['power'], values: [5] });
	t.deepEqual(topics.stats(), { accepted: 1, refused: 0, repeated: 1 });
});

test('a repetition that comes while the first is still on its way to the disk is not stored twice, and acknowledged with it', async (t) => {
	const { add, accounts, login, memory, topics, broker, close } = await gateway();
	t.teardown(close);
	await add('meter-1');
	const { password } = await accounts.issueForDevice('meter-1');
	const disk = deferred<void>();
	memory.barrier = disk.promise;
	const device = await login('meter-1', password);
	const publish = publishPacket('devices/meter-1/telemetry', '{"power":5}', 9);
	device.send(publish);
	const again = await login('meter-1', password);
	device.socket.destroy();
	publish.writeUInt8(0x3a, 0);
	again.send(publish);
	while (broker.stats().received < 2) await nextTurn();
	t.deepEqual(again.heard(), CONNACK_OK);
	disk.resolve();
	await again.until((heard) => heard.includes(puback(9)));
	t.is(memory.readings.length, 1);
	t.is(topics.stats().repeated, 1);
});

test('a malformed message is refused and counted, and the connection goes on', async (t) => {
	const { add, accounts, login, memory, topics, devices, close } = await gateway();
	t.teardown(close);
	await add('meter-1');
	const device = await login('meter-1', (await accounts.issueForDevice('meter-1')).password);
	device.send(publishPacket('devices/meter-1/telemetry', 'garbage', 1));
	device.send(publishPacket('devices/meter-1/status', '{"status":"tired"}', 2));
	device.send(publishPacket('devices/meter-1/telemetry', '{"a":1,"timestamp":"2036-01-01"}', 3));
	device.send(publishPacket('devices/meter-1/status', '{"status":"online"}', 4));
	await device.until((heard) => heard.includes(puback(4)));
	t.true([1, 2, 3].every((id) => device.heard().includes(puback(id))));
	t.deepEqual(topics.stats(), { accepted: 1, refused: 3, repeated: 0 });
	t.is(devices.get('meter-1').status, 'online');
	t.is(devices.get('meter-1').lastSeenAt, epochMs(NOW));
	t.deepEqual(
		memory.readings.map(({ telemetryType, values }) => [telemetryType, values]),
		[['status', ['online']]],
	);
});

test('logs and responses are stored as events, and never become latest values', async (t) => {
	const { add, accounts, login, memory, responses, close } = await gateway();
	t.teardown(close);
	const meter = await add('meter-1');
	const device = await login('meter-1', (await accounts.issueForDevice('meter-1')).password);
	device.send(publishPacket('devices/meter-1/log', '{"event_type":"boot","reason":"power_on"}', 1));
	const response = '{"command_id":"dc000000-0000-4000-8000-000000000001","status":"failed"}';
	device.send(publishPacket('devices/meter-1/response', response, 2));
	await device.until((heard) => heard.includes(puback(2)));
	t.deepEqual(
		memory.readings.map(({ telemetryType, points }) => [telemetryType, points]),
		[
			['log', ['event_type', 'reason']],
			['response', ['command_id', 'status']],
		],
	);
	t.is(memory.telemetry.latest(meter.id), null);
	t.deepEqual(
		responses.map(({ status }) => status),
		['failed'],
	);
});

test('what is polled is published once for each reading; what came by MQTT is not echoed', async (t) => {
	const { add, devices, accounts, login, publisher, close } = await gateway();
	t.teardown(close);
	const polled = await devices.register({
		uid: deviceUid('sdm'),
		name: 'x',
		deviceType: 'x',
		connection: rtuConnection('/dev/ttyUSB0'),
	});
	const speaking = await add('meter-1');
	const { password } = await accounts.addReader('panel');
	const reader = await login('panel', password);
	reader.send(subscribePacket('devices/#'));
	await reader.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0])));
	publisher.reading(stamped(draftOf(speaking.id, NOW, { echo: 1 })));
	publisher.reading(stamped(draftOf(polled.id, NOW, { power: 42 })));
	await reader.until((heard) => heard.includes('"power":42'));
	t.true(reader.heard().includes('devices/sdm/telemetry{"timestamp":"2026-01-01T00:00:00.000Z","power":42}'));
	t.false(reader.heard().includes('echo'));
	reader.send(packet(0xe0));
	await reader.closed();
});

const publish = (who: readonly string[], topic: string, payload: string, ...more: readonly string[]) =>
	run('mosquitto_pub', [...who, ...more, '-t', topic, '-m', payload]);

test('mosquitto_pub is a device and mosquitto_sub a consumer', async (t) => {
	if (lacks(t, 'mosquitto_pub') || lacks(t, 'mosquitto_sub')) return;
	const { add, accounts, port, memory, devices, close } = await gateway();
	t.teardown(close);
	await add('meter-1');
	const { password } = await accounts.issueForDevice('meter-1');
	const reader = await accounts.addReader('panel');
	const at = ['-h', '127.0.0.1', '-p', String(port)];
	const device = [...at, '-u', 'meter-1', '-P', password];
	const consumer = [...at, '-u', 'panel', '-P', reader.password];
	// The retained status tells the consumer's first message apart from the moment of its subscription.
	const status = await publish(device, 'devices/meter-1/status', '{"status":"online"}', '-q', '1', '-r');
	t.is(status.code, 0, status.err);
	t.is(devices.get('meter-1').status, 'online');
	const heard = await run('mosquitto_sub', [...consumer, '-t', 'devices/+/status', '-C', '1', '-v', '-W', '8']);
	t.is(heard.out, 'devices/meter-1/status {"status":"online"}\n', heard.err);
	const telemetry = await publish(device, 'devices/meter-1/telemetry', '{"temperature":23.5}', '-q', '1');
	t.is(telemetry.code, 0, telemetry.err);
	const exactlyOnce = await publish(device, 'devices/meter-1/telemetry', '{"temperature":24}', '-q', '2');
	t.is(exactlyOnce.code, 0, exactlyOnce.err);
	t.deepEqual(
		memory.readings.map(({ values }) => values),
		[['online'], [23.5], [24]],
	);
	const wrong = await publish([...at, '-u', 'meter-1', '-P', 'guess'], 'devices/meter-1/telemetry', '{"a":1}');
	t.not(wrong.code, 0);
	const foreign = await publish(device, 'devices/meter-10/telemetry', '{"a":1}', '-q', '1');
	t.not(foreign.code, 0);
	const large = await publish(device, 'devices/meter-1/telemetry', `{"a":"${'x'.repeat(100_000)}"}`, '-q', '1');
	t.is(large.code, 0, large.err);
	const will = [...device, '--will-topic', 'devices/meter-10/status', '--will-payload', '{"status":"offline"}'];
	const thief = await run('mosquitto_sub', [...will, '-t', 'devices/meter-1/command', '-W', '2']);
	t.not(thief.code, 27, 'a will on the topic of another device is refused at CONNECT');
	const newer = await publish(device, 'devices/meter-1/telemetry', '{"a":1}', '-V', '5', '-q', '1');
	t.not(newer.code, 0, 'MQTT 5 is answered with "unacceptable protocol version"');
	t.is(memory.readings.length, 4);
});
