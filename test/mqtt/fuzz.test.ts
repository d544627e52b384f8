import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { createRandom } from '../system/kit/random.ts';
import { connectPacket, packet, publishPacket, type RawPeer, rawPeer, startBroker, text } from '../fake/mqtt-peer.ts';
import { sessionPeer } from '../fake/mqtt-session-peer.ts';

const SEED = 20_260_101;
const PACKETS = 10_000;
const ATTACKERS = 8;
/** One attack in so many is followed by a message of the healthy pair. */
const HEALTHY_EVERY = 100;
const ATTACKED = 'devices/attacker/telemetry';

const random = createRandom(SEED);
const upTo = (limit: number): number => Math.floor(random.below(limit));
const oneOf = <T>(choices: readonly T[]): T | undefined => choices[upTo(choices.length)];
const randomBytes = (most: number): Buffer => Buffer.from(Array.from({ length: upTo(most) }, () => upTo(256)));

const id = Buffer.from([0, 9]);
/** Valid packets of every type a client sends, and of those that only a server sends. */
const VALID: readonly Buffer[] = [
	publishPacket(ATTACKED, '{"a":1}'),
	publishPacket(ATTACKED, '{"a":1}', 9),
	packet(0x34, text(ATTACKED), id, Buffer.from('{}')),
	packet(0x40, id),
	packet(0x50, id),
	packet(0x62, id),
	packet(0x70, id),
	packet(0x82, id, text('devices/#'), Buffer.from([2])),
	packet(0xa2, id, text('devices/#')),
	packet(0xc0),
	packet(0xe0),
	connectPacket('attacker'),
	packet(0x20, Buffer.from([0, 0])),
	packet(0x90, id, Buffer.from([0])),
	packet(0xb0, id),
	packet(0xd0),
];

function flipped(bytes: Buffer): Buffer {
	const copy = Buffer.from(bytes);
	for (let flips = 1 + upTo(4); flips > 0; flips -= 1) {
		const at = upTo(copy.length);
		copy[at] = (copy[at] ?? 0) ^ (1 << upTo(8));
	}
	return copy;
}

function wrongLength(bytes: Buffer): Buffer {
	const copy = Buffer.from(bytes);
	copy[1] = upTo(256);
	return copy;
}

const valid = (): Buffer => oneOf(VALID) ?? Buffer.alloc(0);

/** The ways a packet can be wrong. */
const MALFORMED: readonly (() => Buffer)[] = [
	() => randomBytes(64),
	() => flipped(valid()),
	() => wrongLength(valid()),
	() => valid().subarray(0, 1 + upTo(12)),
	() => Buffer.concat([valid(), valid(), randomBytes(8)]),
	// QoS 3, which there is not.
	() => packet(0x36, text(ATTACKED), id, Buffer.from('{}')),
	// No packet identifier, no filters, a topic longer than its packet, a length of five bytes.
	() => packet(0x82, id),
	() => packet(0x32, text(ATTACKED)),
	() => packet(0x30, Buffer.from([0xff, 0xff]), Buffer.from('x')),
	() => Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]),
	() => packet(0x00, randomBytes(8)),
	() => packet(0xf0, randomBytes(8)),
];

test(`${PACKETS} malformed packets leave the broker alive, a healthy pair complete, and nothing behind`, async (t) => {
	const rejections: unknown[] = [];
	const note = (reason: unknown): void => void rejections.push(reason);
	process.on('unhandledRejection', note);
	t.teardown(() => process.off('unhandledRejection', note));
	const { broker, port, stop } = await startBroker({
		limits: { connectRate: { burst: 1e6, perSecond: 1e6 }, failedLogins: { burst: 1e6, perSecond: 1e6 } },
		authorizePublish: ({ name }, topic) => topic.startsWith(`devices/${name}/`),
		authorizeSubscribe: ({ name }, filter) => filter.startsWith(`devices/${name}/`),
	});
	t.teardown(stop);
	const reader = await sessionPeer(port, 'healthy', 'reader', true);
	await reader.subscribe('devices/healthy/#', 1);
	const device = await sessionPeer(port, 'healthy', 'device', true);
	let sent = 0;
	let left = PACKETS;

	/** Half of them knock before a CONNECT, half as a device that is let in. */
	async function connectAttacker(isDevice: boolean): Promise<RawPeer> {
		const peer = rawPeer(port, '127.0.0.2');
		if (!isDevice) return peer;
		peer.send(connectPacket('attacker', 'right', `c${upTo(1_000)}`));
		await peer.until((heard) => heard.length >= 4);
		return peer;
	}

	async function attack(which: number): Promise<void> {
		let peer = await connectAttacker(which % 2 === 0);
		while (left > 0) {
			const number = (left -= 1);
			peer.send(oneOf(MALFORMED)?.() ?? Buffer.alloc(0));
			await nextTurn();
			if (number % HEALTHY_EVERY === 0)
				device.send(publishPacket('devices/healthy/telemetry', `message ${(sent += 1)}`, sent));
			// A packet that swallows all that follows would end the attack of this connection.
			if (peer.socket.destroyed || upTo(10) === 0) {
				peer.socket.destroy();
				peer = await connectAttacker(which % 2 === 0);
			}
		}
		peer.socket.destroy();
	}

	await Promise.all(Array.from({ length: ATTACKERS }, (_, which) => attack(which)));
	await reader.until(() => reader.messages().length >= sent);
	t.is(sent, PACKETS / HEALTHY_EVERY);
	t.deepEqual(
		reader.payloads(),
		Array.from({ length: sent }, (_, at) => `message ${at + 1}`),
	);
	while (broker.stats().connections > 2) await nextTurn();
	t.deepEqual(
		broker.clients().map(({ account }) => account),
		['healthy', 'healthy'],
	);
	t.deepEqual(rejections, []);
});
