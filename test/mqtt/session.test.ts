import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';
import fc from 'fast-check';

import { epochMs } from '../../core/kernel/clock.ts';
import type { ForwardPacket } from '../../core/mqtt/aedes-client.ts';
import { createByteBudget, createMessageQueue } from '../../core/mqtt/session/message-queue.ts';
import { packet, publishPacket, rawPeer, startBroker } from '../fake/mqtt-peer.ts';
import { packetTypesIn, persistentConnect, sessionPeer } from '../fake/mqtt-session-peer.ts';

/** A clock that only moves when it is told. */
function handClock() {
	let ms = 0;
	return {
		clock: { now: () => epochMs(1_767_225_600_000 + ms), monotonicMs: () => ms },
		advance: (by: number) => void (ms += by),
	};
}

async function waitUntil(isSo: () => boolean): Promise<void> {
	while (!isSo()) await nextTurn();
}

const message = (brokerCounter: number, bytes: number): ForwardPacket => ({
	cmd: 'publish',
	topic: '',
	payload: Buffer.alloc(bytes),
	qos: 1,
	dup: false,
	retain: false,
	brokerId: 'b',
	brokerCounter,
});

test('a queue never holds more than its messages and bytes, keeps the newest, and the budget of all adds up', (t) => {
	const sizes = fc.array(fc.nat(60), { maxLength: 30 });
	fc.assert(
		fc.property(sizes, sizes, (first, second) => {
			let used = 0;
			const budget = createByteBudget(120);
			const counted = {
				take: (bytes: number) => budget.take(bytes) && ((used += bytes), true),
				give: (bytes: number) => void (budget.give(bytes), (used -= bytes)),
			};
			let dropped = 0;
			const queues = [first, second].map((all) => {
				const queue = createMessageQueue({ messages: 5, bytes: 100 }, counted, () => (dropped += 1));
				for (const [at, size] of all.entries()) queue.push(message(at + 1, size), 1);
				return queue;
			});
			for (const [at, queue] of queues.entries()) {
				const counters = queue.all().map((kept) => kept.packet.brokerCounter);
				t.true(queue.size <= 5 && queue.bytes <= 100);
				t.deepEqual(
					counters,
					counters.toSorted((a, b) => a - b),
				);
				const last = (at === 0 ? first : second).length;
				if (at === 0 && last > 0) t.is(counters.at(-1), last);
			}
			const kept = queues.reduce((sum, queue) => sum + queue.size, 0);
			t.is(kept + dropped, first.length + second.length);
			t.is(
				used,
				queues.reduce((sum, queue) => sum + queue.bytes, 0),
			);
			t.true(used <= 120);
			for (const queue of queues) queue.clear();
			t.is(used, 0);
		}),
	);
});

test('a client that comes back finds its session: subscriptions, and what came meanwhile, in order', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const first = await sessionPeer(port, 'reader');
	t.false(first.sessionPresent);
	await first.subscribe('devices/#', 1);
	await first.leave();
	for (const payload of ['one', 'two', 'three']) broker.publish('devices/a/telemetry', payload, { qos: 1 });
	broker.publish('devices/a/telemetry', 'fleeting');
	const second = await sessionPeer(port, 'reader');
	t.true(second.sessionPresent);
	await second.until(() => second.messages().length === 3);
	t.deepEqual(second.payloads(), ['one', 'two', 'three']);
	t.true(second.messages().every(({ qos, dup }) => qos === 1 && !dup));
	broker.publish('devices/a/telemetry', 'live', { qos: 1 });
	await second.until(() => second.messages().length === 4);
	t.is(second.payloads().at(-1), 'live');
});

