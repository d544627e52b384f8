import test, { type ExecutionContext } from 'ava';

import type { Broker } from '../../core/mqtt/mqtt.ts';
import type { MqttLimits } from '../../core/mqtt/mqtt-limits.ts';
import { createTokenBuckets } from '../../core/kernel/token-buckets.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import {
	connectPacket,
	packet,
	publishPacket,
	rawPeer,
	startBroker,
	subscribePacket,
	text,
} from '../fake/mqtt-peer.ts';
import { packetTypesIn, sessionPeer } from '../fake/mqtt-session-peer.ts';

/** Where the troublemaker comes from; everybody else comes from 127.0.0.1. */
const ELSEWHERE = '127.0.0.2';
const CONNACK_OK = Buffer.from([0x20, 2, 0, 0]);
const NEVER_AGAIN = { burst: 2, perSecond: 0 };

/** CONNECT with everything that a limit looks at. */
const connectWith = ({
	clientId = 'c',
	flags = 0xc2,
	keepalive = 0,
	will = null as readonly [string, string] | null,
}) =>
	packet(
		0x10,
		text('MQTT'),
		Buffer.from([4, flags | (will === null ? 0 : 4), keepalive >> 8, keepalive & 0xff]),
		...[clientId, ...(will ?? []), 'device', 'right'].map(text),
	);

async function login(port: number, bytes: Buffer, from = ELSEWHERE) {
	const peer = rawPeer(port, from);
	peer.send(bytes);
	await peer.until((heard) => heard.length >= 4);
	return peer;
}

/** What became of a connection that sends this after its login. */
async function closedAfter(port: number, bytes: Buffer): Promise<Buffer> {
	const peer = await login(port, connectPacket('device'));
	peer.send(bytes);
	await peer.closed();
	return peer.heard().subarray(CONNACK_OK.length);
}

type Provoke = (port: number, t: ExecutionContext, broker: Broker) => Promise<void>;

const refusesTopic =
	(topic: string): Provoke =>
	async (port, t) => {
		t.is((await closedAfter(port, publishPacket(topic, '{}', 7))).length, 0);
	};

const refusesFilter =
	(filter: string): Provoke =>
	async (port, t) => {
		const peer = await login(port, connectPacket('device'));
		peer.send(subscribePacket(filter));
		await peer.until((heard) => packetTypesIn(heard).includes(9));
		t.true(peer.heard().equals(CONNACK_OK) || peer.heard().at(-1) === 0x80);
		peer.socket.destroy();
	};

const refusesLogin =
	(bytes: Buffer, code: number): Provoke =>
	async (port, t) => {
		const peer = await login(port, bytes);
		await peer.closed();
		t.is(peer.heard()[3], code);
	};

