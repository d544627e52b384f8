import test, { type ExecutionContext } from 'ava';
import mqtt, { type MqttClient } from 'mqtt';
import { connect, type Socket } from 'socket.io-client';

import { type Enrolled, startEnrolled } from './kit/enrolled.ts';
import { type Rest, login, member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { json } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const WITHIN_MS = 30_000;

async function post(rest: Rest, path: string, payload: object): Promise<unknown> {
	const { status, body } = await rest.post(path, payload);
	if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
	return body;
}

/** An MQTT device that keeps what it was told. */
async function startDevice(t: ExecutionContext, { gateway, gatewayRest }: Enrolled, uid: string) {
	const issued = await post(gatewayRest, `/api/v1/devices/${uid}/mqtt-credentials`, {});
	const told: unknown[] = [];
	const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.port('mqtt_port')}`, {
		username: String(member(issued, 'username')),
		password: String(member(issued, 'password')),
		reconnectPeriod: 200,
	});
	t.teardown(() => client.endAsync(true));
	client.on('message', (_topic, payload) => void told.push(JSON.parse(payload.toString())));
	await client.subscribeAsync(`devices/${uid}/command`, { qos: 1 });
	const answer = (id: string) =>
		client.publishAsync(`devices/${uid}/response`, JSON.stringify({ command_id: id, status: 'executed', uptime: 7 }), {
			qos: 1,
		});
	const toldOf = (id: string): readonly unknown[] => told.filter((message) => member(message, 'command_id') === id);
	return { toldOf, answer };
}

function openSocket(t: ExecutionContext, rest: Rest): Socket {
	const socket = connect(`${rest.url}/device`, {
		transports: ['websocket'],
		forceNew: true,
		auth: { token: rest.token },
	});
	t.teardown(() => void socket.disconnect());
	return socket;
}

const statusOf = async (rest: Rest, uid: string, id: string): Promise<unknown> => {
	const list = await json(rest, `/api/v1/devices/${uid}/commands`);
	return Array.isArray(list)
		? member(
				list.find((one) => member(one, 'id') === id),
				'status',
			)
		: undefined;
};

test.serial('a command at the hub reaches the device behind the gateway once, and its answer comes back', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--tcp', '0:1');
	const meter = {
		uid: 'meter',
		name: 'Meter',
		device_type: 'meter',
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port: simulator.port() },
			unit_id: 1,
			template: 'eastron-sdm630',
			period_ms: 500,
			timeout_ms: 500,
		},
	};
	const rig = await startEnrolled(stage, [meter]);
	const { hub, gateway, link, gatewayRest } = rig;
	let { hubRest } = rig;
	await post(gatewayRest, '/api/v1/devices', {
		device_uid: 'valve',
		name: 'Valve',
		device_type: 'valve',
		connection: { driver: 'mqtt' },
	});
	const valve = await startDevice(t, rig, 'valve');
	await waitFor('the hub knows the valve', WITHIN_MS, async () => {
		const { status } = await hubRest.get('/api/v1/devices/valve');
		return status === 200;
	});
	const becomes = (uid: string, id: string, status: string) =>
		waitFor(`${uid} ${status}`, WITHIN_MS, async () => (await statusOf(hubRest, uid, id)) === status);

	// By Socket.IO, with the device's answer to the connection that asked.
	const socket = openSocket(t, hubRest);
	const answered = new Promise<unknown>((resolve) => socket.once('device_response', resolve));
	const ack: unknown = await socket.timeout(WITHIN_MS).emitWithAck('send_command', {
		device_uid: 'valve',
		command: { action: 'open', payload: { percent: 40 } },
	});
	const opened = String(member(ack, 'command_id'));
	t.like(ack, { success: true, status: 'pending' });
	await becomes('valve', opened, 'sent');
	await valve.answer(opened);
	t.like(await answered, { device_uid: 'valve', data: { command_id: opened, status: 'executed', uptime: 7 } });
	await becomes('valve', opened, 'executed');
	t.is(await statusOf(gatewayRest, 'valve', opened), 'executed', 'both queues say the same');

	// A register of a Modbus device, and one that it does not have.
	const write = (value: number) =>
		hubRest.post('/api/v1/devices/meter/commands', {
			command_name: 'write',
			payload: { point: 'demand_period', value },
		});
	const written = await write(30);
	t.is(written.status, 201);
	await becomes('meter', String(member(written.body, 'id')), 'executed');
	const refused = await write(31);
	t.is(refused.status, 422);
	t.regex(String(member(refused.body, 'detail')), /^payload.value: must be one of 0 \(now\)/);

	// While the link is cut, and over deaths on both sides: once.
	link.setMode({ kind: 'cut' });
	const offline = String(
		member(await post(hubRest, '/api/v1/devices/valve/commands', { command_name: 'close' }), 'id'),
	);
	await hub.kill9();
	await hub.start();
	hubRest = await login(hub.url());
	t.is(await statusOf(hubRest, 'valve', offline), 'pending');
	t.is(valve.toldOf(offline).length, 0);
	link.setMode({ kind: 'pass' });
	await becomes('valve', offline, 'sent');
	await gateway.kill9();
	await gateway.start();
	await waitFor('the valve is heard again', WITHIN_MS, async () => {
		await valve.answer(offline);
		return (await statusOf(hubRest, 'valve', offline)) === 'executed';
	});
	t.is(valve.toldOf(offline).length, 1);
});