test('what was sent and not acknowledged comes again under its identifier, marked; what was acknowledged does not', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const first = await sessionPeer(port, 'reader');
	await first.subscribe('x', 1);
	broker.publish('x', 'one', { qos: 1 });
	broker.publish('x', 'two', { qos: 1 });
	await first.until(() => first.messages().length === 2);
	const [one, two] = first.messages();
	first.acknowledge(one?.messageId ?? 0);
	await first.roundTrip();
	first.socket.destroy();
	await waitUntil(() => broker.clients().length === 0);
	const second = await sessionPeer(port, 'reader');
	await second.until(() => second.messages().length === 1);
	await second.roundTrip();
	t.deepEqual(second.messages(), [{ topic: 'x', payload: 'two', qos: 1, dup: true, messageId: two?.messageId ?? 0 }]);
	second.acknowledge(two?.messageId ?? 0);
	await second.roundTrip();
	await second.leave();
	const third = await sessionPeer(port, 'reader');
	await third.roundTrip();
	t.deepEqual(third.payloads(), []);
});

test('a session without subscriptions is present too; one that asks for a clean start is not', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	await (await sessionPeer(port, 'reader')).leave();
	const back = await sessionPeer(port, 'reader');
	t.true(back.sessionPresent);
	await back.subscribe('x', 1);
	await back.leave();
	t.false((await sessionPeer(port, 'other')).sessionPresent);
	const clean = await sessionPeer(port, 'reader', 'c', true);
	t.false(clean.sessionPresent);
	await clean.leave();
	broker.publish('x', 'lost', { qos: 1 });
	const again = await sessionPeer(port, 'reader');
	t.false(again.sessionPresent);
	await again.roundTrip();
	t.deepEqual(again.payloads(), []);
});

test('a second connection with the same identifier takes the session over', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const first = await sessionPeer(port, 'reader');
	await first.subscribe('x', 1);
	broker.publish('x', 'unanswered', { qos: 1 });
	await first.until(() => first.messages().length === 1);
	const second = await sessionPeer(port, 'reader');
	t.true(second.sessionPresent);
	await first.closed();
	await second.until(() => second.messages().length === 1);
	broker.publish('x', 'live', { qos: 1 });
	await second.until(() => second.messages().length === 2);
	t.deepEqual(second.payloads(), ['unanswered', 'live']);
	await second.leave();
	broker.publish('x', 'kept', { qos: 1 });
	const third = await sessionPeer(port, 'reader');
	await third.until(() => third.payloads().includes('kept'));
	t.is(broker.stats().sessions, 1);
});

test('takeovers in a storm leave one connection, and it works', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const peers = Array.from({ length: 12 }, () => rawPeer(port));
	for (const peer of peers) peer.send(persistentConnect('reader'));
	await waitUntil(() => broker.clients().length === 1 && broker.stats().connections === 1);
	const last = await sessionPeer(port, 'reader');
	await last.subscribe('x', 1);
	broker.publish('x', 'fine', { qos: 1 });
	await last.until(() => last.payloads().includes('fine'));
	await Promise.all(peers.map((peer) => peer.closed()));
	t.is(broker.clients().length, 1);
});

test('a full session drops its oldest messages and counts them; others lose nothing', async (t) => {
	const { broker, port, stop } = await startBroker({ limits: { sessionMessages: 3, sessionBytes: 100 } });
	t.teardown(stop);
	const away = await sessionPeer(port, 'reader');
	await away.subscribe('x', 1);
	await away.leave();
	const there = await sessionPeer(port, 'witness');
	await there.subscribe('x', 1);
	for (let count = 1; count <= 6; count += 1) broker.publish('x', `message ${count}`, { qos: 1 });
	await there.until(() => there.messages().length === 6);
	t.is(broker.stats().droppedFromSessions, 3);
	const back = await sessionPeer(port, 'reader');
	await back.until(() => back.messages().length === 3);
	t.deepEqual(back.payloads(), ['message 4', 'message 5', 'message 6']);
	broker.publish('x', 'y'.repeat(200), { qos: 1 });
	await back.until(() => back.messages().length === 4);
	t.is(back.payloads().at(-1)?.length, 200);
});

