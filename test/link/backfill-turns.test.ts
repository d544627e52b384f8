import test from 'ava';

import { createBackfillTurns } from '../../cloud/link/backfill-turns.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import { deferred } from '../fake/deferred.ts';

const KIB = 1024;
const LIMITS = { parallel: 1, gatewayBytes: 256 * KIB, allBytes: 1024 * KIB, turnBytes: 64 * KIB };

const settle = async (): Promise<void> => {
	for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('gateways take turns by bytes: one with much does not keep the others waiting', async (t) => {
	const order: GatewayId[] = [];
	const turns = createBackfillTurns({ store: async (gateway) => void order.push(gateway), limits: LIMITS });
	const [greedy, modest] = [newGatewayId(), newGatewayId()];
	for (let index = 0; index < 4; index += 1) void turns.offer(greedy, Buffer.alloc(64 * KIB));
	for (let index = 0; index < 4; index += 1) void turns.offer(modest, Buffer.alloc(16 * KIB));
	await settle();
	t.is(order.length, 8);
	// In the time of one large block of the one, the other gets as many bytes stored.
	t.true(
		order.slice(0, 6).filter((gateway) => gateway === modest).length >= 4,
		order.map((one) => one === modest).join(),
	);
});

test('what one gateway may have waiting is bounded, and holds up no other', async (t) => {
	const disk = deferred<undefined>();
	const turns = createBackfillTurns({ store: () => disk.promise, limits: LIMITS });
	const [flooding, other] = [newGatewayId(), newGatewayId()];
	for (let index = 0; index < 4; index += 1) await turns.offer(flooding, Buffer.alloc(64 * KIB));
	let isTaken = false;
	const held = turns.offer(flooding, Buffer.alloc(64 * KIB)).then(() => (isTaken = true));
	await turns.offer(other, Buffer.alloc(64 * KIB));
	await settle();
	t.false(isTaken);
	t.is(turns.waitingBytes(), 6 * 64 * KIB);
	disk.resolve(undefined);
	await held;
	await settle();
	t.is(turns.waitingBytes(), 0);
});

test('what all gateways together may have waiting is bounded', async (t) => {
	const disk = deferred<undefined>();
	const turns = createBackfillTurns({ store: () => disk.promise, limits: { ...LIMITS, allBytes: 128 * KIB } });
	await turns.offer(newGatewayId(), Buffer.alloc(128 * KIB));
	let isTaken = false;
	const held = turns.offer(newGatewayId(), Buffer.alloc(KIB)).then(() => (isTaken = true));
	await settle();
	t.false(isTaken);
	disk.resolve(undefined);
	await held;
});

test('turns stop when what they have begun is stored, and let everybody go', async (t) => {
	const disk = deferred<undefined>();
	let stored = 0;
	const turns = createBackfillTurns({ store: () => disk.promise.then(() => (stored += 1)), limits: LIMITS });
	const gateway = newGatewayId();
	const offers = Array.from({ length: 8 }, () => turns.offer(gateway, Buffer.alloc(64 * KIB)));
	await settle();
	const stopping = turns.stop();
	await Promise.all(offers);
	disk.resolve(undefined);
	await stopping;
	t.is(stored, 1);
	await turns.offer(gateway, Buffer.alloc(1));
	await settle();
	t.is(stored, 1);
});
