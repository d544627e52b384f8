import test from 'ava';

import { run } from '../fake/peer-program.ts';
import { startEnrolled } from './kit/enrolled.ts';
import { findPeer } from './kit/peer.ts';
import { readCounterDevices, writeReadCounterTemplate } from './kit/read-counter.ts';
import { type Rest, login, member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { differences, json, latestOf, recordsOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

interface Login {
	readonly username: string;
	readonly password: string;
}

const KILLS = 5;
const REACHES_HUB_WITHIN_MS = 45_000;

/** Options of mosquitto's clients for this broker and login. */
const as = (port: number, { username, password }: Login): readonly string[] => [
	'-h',
	'127.0.0.1',
	'-p',
	String(port),
	'-u',
	username,
	'-P',
	password,
];

async function issue(rest: Rest, path: string, payload: object = {}): Promise<Login> {
	const { status, body } = await rest.post(path, payload);
	const [username, password] = [member(body, 'username'), member(body, 'password')];
	if (status !== 201 || typeof username !== 'string' || typeof password !== 'string')
		throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
	return { username, password };
}

/** Registers an MQTT device and makes its login. */
async function addMqttDevice(rest: Rest, uid: string): Promise<Login> {
	const { status, body } = await rest.post('/api/v1/devices', {
		device_uid: uid,
		name: uid,
		device_type: 'sensor',
		connection: { driver: 'mqtt' },
	});
	if (status !== 201) throw new Error(`${uid}: ${status} ${JSON.stringify(body)}`);
	return issue(rest, `/api/v1/devices/${uid}/mqtt-credentials`);
}

/** Publishes with QoS 1; the exit code is 0 when it was acknowledged. */
const publish = async (who: readonly string[], topic: string, message: object): Promise<number | null> =>
	(await run('mosquitto_pub', [...who, '-q', '1', '-t', topic, '-m', JSON.stringify(message)])).code;

test.serial(
	'devices and consumers of the local broker are served, kept apart, and nothing acknowledged to them is lost',
	async (t) => {
		if (findPeer(t, 'mosquitto_pub') === null || findPeer(t, 'mosquitto_sub') === null) return;
		t.timeout(300_000);
		const stage = createStage(t);
		const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
		const devices = readCounterDevices(simulator, 200);
		const { gateway, gatewayRest, hubRest } = await startEnrolled(
			stage,
			devices,
			writeReadCounterTemplate(stage.folder),
		);
		const port = gateway.port('mqtt_port');
		const sensor = await addMqttDevice(gatewayRest, 'sensor-1');
		const other = await addMqttDevice(gatewayRest, 'sensor-2');
		const reader = await issue(gatewayRest, '/api/v1/mqtt/readers', { name: 'dashboard' });

		for (let kill = 1; kill <= KILLS; kill += 1) {
			t.is(await publish(as(port, sensor), 'devices/sensor-1/telemetry', { level: kill, telemetry_type: 'tank' }), 0);
			await gateway.kill9();
			await gateway.start();
			const rest = await login(gateway.url());
			const levels = (await recordsOf(rest, 'sensor-1')).map(({ payload }) => payload['level']);
			t.deepEqual(
				levels,
				Array.from({ length: kill }, (_, index) => kill - index),
				'acknowledged, so it is there after the kill',
			);
		}

		const rest = await login(gateway.url());
		t.is(await publish(as(port, sensor), 'devices/sensor-1/status', { status: 'online' }), 0);
		t.is(await publish(as(port, sensor), 'devices/sensor-1/log', { event_type: 'door', open: true }), 0);
		t.is(
			await publish(as(port, sensor), 'devices/sensor-1/response', {
				command_id: '8f14e45f-ceea-467f-a9d2-6b1c2d3e4f50',
				status: 'executed',
			}),
			0,
		);
		t.is(member(await json(rest, '/api/v1/devices/sensor-1'), 'status'), 'online');
		const types = (await recordsOf(rest, 'sensor-1')).map(({ telemetry_type: type }) => type);
		t.deepEqual(types.slice(0, 3), ['response', 'log', 'status']);

		const heard = await run('mosquitto_sub', [...as(port, reader), '-C', '2', '-W', '30', '-t', 'devices/+/telemetry']);
		t.is(heard.code, 0);
		const messages = heard.out
			.trim()
			.split('\n')
			.map((line): unknown => JSON.parse(line));
		t.true(
			messages.every((message) => member(message, 'unit') === 1),
			heard.out,
		);

		t.not(await publish(as(port, { ...sensor, password: 'wrong' }), 'devices/sensor-1/telemetry', { level: 99 }), 0);
		t.not(await publish(['-h', '127.0.0.1', '-p', String(port)], 'devices/sensor-1/telemetry', { level: 99 }), 0);
		await publish(as(port, other), 'devices/sensor-1/telemetry', { level: 99 });
		await publish(as(port, reader), 'devices/sensor-1/telemetry', { level: 99 });
		const spied = await run('mosquitto_sub', [...as(port, other), '-C', '1', '-W', '2', '-t', 'devices/+/telemetry']);
		t.is(spied.out, '', 'a device does not hear of others');
		t.is(await publish(as(port, sensor), 'devices/sensor-1/telemetry', { level: 6 }), 0);
		t.is(member(await latestOf(rest, 'sensor-1', 'level'), 'value'), 6);

		const own = await recordsOf(rest, 'sensor-1');
		t.deepEqual(
			own.filter(({ payload }) => payload['level'] === 99),
			[],
		);
		t.deepEqual(await recordsOf(rest, 'sensor-2'), []);
		const atHub = await waitFor('the values of the sensor on the hub', REACHES_HUB_WITHIN_MS, async () => {
			const held = await recordsOf(hubRest, 'sensor-1');
			return held.length >= own.length && held;
		});
		t.deepEqual(differences(atHub, own), []);
		t.is(member(member(await json(rest, '/api/v1/devices/counter-0-1'), 'health'), 'state'), 'ok', 'reading went on');
	},
);