test('sessions expire when nobody comes for them, not before', async (t) => {
	const { clock, advance } = handClock();
	const { broker, port, stop } = await startBroker({ clock, limits: { sessionExpiryMs: 1_000 } });
	t.teardown(stop);
	const first = await sessionPeer(port, 'reader');
	await first.subscribe('x', 1);
	advance(5_000);
	await first.leave();
	advance(999);
	const second = await sessionPeer(port, 'reader');
	t.true(second.sessionPresent);
	await second.leave();
	broker.publish('x', 'old', { qos: 1 });
	advance(1_000);
	const third = await sessionPeer(port, 'reader');
	t.false(third.sessionPresent);
	await third.roundTrip();
	t.deepEqual(third.payloads(), []);
	t.is(broker.stats().expiredSessions, 1);
});

test('the number of sessions is bounded: an account displaces its own oldest one, never another account', async (t) => {
	const { clock, advance } = handClock();
	const { broker, port, stop } = await startBroker({ clock, limits: { sessions: 3, sessionsPerAccount: 2 } });
	t.teardown(stop);
	for (const clientId of ['one', 'two', 'three']) {
		await (await sessionPeer(port, 'reader', clientId)).leave();
		await waitUntil(() => broker.clients().length === 0);
		advance(1);
	}
	t.is(broker.stats().sessions, 2);
	t.false((await sessionPeer(port, 'reader', 'one', false)).sessionPresent);
	t.true((await sessionPeer(port, 'reader', 'three')).sessionPresent);
	await (await sessionPeer(port, 'second')).leave();
	const guest = await sessionPeer(port, 'third');
	t.is(guest.returnCode, 0);
	await guest.subscribe('x', 1);
	await guest.leave();
	t.false((await sessionPeer(port, 'third')).sessionPresent);
	t.is(broker.stats().sessions, 3);
});

test('a broker without sessions answers every client with a fresh one', async (t) => {
	const { broker, port, stop } = await startBroker({ limits: { sessions: 0 } });
	t.teardown(stop);
	const first = await sessionPeer(port, 'gateway');
	await first.subscribe('x', 1);
	await first.leave();
	broker.publish('x', 'missed', { qos: 1 });
	const second = await sessionPeer(port, 'gateway');
	t.false(second.sessionPresent);
	await second.roundTrip();
	t.deepEqual(second.payloads(), []);
	t.is(broker.stats().sessions, 0);
});

test('credentials that end take sessions and what they kept along', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const away = await sessionPeer(port, 'reader', 'away');
	await away.subscribe('x', 1);
	await away.leave();
	const there = await sessionPeer(port, 'reader', 'there');
	await there.subscribe('x', 1);
	broker.publish('x', 'secret', { qos: 1 });
	await there.until(() => there.messages().length === 1);
	t.is(broker.disconnect('reader', 'revoked'), 1);
	await there.closed();
	t.is(broker.stats().sessions, 0);
	for (const clientId of ['away', 'there']) {
		const back = await sessionPeer(port, 'reader', clientId);
		t.false(back.sessionPresent);
		await back.roundTrip();
		t.deepEqual(back.payloads(), []);
	}
});

test('a filter that is refused beside a granted one keeps nothing for its client', async (t) => {
	const { broker, port, stop } = await startBroker({ authorizeSubscribe: (_account, filter) => filter !== 'secret' });
	t.teardown(stop);
	const first = await sessionPeer(port, 'reader');
	first.send(
		packet(
			0x82,
			Buffer.from([0, 1, 0, 1]),
			Buffer.from('x\x01', 'latin1'),
			Buffer.from([0, 6]),
			Buffer.from('secret\x01'),
		),
	);
	await first.until((heard) => heard.includes(Buffer.from([0x90, 4, 0, 1, 1, 0x80])));
	await first.leave();
	broker.publish('secret', 'password', { qos: 1 });
	broker.publish('x', 'fine', { qos: 1 });
	const second = await sessionPeer(port, 'reader');
	await second.until(() => second.messages().length === 1);
	await second.roundTrip();
	t.deepEqual(second.payloads(), ['fine']);
});

test('a filter that was given back keeps nothing any more', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const first = await sessionPeer(port, 'reader');
	await first.subscribe('x', 1);
	first.send(packet(0xa2, Buffer.from([0, 2, 0, 1]), Buffer.from('x')));
	await first.until((heard) => packetTypesIn(heard).includes(11));
	await first.leave();
	broker.publish('x', 'unwanted', { qos: 1 });
	const second = await sessionPeer(port, 'reader');
	t.true(second.sessionPresent);
	await second.roundTrip();
	t.deepEqual(second.payloads(), []);
});

