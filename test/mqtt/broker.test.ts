import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';
import fc from 'fast-check';

import type { PublishVerdict } from '../../core/mqtt/mqtt.ts';
import { createPacketScanner } from '../../core/mqtt/packet-scanner.ts';
import { isBelow, topicLevels } from '../../core/mqtt/topic.ts';
import { deferred } from '../fake/deferred.ts';
import {
	connectPacket,
	packet,
	publishPacket,
	rawPeer,
	startBroker,
	subscribePacket,
	text,
} from '../fake/mqtt-peer.ts';

const CONNACK_OK = Buffer.from([0x20, 2, 0, 0]);
const connack = (code: number) => Buffer.from([0x20, 2, 0, code]);

const withWill = (topic: string): Buffer =>
	packet(0x10, text('MQTT'), Buffer.from([4, 0xc6, 0, 0]), ...['c', topic, 'gone', 'meter-1', 'right'].map(text));

function retainedPacket(topic: string, payload: string): Buffer {
	const bytes = publishPacket(topic, payload);
	bytes[0] = 0x31;
	return bytes;
}

async function waitUntil(isSo: () => boolean): Promise<void> {
	while (!isSo()) await nextTurn();
}

async function connected(port: number, username: string, clientId = 'c') {
	const peer = rawPeer(port);
	peer.send(connectPacket(username, 'right', clientId));
	await peer.until((heard) => heard.includes(CONNACK_OK));
	return peer;
}

async function subscribed(port: number, username: string, filter: string, clientId = 'c') {
	const peer = await connected(port, username, clientId);
	peer.send(subscribePacket(filter));
	await peer.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1])));
	return peer;
}

test('a root owns only what is below it, whatever the wildcards', (t) => {
	const cases: readonly (readonly [string, boolean])[] = [
		['devices/meter-1/telemetry', true],
		['devices/meter-1/#', true],
		['devices/meter-1/+', true],
		['devices/meter-10/telemetry', false],
		['devices/meter-1', false],
		['devices/meter-1/', false],
		['devices/+/telemetry', false],
		['devices/#', false],
		['#', false],
		['+/meter-1/telemetry', false],
	];
	for (const [filter, expected] of cases) t.is(isBelow('devices/meter-1', filter), expected, filter);
	t.is(topicLevels('a/b/c'), 3);
	t.is(topicLevels(''), 1);
});

test('the scanner accepts any split of packets within the limit and refuses the first one above it', (t) => {
	const body = fc.uint8Array({ maxLength: 300 });
	fc.assert(
		fc.property(fc.array(body, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (bodies, step) => {
			const stream = Buffer.concat(bodies.map((bytes) => packet(0x30, Buffer.from(bytes))));
			const scanner = createPacketScanner({ firstPacketBytes: 200, packetBytes: 250 });
			const isFine = bodies.every((bytes, index) => bytes.length <= (index === 0 ? 200 : 250));
			let accepted = true;
			for (let at = 0; accepted && at < stream.length; at += step)
				accepted = scanner.accept(stream.subarray(at, at + step));
			t.is(accepted, isFine);
		}),
	);
	t.false(
		createPacketScanner({ firstPacketBytes: 9, packetBytes: 9 }).accept(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 1])),
	);
});

test('a client without credentials, or with wrong ones, is refused with the code of the specification', async (t) => {
	const { port, stop, broker } = await startBroker();
	t.teardown(stop);
	const wrong = rawPeer(port);
	wrong.send(connectPacket('meter-1', 'guess'));
	await wrong.closed();
	t.deepEqual(wrong.heard(), connack(4));
	const anonymous = rawPeer(port);
	anonymous.send(packet(0x10, Buffer.from('\0\x04MQTT\x04\x02\0\0\0\x01c', 'latin1')));
	await anonymous.closed();
	t.deepEqual(anonymous.heard(), connack(5));
	t.is(broker.stats().refusedConnections, 2);
	t.deepEqual(broker.clients(), []);
	t.false(broker.isConnected('nobody'));
});

