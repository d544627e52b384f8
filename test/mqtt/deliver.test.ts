import test from 'ava';

import type { MqttAccount } from '../../core/mqtt/mqtt.ts';
import { createOutboundWindow } from '../../core/mqtt/outbound-window.ts';
import { matchesFilter } from '../../core/mqtt/topic.ts';
import { deferred } from '../fake/deferred.ts';
import { connectPacket, packet, rawPeer, startBroker, text } from '../fake/mqtt-peer.ts';

const CONNACK_OK = Buffer.from([0x20, 2, 0, 0]);
const TOPIC = 'devices/meter-1/command';
const WAIT = { timeoutMs: 10_000 };

async function subscriber(port: number, username: string, qos: 0 | 1, filter = TOPIC, clientId = 'c') {
	const peer = rawPeer(port);
	peer.send(connectPacket(username, 'right', clientId));
	await peer.until((heard) => heard.includes(CONNACK_OK));
	peer.send(packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([qos])));
	await peer.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1])));
	return peer;
}

/** Packet identifier of the only QoS 1 message heard on the topic. */
function messageIdOf(heard: Buffer): Buffer {
	const at = heard.indexOf(TOPIC) + TOPIC.length;
	return heard.subarray(at, at + 2);
}

test('filters match as the specification says', (t) => {
	const cases: readonly (readonly [string, string, boolean])[] = [
		['a/b', 'a/b', true],
		['a/b', 'a/b/c', false],
		['a/+', 'a/b', true],
		['a/+', 'a', false],
		['a/+', 'a/', true],
		['+/+', '/finance', true],
		['a/#', 'a', true],
		['a/#', 'a/b/c', true],
		['#', 'a/b', true],
		['#', '$SYS/x', false],
		['+/x', '$SYS/x', false],
		['$SYS/#', '$SYS/x', true],
		['a/b/#', 'a', false],
	];
	for (const [filter, topic, expected] of cases) t.is(matchesFilter(filter, topic), expected, `${filter} ${topic}`);
});

test('packet identifiers are never given out twice, wrap round, and are bounded', (t) => {
	const window = createOutboundWindow(2);
	t.is(window.take(), 1);
	for (let round = 2; round <= 65_535; round += 1) {
		t.is(window.take(), round);
		window.acknowledge(round);
	}
	t.is(window.take(), 2);
	t.is(window.take(), null);
	t.true(window.acknowledge(1));
	t.false(window.acknowledge(1));
	t.is(window.take(), 3);
});

test('a delivery resolves when the device has acknowledged it, and not before', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const device = await subscriber(port, 'meter-1', 1);
	const other = await subscriber(port, 'reader', 1, '#');
	let result: string | null = null;
	const delivery = broker.deliver('meter-1', TOPIC, 'on', WAIT).then((got) => (result = got));
	await device.until((heard) => heard.includes(TOPIC) && heard.includes('on', heard.indexOf(TOPIC)));
	// A round trip shows that the broker had every chance to answer.
	device.send(packet(0xc0));
	await device.until((heard) => heard.includes(Buffer.from([0xd0, 0])));
	t.is(result, null);
	device.send(packet(0x40, messageIdOf(device.heard())));
	t.is(await delivery, 'acknowledged');
	t.false(other.heard().includes('on'));
});

test('a subscription at QoS 0 is served when the message was written', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const device = await subscriber(port, 'meter-1', 0, 'devices/meter-1/#');
	t.is(await broker.deliver('meter-1', TOPIC, 'on', WAIT), 'acknowledged');
	await device.until((heard) => heard.includes('on', heard.indexOf(TOPIC)));
	t.true(device.heard().includes(TOPIC));
});

test('a delivery to a device that is away, or listens elsewhere, says so at once', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	t.is(await broker.deliver('meter-1', TOPIC, 'on', WAIT), 'not-subscribed');
	await subscriber(port, 'meter-1', 1, 'devices/meter-1/config');
	t.is(await broker.deliver('meter-1', TOPIC, 'on', WAIT), 'not-subscribed');
	await subscriber(port, 'meter-2', 1, TOPIC);
	t.is(await broker.deliver('meter-1', TOPIC, 'on', WAIT), 'not-subscribed');
});

test('a delivery that nobody acknowledges times out, and ends with its connection', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const device = await subscriber(port, 'meter-1', 1);
	t.is(await broker.deliver('meter-1', TOPIC, 'on', { timeoutMs: 20 }), 'timeout');
	const pending = broker.deliver('meter-1', TOPIC, 'on', WAIT);
	device.socket.destroy();
	t.is(await pending, 'timeout');
});

test('of several connections of a device one acknowledgement is enough', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const first = await subscriber(port, 'meter-1', 1, TOPIC, 'first');
	const second = await subscriber(port, 'meter-1', 1, TOPIC, 'second');
	const delivery = broker.deliver('meter-1', TOPIC, 'on', WAIT);
	await second.until((heard) => heard.includes('on', heard.indexOf(TOPIC)));
	first.socket.destroy();
	second.send(packet(0x40, messageIdOf(second.heard())));
	t.is(await delivery, 'acknowledged');
});

test('connections and filters are told of when messages can be delivered, and the last farewell is marked', async (t) => {
	const told: string[] = [];
	const over = deferred<void>();
	const { broker, port, stop } = await startBroker({
		onConnected: ({ name }: MqttAccount) => void told.push(`${name} connected`),
		onSubscribed: ({ name }: MqttAccount, filter) => {
			told.push(`${name} ${filter}`);
			void broker.deliver(name, TOPIC, 'queued', WAIT);
		},
		onDisconnected: ({ name }: MqttAccount, last) => {
			told.push(`${name} gone${last ? ', the last' : ''}`);
			if (last) over.resolve();
		},
	});
	t.teardown(stop);
	const first = await subscriber(port, 'meter-1', 1, TOPIC, 'first');
	await first.until((heard) => heard.includes('queued'));
	const second = await subscriber(port, 'meter-1', 1, 'other', 'second');
	first.socket.destroy();
	await first.closed();
	second.socket.destroy();
	await over.promise;
	const refused = rawPeer(port);
	refused.send(connectPacket('meter-1', 'wrong'));
	await refused.closed();
	t.deepEqual(told, [
		'meter-1 connected',
		`meter-1 ${TOPIC}`,
		'meter-1 connected',
		'meter-1 other',
		'meter-1 gone',
		'meter-1 gone, the last',
	]);
});