test('QoS 2 is taken once, also across connections, and PUBREL is repeated to a receiver that has said PUBREC', async (t) => {
	const taken: string[] = [];
	const { broker, port, stop } = await startBroker({
		onPublish: async (_account, { payload, dup }) => {
			if (!dup) taken.push(payload.toString());
			return dup ? 'discard' : 'deliver';
		},
	});
	t.teardown(stop);
	const reader = await sessionPeer(port, 'reader');
	await reader.subscribe('x', 2);
	const device = await sessionPeer(port, 'device');
	const body = Buffer.concat([Buffer.from([0, 1]), Buffer.from('x'), Buffer.from([0, 7]), Buffer.from('once')]);
	device.send(packet(0x34, body));
	await device.until((heard) => packetTypesIn(heard).includes(5));
	device.socket.destroy();
	const again = await sessionPeer(port, 'device');
	again.send(packet(0x3c, body));
	await again.until((heard) => packetTypesIn(heard).includes(5));
	again.send(packet(0x62, Buffer.from([0, 7])));
	await again.until((heard) => packetTypesIn(heard).includes(7));
	await reader.until(() => reader.messages().length === 1);
	t.deepEqual(taken, ['once']);
	const [heard] = reader.messages();
	t.is(heard?.qos, 2);
	const id = Buffer.from([(heard?.messageId ?? 0) >> 8, (heard?.messageId ?? 0) & 0xff]);
	reader.send(packet(0x50, id));
	await reader.until((bytes) => packetTypesIn(bytes).includes(6));
	reader.socket.destroy();
	await waitUntil(() => broker.clients().length === 1);
	const back = await sessionPeer(port, 'reader');
	await back.until((bytes) => packetTypesIn(bytes).includes(6));
	back.send(packet(0x70, id));
	await back.roundTrip();
	t.deepEqual(back.payloads(), []);
});

test('a message at QoS 1 is not lost to one at QoS 0 that overtakes it', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const reader = await sessionPeer(port, 'reader', 'c', true);
	await reader.subscribe('devices/#', 1);
	for (let round = 0; round < 50; round += 1) {
		broker.publish('devices/a/status', `certain ${round}`, { qos: 1 });
		broker.publish('devices/b/telemetry', `fleeting ${round}`);
	}
	await reader.until(() => reader.messages().length === 100);
	t.is(new Set(reader.payloads()).size, 100);
});

test('filters that overlap deliver a message once, at the highest QoS granted', async (t) => {
	const { broker, port, stop } = await startBroker();
	t.teardown(stop);
	const reader = await sessionPeer(port, 'reader');
	await reader.subscribe('devices/#', 0);
	await reader.subscribe('devices/+/status', 1);
	broker.publish('devices/a/status', 'on', { qos: 1 });
	broker.publish('devices/a/telemetry', '1', { qos: 1 });
	await reader.until(() => reader.messages().length === 2);
	await reader.roundTrip();
	t.deepEqual(
		reader.messages().map(({ payload, qos }) => [payload, qos]),
		[
			['on', 1],
			['1', 0],
		],
	);
});

test('a retained message comes at the QoS of the subscription', async (t) => {
	const { port, stop } = await startBroker();
	t.teardown(stop);
	const device = await sessionPeer(port, 'device', 'c', true);
	const bytes = publishPacket('devices/a/status', 'on', 3);
	bytes[0] = 0x33;
	device.send(bytes);
	await device.until((heard) => packetTypesIn(heard).includes(4));
	for (const qos of [0, 1] as const) {
		const reader = await sessionPeer(port, 'reader', `at-${qos}`);
		await reader.subscribe('devices/#', qos);
		await reader.until(() => reader.messages().length === 1);
		t.deepEqual(
			reader.messages().map((heard) => [heard.payload, heard.qos]),
			[['on', qos]],
		);
	}
});
