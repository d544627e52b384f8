import { join } from 'node:path';

import test from 'ava';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { DEFAULT_MQTT_LIMITS } from '../../core/mqtt/mqtt-limits.ts';
import { createDeviceTopics } from '../../gateway/broker/device-topics.ts';
import { createLocalBroker } from '../../gateway/broker/local-broker.ts';
import { createMqttAccountService } from '../../gateway/broker/mqtt-account-service.ts';
import { createMqttAccountStore } from '../../gateway/broker/mqtt-account-store.ts';
import { deferred } from '../fake/deferred.ts';
import { deviceBox } from '../fake/device-box.ts';
import { memoryTelemetry } from '../fake/memory-telemetry.ts';
import { openMqttPort } from '../fake/mqtt-port.ts';
import { lacks, run } from '../fake/peer-program.ts';

const STATUS = 'devices/meter-1/status';
const WILL = { topic: STATUS, payload: Buffer.from('{"status":"offline"}'), qos: 1, retain: true } as const;

/** A box with one device and one reader, spoken to by independent clients. */
async function box() {
	const device = await deviceBox();
	const common = { clock: device.clock, log: silentLog, devices: device.devices };
	const topics = createDeviceTopics({ ...memoryTelemetry(), ...common, onResponse: () => undefined });
	const accounts = createMqttAccountService({
		accounts: await createMqttAccountStore(join(device.folder, 'mqtt-accounts.json'), silentLog),
		...common,
	});
	const broker = await createLocalBroker({ accounts, topics, limits: DEFAULT_MQTT_LIMITS, ...common });
	device.devices.listen(accounts.device);
	device.devices.listen(broker.device);
	const listener = await openMqttPort({ ...broker });
	const uid = deviceUid('meter-1');
	await device.devices.register({ uid, name: 'Meter', deviceType: 'meter', connection: { driver: 'mqtt' } });
	const login = await accounts.issueForDevice('meter-1');
	const reader = await accounts.addReader('panel');
	const clients: MqttClient[] = [];
	return {
		login,
		reader,
		port: listener.port,
		devices: device.devices,
		accounts,
		status: () => device.devices.get('meter-1').status,
		connect: async (options: IClientOptions): Promise<MqttClient> => {
			const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${listener.port}`, {
				reconnectPeriod: 0,
				protocolVersion: 4,
				...options,
			});
			client.on('error', () => undefined);
			clients.push(client);
			return client;
		},
		/** Resolves with the next message below `devices/`. */
		next: (
			client: MqttClient,
		): Promise<{ readonly topic: string; readonly payload: string; readonly retain: boolean }> =>
			new Promise((resolve) =>
				client.once('message', (topic, payload, { retain }) => resolve({ topic, payload: payload.toString(), retain })),
			),
		close: async () => {
			for (const client of clients) client.end(true);
			await listener.stop();
			await broker.stop();
			await device.close();
		},
	};
}

test('a retained status reaches a reader that comes later', async (t) => {
	const { connect, login, reader, next, status, close } = await box();
	t.teardown(close);
	const device = await connect(login);
	await device.publishAsync(STATUS, '{"status":"online"}', { qos: 1, retain: true });
	t.is(status(), 'online');
	const late = await connect(reader);
	const heard = next(late);
	await late.subscribeAsync('devices/+/status', { qos: 1 });
	t.deepEqual(await heard, { topic: STATUS, payload: '{"status":"online"}', retain: true });
});

test('what a device has retained goes with it, and is not heard by the next one of its address', async (t) => {
	const { connect, login, next, devices, accounts, close } = await box();
	t.teardown(close);
	const before = await connect(login);
	await before.publishAsync(STATUS, '{"status":"online"}', { qos: 1, retain: true });
	await before.publishAsync('devices/meter-1/telemetry', '{"secret":1}', { qos: 1, retain: true });
	await devices.remove('meter-1');
	const uid = deviceUid('meter-1');
	await devices.register({ uid, name: 'Another', deviceType: 'meter', connection: { driver: 'mqtt' } });
	const after = await connect(await accounts.issueForDevice('meter-1'));
	const heard = next(after);
	await after.subscribeAsync('devices/meter-1/#', { qos: 1 });
	await after.publishAsync('devices/meter-1/log', '{"event_type":"boot"}', { qos: 1 });
	t.is((await heard).topic, 'devices/meter-1/log');
});

test('the will of a device that is cut off sets it offline and stays retained; a farewell does not', async (t) => {
	const { connect, login, reader, next, status, close } = await box();
	t.teardown(close);
	const panel = await connect(reader);
	await panel.subscribeAsync('devices/+/status', { qos: 1 });
	const polite = await connect({ ...login, clientId: 'polite', will: WILL });
	await polite.publishAsync(STATUS, '{"status":"online"}', { qos: 1, retain: true });
	await polite.endAsync();
	t.is(status(), 'online');
	const device = await connect({ ...login, clientId: 'cut', will: WILL });
	const heard = next(panel);
	device.stream.destroy();
	t.deepEqual(await heard, { topic: STATUS, payload: '{"status":"offline"}', retain: false });
	t.is(status(), 'offline');
	const late = await connect({ ...reader, clientId: 'late' });
	const kept = next(late);
	await late.subscribeAsync('devices/+/status');
	t.is((await kept).payload, '{"status":"offline"}');
});

test('a retained message outside its own tree is refused, and kept nowhere', async (t) => {
	const { connect, login, reader, close } = await box();
	t.teardown(close);
	const device = await connect(login);
	const cut = deferred<void>();
	device.once('close', () => cut.resolve());
	device.publish('devices/meter-2/status', '{"status":"offline"}', { qos: 1, retain: true });
	await cut.promise;
	const panel = await connect(reader);
	const heard: string[] = [];
	panel.on('message', (topic) => void heard.push(topic));
	await panel.subscribeAsync('devices/#', { qos: 1 });
	const own = await connect({ ...login, clientId: 'again' });
	await own.publishAsync(STATUS, '{"status":"online"}', { qos: 1, retain: true });
	while (heard.length === 0) await new Promise((resolve) => panel.once('message', resolve));
	t.deepEqual(heard, [STATUS]);
});

test('a session of the mqtt library comes back with what it missed', async (t) => {
	const { connect, login, reader, port, close } = await box();
	t.teardown(close);
	const session = { ...reader, clientId: 'panel-1', clean: false };
	const first = await connect(session);
	await first.subscribeAsync('devices/#', { qos: 1 });
	await first.endAsync();
	const device = await connect(login);
	await device.publishAsync('devices/meter-1/telemetry', '{"power":1}', { qos: 1 });
	const present = deferred<boolean>();
	const heard = deferred<string>();
	const second = mqtt.connect(`mqtt://127.0.0.1:${port}`, { ...session, reconnectPeriod: 0 });
	second.once('connect', ({ sessionPresent }) => present.resolve(sessionPresent));
	second.once('message', (_topic, payload) => heard.resolve(payload.toString()));
	t.true(await present.promise);
	t.is(await heard.promise, '{"power":1}');
	second.end(true);
});

test('mosquitto_pub retains a status that a later mosquitto_sub reads', async (t) => {
	if (lacks(t, 'mosquitto_pub') || lacks(t, 'mosquitto_sub')) return;
	const { login, reader, port, close } = await box();
	t.teardown(close);
	const args = ({ username, password }: typeof login): string[] => {
		return ['-h', '127.0.0.1', '-p', String(port), '-V', 'mqttv311', '-u', username, '-P', password];
	};
	const said = await run('mosquitto_pub', [...args(login), '-q', '1', '-r', '-t', STATUS, '-m', '{"status":"online"}']);
	t.is(said.code, 0, said.err);
	const heard = await run('mosquitto_sub', [...args(reader), '-C', '1', '-W', '10', '-v', '-t', 'devices/+/status']);
	t.is(heard.out.trim(), `${STATUS} {"status":"online"}`);
});
