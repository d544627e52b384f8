import { join } from 'node:path';

import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { DEFAULT_MQTT_LIMITS } from '../../core/mqtt/mqtt-limits.ts';
import { createKnocking, MAX_KNOCKERS } from '../../gateway/broker/knocking.ts';
import { knockingRoutes } from '../../gateway/broker/knocking-routes.ts';
import { createLocalBroker } from '../../gateway/broker/local-broker.ts';
import { createMqttAccountService } from '../../gateway/broker/mqtt-account-service.ts';
import { createMqttAccountStore } from '../../gateway/broker/mqtt-account-store.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { deviceBox } from '../fake/device-box.ts';
import { connectPacket, rawPeer } from '../fake/mqtt-peer.ts';
import { openMqttPort } from '../fake/mqtt-port.ts';

const PASSWORD = 'p4ssw0rd-of-the-knocker';

interface KnockerOnWire {
	readonly name: string;
	readonly count: number;
	readonly adoptable: boolean;
}

async function gateway() {
	const box = await deviceBox();
	const store = await createMqttAccountStore(join(box.folder, 'mqtt-accounts.json'), silentLog);
	const accounts = createMqttAccountService({ ...box, accounts: store, log: silentLog });
	const knocking = createKnocking({
		clock: box.clock,
		isKnown: (name) => store.find(name) !== null || box.devices.find(name) !== null,
	});
	const broker = await createLocalBroker({
		accounts,
		topics: { receive: async () => 'deliver' },
		onWrongLogin: (login) => knocking.refused(login),
		limits: { ...DEFAULT_MQTT_LIMITS, failedLogins: { burst: 1_000, perSecond: 1 } },
		clock: box.clock,
		log: silentLog,
	});
	const listener = await openMqttPort({ ...broker });
	const server = await bareServer(knockingRoutes, { knocking, devices: box.devices, accounts });
	return {
		...box,
		accounts,
		broker,
		knocking,
		/** Answers the return code of CONNACK. */
		login: async (username: string, password: string, clientId = 'chip-7'): Promise<number | undefined> => {
			const peer = rawPeer(listener.port);
			peer.send(connectPacket(username, password, clientId));
			await peer.until((heard) => heard.length >= 4);
			peer.socket.destroy();
			return peer.heard()[3];
		},
		say: (method: string, url: string, payload?: object, role: 'manager' | 'viewer' = 'manager') =>
			server.inject({ method, url, headers: bearer(role), ...(payload && { payload }) }),
		close: async () => {
			await listener.stop();
			await broker.stop();
			await box.close();
		},
	};
}

test('an unknown device knocks, is listed without its password, and is adopted with one call', async (t) => {
	const { login, say, devices, close } = await gateway();
	t.teardown(close);
	t.is(await login('meter-7', PASSWORD), 4);
	t.is(await login('meter-7', PASSWORD), 4);
	const listed = await say('GET', '/mqtt/knocking');
	t.false(listed.payload.includes(PASSWORD));
	const [knocker]: Record<string, unknown>[] = JSON.parse(listed.payload);
	t.like(knocker, { name: 'meter-7', client_id: 'chip-7', address: '127.0.0.1', count: 2, adoptable: true });
	t.regex(String(knocker?.['first_seen']), /^\d{4}-.*Z$/);
	const adopted = await say('POST', '/mqtt/knocking/meter-7/adopt', { name: 'Cellar', device_type: 'meter' });
	t.is(adopted.statusCode, 201);
	const {
		device,
		credentials,
	}: { device: Record<string, unknown>; credentials: { username: string; password: string } } = JSON.parse(
		adopted.payload,
	);
	t.like(device, { device_uid: 'meter-7', name: 'Cellar', device_type: 'meter', connection: { driver: 'mqtt' } });
	t.truthy(device['owner_id']);
	t.is(credentials.username, 'meter-7');
	t.is(await login('meter-7', credentials.password), 0);
	t.is(devices.find('meter-7')?.name, 'Cellar');
	t.deepEqual(JSON.parse((await say('GET', '/mqtt/knocking')).payload), []);
	t.is((await say('POST', '/mqtt/knocking/meter-7/adopt')).statusCode, 404);
});