test('a QoS 1 publish is acknowledged only after it was accepted', async (t) => {
	const asked = deferred<void>();
	const verdict = deferred<PublishVerdict>();
	const { port, stop } = await startBroker({
		onPublish: () => {
			asked.resolve();
			return verdict.promise;
		},
	});
	t.teardown(stop);
	const device = await connected(port, 'meter-1');
	const other = await subscribed(port, 'reader', 'devices/#');
	device.send(publishPacket('devices/meter-1/telemetry', '{"w":1}', 7));
	await asked.promise;
	// A round trip of somebody else shows that the broker had every chance to acknowledge.
	other.send(packet(0xc0));
	await other.until((heard) => heard.includes(Buffer.from([0xd0, 0])));
	t.deepEqual(device.heard(), CONNACK_OK);
	verdict.resolve('deliver');
	await device.until((heard) => heard.includes(Buffer.from([0x40, 2, 0, 7])));
	await other.until((heard) => heard.includes('{"w":1}'));
	t.true(device.heard().includes(Buffer.from([0x40, 2, 0, 7])));
	device.socket.destroy();
	other.socket.destroy();
});

test('a publish that cannot be accepted closes the connection without an acknowledgement', async (t) => {
	const { port, stop } = await startBroker({ onPublish: () => Promise.reject(new Error('disk full')) });
	t.teardown(stop);
	const device = await connected(port, 'meter-1');
	device.send(publishPacket('devices/meter-1/telemetry', '{}', 7));
	await device.closed();
	t.deepEqual(device.heard(), CONNACK_OK);
});

test('a discarded message is acknowledged, reaches nobody and leaves the connection open', async (t) => {
	const { port, stop, broker } = await startBroker({
		onPublish: async (_account, { payload }) => (payload.includes('bad') ? 'discard' : 'deliver'),
	});
	t.teardown(stop);
	const reader = await subscribed(port, 'reader', '#');
	const device = await connected(port, 'meter-1');
	device.send(publishPacket('devices/meter-1/telemetry', 'bad', 1));
	device.send(publishPacket('devices/meter-1/telemetry', 'fine', 2));
	await reader.until((heard) => heard.includes('fine'));
	await device.until((heard) => heard.includes(Buffer.from([0x40, 2, 0, 2])));
	t.true(device.heard().includes(Buffer.from([0x40, 2, 0, 1])));
	t.false(reader.heard().includes('bad'));
	t.is(broker.stats().discarded, 1);
});

test('a forbidden topic closes the connection, a forbidden filter is answered with 0x80', async (t) => {
	const { port, stop, broker } = await startBroker({
		authorizePublish: ({ name }, topic) => isBelow(`devices/${name}`, topic),
		authorizeSubscribe: ({ name }, filter) => isBelow(`devices/${name}`, filter),
	});
	t.teardown(stop);
	const device = await connected(port, 'meter-1');
	device.send(subscribePacket('devices/#'));
	await device.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	t.true(device.heard().includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	device.send(publishPacket('devices/meter-10/telemetry', '{}'));
	await device.closed();
	t.is(broker.stats().deniedPublishes, 1);
	t.is(broker.stats().deniedSubscriptions, 1);
});

test('a system topic is closed to everybody, whatever the account may do', async (t) => {
	const { port, stop } = await startBroker();
	t.teardown(stop);
	const reader = rawPeer(port);
	reader.send(connectPacket('reader'));
	await reader.until((heard) => heard.includes(CONNACK_OK));
	reader.send(subscribePacket('$SYS/#'));
	await reader.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	reader.send(publishPacket('$SYS/x', '1'));
	await reader.closed();
	t.pass();
});

test('a packet above the limit cuts its connection at the header and nobody else', async (t) => {
	const { port, stop, broker } = await startBroker({ limits: { packetBytes: 1024 } });
	t.teardown(stop);
	const healthy = await connected(port, 'other');
	const device = await connected(port, 'meter-1');
	device.send(Buffer.from([0x30, 0xff, 0xff, 0x7f]));
	await device.closed();
	t.is(broker.stats().cutConnections, 1);
	const stranger = rawPeer(port);
	stranger.send(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0x7f]), Buffer.alloc(1000)]));
	await stranger.closed();
	healthy.send(packet(0xc0));
	await healthy.until((heard) => heard.includes(Buffer.from([0xd0, 0])));
	t.false(healthy.socket.destroyed);
});