const LIMITS: readonly (readonly [string, Partial<MqttLimits>, Provoke])[] = [
	[
		'connections of one address',
		{ connectionsPerAddress: 3 },
		async (port, t, broker) => {
			const held = [1, 2, 3].map(() => rawPeer(port, ELSEWHERE));
			const tooMany = rawPeer(port, ELSEWHERE);
			await tooMany.closed();
			t.is(tooMany.heard().length, 0);
			t.is(broker.stats().refusedConnections, 1);
			for (const peer of held) peer.socket.destroy();
		},
	],
	[
		'new connections of one address',
		{ connectRate: NEVER_AGAIN },
		async (port, t, broker) => {
			for (let round = 0; round < 20; round += 1) {
				const peer = rawPeer(port, ELSEWHERE);
				if (round < 2) await login(port, connectPacket('device')).catch(() => undefined);
				peer.socket.end();
				peer.socket.resume();
				await peer.closed();
			}
			t.true(broker.stats().refusedConnections >= 18);
		},
	],
	[
		'refused logins of one address',
		{ failedLogins: NEVER_AGAIN },
		async (port, t) => {
			for (let round = 0; round < 2; round += 1)
				t.is((await login(port, connectPacket('device', 'wrong'))).heard()[3], 4);
			t.is((await login(port, connectPacket('device'))).heard().length, 0);
		},
	],
	[
		'time until CONNECT, however slowly it comes',
		{ connectTimeoutMs: 250 },
		async (port, t) => {
			const peer = rawPeer(port, ELSEWHERE);
			const bytes = connectPacket('device');
			let at = 0;
			const drip = setInterval(() => peer.send(bytes.subarray(at, (at += 1))), 10);
			await peer.closed();
			clearInterval(drip);
			t.is(peer.heard().length, 0);
		},
	],
	[
		'keepalive of a client that asks for none',
		{ keepaliveS: 1 },
		async (port, t) => {
			const peer = await login(port, connectWith({ keepalive: 0 }));
			t.true(peer.heard().equals(CONNACK_OK));
			await peer.closed();
		},
	],
	[
		'keepalive of a client that asks for hours',
		{ keepaliveS: 1 },
		async (port, t) => {
			const peer = await login(port, connectWith({ keepalive: 65_535 }));
			t.true(peer.heard().equals(CONNACK_OK));
			await peer.closed();
		},
	],
	['length of a client identifier', { clientIdLength: 8 }, refusesLogin(connectWith({ clientId: 'x'.repeat(9) }), 2)],
	['control characters in a client identifier', {}, refusesLogin(connectWith({ clientId: 'a\nb' }), 2)],
	['a session without client identifier', {}, refusesLogin(connectWith({ clientId: '', flags: 0xc0 }), 2)],
	['a will with a wildcard', {}, refusesLogin(connectWith({ will: ['devices/#', 'x'] }), 5)],
	['a will without topic', {}, async (port, t) => void t.false(await isLetIn(port, connectWith({ will: ['', 'x'] })))],
	['NUL in a topic', {}, refusesTopic('a\0b')],
	['bytes in a topic that are no UTF-8', {}, refusesTopic('a\ufffdb')],
	['an empty topic', {}, refusesTopic('')],
	['+ in a topic', {}, refusesTopic('a/+')],
	['# in a topic', {}, refusesTopic('a/#')],
	['a topic of the broker', {}, refusesTopic('$SYS/x')],
	['levels of a topic', { topicLevels: 3 }, refusesTopic('a/b/c/d')],
	['length of a topic', { topicLength: 10 }, refusesTopic('x'.repeat(11))],
	['levels of a filter', { topicLevels: 3 }, refusesFilter('a/b/c/#')],
	['length of a filter', { topicLength: 10 }, refusesFilter('x'.repeat(11))],
	['NUL in a filter', {}, refusesFilter('a\0b')],
	['shared subscriptions', {}, refusesFilter('$share/group/a')],
	['a wildcard inside a level', {}, refusesFilter('a/b+')],
	[
		'messages that are not acknowledged',
		{ unacknowledged: 3 },
		async (port, t, broker) => {
			const silent = await sessionPeer(port, 'silent', 'c', true);
			await silent.subscribe('x', 1);
			for (let count = 0; count < 4; count += 1) broker.publish('x', `${count}`, { qos: 1 });
			await silent.closed();
			t.is(broker.stats().cutConnections, 1);
		},
	],
	[
		'QoS 2 messages that are not released',
		{ inboundQos2: 3 },
		async (port, t) => {
			const device = await sessionPeer(port, 'device');
			for (let id = 1; id <= 4; id += 1) device.send(packet(0x34, text('x'), Buffer.from([0, id]), Buffer.from('{}')));
			await device.closed();
			t.true(packetTypesIn(device.heard()).filter((type) => type === 5).length <= 3);
			const again = await sessionPeer(port, 'device');
			again.send(packet(0x34, text('x'), Buffer.from([0, 99]), Buffer.from('{}')));
			await again.closed();
		},
	],
];

async function isLetIn(port: number, bytes: Buffer): Promise<boolean> {
	const peer = await login(port, bytes);
	peer.socket.destroy();
	return peer.heard().subarray(0, 4).equals(CONNACK_OK);
}

for (const [name, limits, provoke] of LIMITS)
	test(`a limit holds and hurts nobody else: ${name}`, async (t) => {
		// `keepaliveS` is for everybody; the healthy ones keep talking.
		const { port, broker, stop } = await startBroker({ limits });
		t.teardown(stop);
		const reader = await sessionPeer(port, 'healthy reader', 'c', true);
		await reader.subscribe('fine/#', 1);
		const alive = setInterval(() => reader.send(packet(0xc0)), 20);
		t.teardown(() => clearInterval(alive));
		await provoke(port, t, broker);
		t.false(reader.socket.destroyed);
		const device = await sessionPeer(port, 'healthy device', 'c', true);
		device.send(publishPacket('fine/a', 'still here', 1));
		await reader.until(() => reader.payloads().includes('still here'));
		t.deepEqual(reader.payloads(), ['still here']);
	});

test('buckets refill with time and never remember more keys than they may', (t) => {
	let ms = 0;
	const clock = { now: () => epochMs(ms), monotonicMs: () => ms };
	const buckets = createTokenBuckets({ burst: 2, perSecond: 1 }, 3, clock);
	t.deepEqual(
		[1, 2, 3].map(() => buckets.take('a')),
		[true, true, false],
	);
	t.false(buckets.has('a'));
	ms = 999;
	t.false(buckets.take('a'));
	ms = 1_998;
	t.true(buckets.take('a'));
	ms = 100_000;
	t.deepEqual(
		[1, 2, 3].map(() => buckets.take('a')),
		[true, true, false],
	);
	for (let key = 0; key < 1_000; key += 1) {
		buckets.take(`flood-${key}`);
		buckets.take('a');
	}
	t.is(buckets.size, 3);
	t.false(buckets.has('a'));
});

test('a device that asks for thousands of topics beyond its own does not flood the log', async (t) => {
	const lines: string[] = [];
	const log: Logger = { ...silentLog, warn: (event) => void lines.push(event), child: () => log };
	const { broker, port, stop } = await startBroker({ log, authorizeSubscribe: () => false });
	t.teardown(stop);
	const peer = await login(port, connectPacket('device'));
	const filters = Array.from({ length: 5_000 }, (_, at) => Buffer.concat([text(`x/${at}`), Buffer.from([0])]));
	peer.send(packet(0x82, Buffer.from([0, 1]), ...filters));
	await peer.until(() => broker.stats().deniedSubscriptions === 5_000);
	t.is(lines.length, 20);
});