test('an adoption without a body takes the name that knocked', async (t) => {
	const { login, say, close } = await gateway();
	t.teardown(close);
	await login('meter-8', PASSWORD);
	const { device }: { device: Record<string, unknown> } = JSON.parse(
		(await say('POST', '/mqtt/knocking/meter-8/adopt')).payload,
	);
	t.like(device, { name: 'meter-8', device_uid: 'meter-8' });
});

test('a wrong password of a known name is no knocking, whether device, login or reader', async (t) => {
	const { login, say, devices, accounts, knocking, close } = await gateway();
	t.teardown(close);
	await devices.register({
		uid: deviceUid('bare'),
		name: 'bare',
		deviceType: 'sensor',
		connection: { driver: 'mqtt' },
	});
	await accounts.addReader('panel');
	t.is(await login('bare', PASSWORD), 4);
	t.is(await login('panel', PASSWORD), 4);
	t.is(knocking.find('bare') ?? knocking.find('panel'), null);
	t.deepEqual(JSON.parse((await say('GET', '/mqtt/knocking')).payload), []);
	await login('later', PASSWORD);
	await devices.register({ uid: deviceUid('later'), name: 'later', deviceType: 'sensor' });
	t.deepEqual(JSON.parse((await say('GET', '/mqtt/knocking')).payload), []);
	t.is((await say('POST', '/mqtt/knocking/later/adopt')).statusCode, 409);
});

test('a name that cannot be an address is listed, cannot be adopted, and can be dismissed', async (t) => {
	const { login, say, close } = await gateway();
	t.teardown(close);
	await login('meter 9/#', PASSWORD);
	const [knocker]: KnockerOnWire[] = JSON.parse((await say('GET', '/mqtt/knocking')).payload);
	t.like(knocker, { name: 'meter 9/#', adoptable: false });
	const url = `/mqtt/knocking/${encodeURIComponent('meter 9/#')}`;
	t.is((await say('POST', `${url}/adopt`)).statusCode, 422);
	t.is((await say('DELETE', url)).statusCode, 204);
	t.is((await say('DELETE', url)).statusCode, 404);
});

test('who may not change devices neither sees nor adopts nor dismisses', async (t) => {
	const { login, say, close } = await gateway();
	t.teardown(close);
	await login('meter-7', PASSWORD);
	t.is((await say('GET', '/mqtt/knocking', undefined, 'viewer')).statusCode, 403);
	t.is((await say('POST', '/mqtt/knocking/meter-7/adopt', {}, 'viewer')).statusCode, 403);
	t.is((await say('DELETE', '/mqtt/knocking/meter-7', undefined, 'viewer')).statusCode, 403);
});

test('the list is bounded: one host that tries names pushes out only its own, and the quietest give way', (t) => {
	let now = 1;
	const knocking = createKnocking({
		clock: { now: () => epochMs(now), monotonicMs: () => now },
		isKnown: () => false,
	});
	const knock = (username: string, remoteAddress: string): void => {
		now += 1;
		knocking.refused({ username, clientId: 'c'.repeat(500), remoteAddress, encrypted: false, certificate: null });
	};
	knock('honest', '10.0.0.1');
	for (let at = 0; at < 500; at += 1) knock(`flood-${at}`, '10.0.0.2');
	t.deepEqual(
		knocking.all().map(({ name }) => name),
		[...Array.from({ length: 20 }, (_, at) => `flood-${499 - at}`), 'honest'],
	);
	for (let at = 0; at < 300; at += 1) knock(`other-${at}`, `10.0.1.${at}`);
	t.is(knocking.all().length, MAX_KNOCKERS);
	t.is(knocking.find('honest'), null);
	knock('x'.repeat(40_000), '10.0.0.3');
	const [longest] = knocking.all();
	t.deepEqual([longest?.name.length, longest?.clientId.length, longest?.isAdoptable], [128, 128, false]);
});