test('malformed bytes hurt only the connection they came on', async (t) => {
	const { port, stop } = await startBroker({ limits: { connections: 5000 } });
	t.teardown(stop);
	const healthy = await subscribed(port, 'healthy', 'devices/#');
	const device = await connected(port, 'device');
	const seeds = [
		connectPacket('x'),
		Buffer.concat([connectPacket('x'), subscribePacket('devices/#')]),
		Buffer.concat([connectPacket('x'), publishPacket('devices/x/telemetry', '{"a":1}', 5)]),
		Buffer.concat([connectPacket('x'), packet(0x62, Buffer.from([0, 1])), packet(0xa2, Buffer.from([0, 1, 0, 1, 97]))]),
	];
	const mutation = fc.record({
		seed: fc.nat(seeds.length - 1),
		edits: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { minLength: 1, maxLength: 6 }),
		tail: fc.uint8Array({ maxLength: 30 }),
	});
	for (const batch of Array.from({ length: 40 }, (_, round) => fc.sample(mutation, { numRuns: 50, seed: round }))) {
		await Promise.all(
			batch.map(async ({ seed, edits, tail }) => {
				const bytes = Buffer.concat([seeds[seed] ?? Buffer.alloc(0), tail]);
				for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
				const peer = rawPeer(port);
				await new Promise((resolve) => peer.socket.once('connect', resolve));
				await new Promise((resolve) => peer.socket.end(bytes, () => resolve(null)));
				peer.socket.resume();
				await peer.closed();
			}),
		);
	}
	device.send(publishPacket('devices/device/telemetry', 'still here'));
	await healthy.until((heard) => heard.includes('still here'));
	t.true(healthy.heard().includes('still here'));
});

test('a subscriber that stops reading is cut and never stalls the others', async (t) => {
	const { port, stop, broker } = await startBroker({
		limits: { backlogBytes: 512 * 1024, dropAboveBytes: 128 * 1024 },
	});
	t.teardown(stop);
	const frozen = await subscribed(port, 'frozen', 't/#');
	frozen.socket.pause();
	const healthy = await subscribed(port, 'healthy', 't/#');
	// The publisher is a client: a delivery that waits would stop the broker from reading it.
	const publisher = await connected(port, 'publisher');
	const filler = publishPacket('t/x', 'x'.repeat(4_000));
	for (let round = 0; round < 100 && !healthy.socket.destroyed; round += 1) {
		for (let message = 0; message < 20; message += 1) publisher.send(filler);
		publisher.send(publishPacket('t/x', `round-${round};`));
		await healthy.until((heard) => heard.subarray(-64).includes(`round-${round};`));
	}
	t.true(healthy.heard().subarray(-64).includes('round-99;'));
	t.true(broker.stats().droppedForSlowClients > 0);
	frozen.socket.destroy();
});

test('a backlog that only grows cuts the connection', async (t) => {
	const { port, stop, broker } = await startBroker({
		limits: { backlogBytes: 512 * 1024, dropAboveBytes: Number.POSITIVE_INFINITY },
	});
	t.teardown(stop);
	const frozen = await subscribed(port, 'frozen', 't/#');
	frozen.socket.pause();
	const healthy = await subscribed(port, 'healthy', 'done');
	for (let message = 0; message < 4_000 && broker.stats().cutConnections === 0; message += 1) {
		broker.publish('t/x', 'x'.repeat(4_000));
		if (message % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
	}
	broker.publish('done', 'yes');
	await healthy.until((heard) => heard.includes('yes'));
	t.is(broker.stats().cutConnections, 1);
	frozen.socket.destroy();
});

test('the will of a device that is cut off is published on its own topic only', async (t) => {
	const { port, stop } = await startBroker({
		authorizePublish: ({ name }, topic) => isBelow(`devices/${name}`, topic),
	});
	t.teardown(stop);
	const reader = await subscribed(port, 'reader', 'devices/#');
	const thief = rawPeer(port);
	thief.send(withWill('devices/meter-2/status'));
	await thief.closed();
	t.deepEqual(thief.heard(), connack(5));
	const device = rawPeer(port);
	device.send(withWill('devices/meter-1/status'));
	await device.until((heard) => heard.includes(CONNACK_OK));
	device.socket.destroy();
	await reader.until((heard) => heard.includes('gone'));
	t.true(reader.heard().includes('devices/meter-1/statusgone'));
});

test('a retained message reaches later subscribers, and beyond the quota it is delivered but not kept', async (t) => {
	const { port, stop } = await startBroker({ limits: { retainedMessages: 1 } });
	t.teardown(stop);
	const witness = await subscribed(port, 'witness', '#');
	const device = await connected(port, 'meter-1');
	device.send(retainedPacket('a', 'first'));
	device.send(retainedPacket('b', 'second'));
	await witness.until((heard) => heard.includes('second'));
	const late = await subscribed(port, 'late', '#');
	await late.until((heard) => heard.includes('first'));
	device.send(publishPacket('c', 'third'));
	await late.until((heard) => heard.includes('third'));
	t.true(late.heard().includes('first'));
	t.false(late.heard().includes('second'));
});

test('a client identifier belongs to its account: nobody ends another connection by borrowing it', async (t) => {
	const { port, stop, broker } = await startBroker();
	t.teardown(stop);
	const first = await connected(port, 'meter-1', 'same');
	const second = await connected(port, 'meter-2', 'same');
	t.false(first.socket.destroyed);
	t.deepEqual(
		broker.clients().map(({ account, clientId }) => [account, clientId]),
		[
			['meter-1', 'meter-1/same'],
			['meter-2', 'meter-2/same'],
		],
	);
	t.true(broker.isConnected('meter-1'));
	t.false(broker.isConnected('meter-3'));
	const again = await connected(port, 'meter-1', 'same');
	await first.closed();
	t.is(broker.disconnect('meter-2', 'revoked'), 1);
	await second.closed();
	t.false(again.socket.destroyed);
});

test('connections, connections per account and filters have a limit', async (t) => {
	const { port, stop } = await startBroker({ limits: { connections: 3, connectionsPerAccount: 1, subscriptions: 1 } });
	t.teardown(stop);
	const first = await subscribed(port, 'a', 'x');
	const second = rawPeer(port);
	second.send(connectPacket('a', 'right', 'other'));
	await second.closed();
	t.deepEqual(second.heard(), connack(3));
	first.send(subscribePacket('y'));
	await first.until((heard) => heard.includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	t.true(first.heard().includes(Buffer.from([0x90, 3, 0, 1, 0x80])));
	const others = [await connected(port, 'b'), await connected(port, 'c')];
	const tooMany = rawPeer(port);
	await tooMany.closed();
	t.is(tooMany.heard().length, 0);
	t.is(others.length, 2);
});

test('a connection that never says CONNECT is closed, and a stopped broker leaves no connection', async (t) => {
	const { port, stop, broker } = await startBroker({ limits: { connectTimeoutMs: 50 } });
	const silent = rawPeer(port);
	await silent.closed();
	const client = await connected(port, 'meter-1');
	await stop();
	await client.closed();
	t.is(broker.stats().connections, 0);
});

test('a broker that stops acknowledges what it has begun to store, and takes nothing more', async (t) => {
	const disk = deferred<PublishVerdict>();
	const { broker, port, stop } = await startBroker({ onPublish: () => disk.promise });
	t.teardown(stop);
	const device = await connected(port, 'meter-1');
	device.send(publishPacket('a', '1', 9));
	await waitUntil(() => broker.stats().received === 1);
	const stopped = broker.stop();
	device.send(publishPacket('a', '2', 10));
	disk.resolve('discard');
	await stopped;
	await device.closed();
	t.true(device.heard().includes(Buffer.from([0x40, 2, 0, 9])));
	t.is(broker.stats().received, 1);
});
