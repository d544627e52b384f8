import test from 'ava';
import fc from 'fast-check';

import { createHubIngest } from '../../cloud/ingest/hub-ingest.ts';
import { createLedger } from '../../core/ledger/ledger.ts';
import { applyRecord, epochRecord } from '../../core/ledger/ledger-schema.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { type DeviceId, type GatewayId, newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { frameLinkBlock } from '../../core/link/link-block.ts';
import { deferred } from '../fake/deferred.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const gateway = newGatewayId();
const IMPOSSIBLE_EPOCH = 66;
const IMPOSSIBLE_TIME = 4_291_747_200_000;
const UNREADABLE = 255;
const device = newDeviceId();

function reading(firstSeq: number, samples: number, more: Partial<Reading> = {}): Reading {
	const points = Array.from({ length: samples }, (_, index) => `p${index}`);
	const values = points.map((_, index) => firstSeq + index);
	return {
		device,
		readAt: epochMs(firstSeq),
		telemetryType: 'default',
		points,
		values,
		qualities: null,
		origin: gateway,
		epoch: 7,
		firstSeq,
		...more,
	};
}

interface Options {
	readonly owner?: ReadonlyMap<DeviceId, GatewayId>;
	readonly fails?: () => boolean;
	readonly hold?: () => Promise<undefined>;
	/** Readings that reach the disk although storing fails. */
	readonly partly?: number;
	readonly maxUnknown?: number;
	readonly log?: Logger;
}

function hub({
	owner = new Map(),
	fails = () => false,
	hold = async () => undefined,
	partly = 0,
	maxUnknown = 100,
	log = silentLog,
}: Options = {}) {
	const ledger = createLedger();
	const stored: Reading[] = [];
	const acked: StreamRange[] = [];
	const asked: object[] = [];
	let block: readonly Reading[] = [];
	const ingest = createHubIngest({
		telemetry: {
			async acceptStamped(readings) {
				await hold();
				const taken = fails() ? readings.slice(0, partly) : readings;
				stored.push(...taken);
				for (const { origin, epoch, firstSeq: first, values } of taken)
					ledger.commit({ origin, epoch, first, last: first + values.length - 1 });
				if (taken.length < readings.length) throw new Fault('unavailable', 'the disk is full');
			},
		},
		ledger,
		deviceOf: (id) => (owner.has(id) ? { gatewayId: owner.get(id) ?? null } : null),
		decode(bytes) {
			if (bytes.length > 0 && bytes[0] === UNREADABLE) throw new Fault('rule-violation', 'no block');
			return block;
		},
		acknowledge: (range) => acked.push(range),
		isPossibleBoot: (_gateway, epoch) => epoch !== IMPOSSIBLE_EPOCH,
		verdictOn: (readAt) => (readAt === IMPOSSIBLE_TIME ? 'in-the-future' : 'possible'),
		askAgain: (_gateway, { epoch, first, last }, reason) => void asked.push({ epoch, first, last, reason }),
		clock: createManualClock(),
		log,
		maxUnknown,
	});
	const give = (readings: readonly Reading[]) => {
		block = readings;
		return ingest.ingest(gateway, 'backfill', new Uint8Array());
	};
	const numbers = (): number[] => stored.flatMap(({ firstSeq, values }) => values.map((_, index) => firstSeq + index));
	/** As the link hands it over; the readings stand beside it. */
	const receive = (payload: Uint8Array, readings: readonly Reading[]) => {
		block = readings;
		return ingest.receive(gateway, 'backfill', payload);
	};
	return { ledger, stored, acked, asked, give, receive, numbers, counts: ingest.counts };
}

test('however often and however cut a range arrives, each sample is stored once and under its own number', async (t) => {
	const piece = fc.record({ first: fc.integer({ min: 1, max: 80 }), length: fc.integer({ min: 1, max: 20 }) });
	await fc.assert(
		fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 20 }), async (pieces) => {
			const { give, stored, numbers, ledger } = hub();
			for (const { first, length } of pieces) await give([reading(first, length)]);
			const expected = new Set(
				pieces.flatMap(({ first, length }) => Array.from({ length }, (_, index) => first + index)),
			);
			t.deepEqual(
				numbers().toSorted((a, b) => a - b),
				[...expected].toSorted((a, b) => a - b),
			);
			t.true(stored.every(({ firstSeq, values }) => values.every((value, index) => value === firstSeq + index)));
			t.is(ledger.completeness(gateway).receivedSamples, expected.size);
		}),
	);
});

test('nothing is acknowledged before it is stored', async (t) => {
	const disk = deferred<undefined>();
	const { give, acked } = hub({ hold: () => disk.promise });
	const first = give([reading(1, 10)]);
	// A second copy while the first is on its way to the disk: neither stored again nor acknowledged early.
	const second = await give([reading(1, 10)]);
	t.is(second.stored, 0);
	t.deepEqual(acked, []);
	disk.resolve(undefined);
	await first;
	t.deepEqual(acked, [{ origin: gateway, epoch: 7, first: 1, last: 10 }]);
});

test('a duplicate of what is stored is acknowledged again, so that a lost acknowledgement costs nothing', async (t) => {
	const { give, acked, numbers } = hub();
	await give([reading(1, 5)]);
	await give([reading(1, 5)]);
	t.is(acked.length, 2);
	t.is(numbers().length, 5);
});

test('what could not be stored is not acknowledged and is accepted when it comes again', async (t) => {
	let isFull = true;
	const { give, acked, numbers } = hub({ fails: () => isFull });
	await t.throwsAsync(give([reading(1, 5)]), { instanceOf: Fault });
	t.deepEqual(acked, []);
	isFull = false;
	await give([reading(1, 5)]);
	t.is(numbers().length, 5);
	t.is(acked.length, 1);
});

test('what reached the disk before storing failed is not stored again', async (t) => {
	let isFull = true;
	const { give, acked, numbers } = hub({ fails: () => isFull, partly: 1 });
	await t.throwsAsync(give([reading(1, 5), reading(6, 5)]), { instanceOf: Fault });
	isFull = false;
	await give([reading(1, 5), reading(6, 5)]);
	t.deepEqual(numbers(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
	t.deepEqual(
		acked.map(({ first, last }) => [first, last]),
		[
			[1, 5],
			[6, 10],
		],
	);
});

test('a loss that was declared twice is counted once', (t) => {
	const ledger = createLedger();
	ledger.declare({ origin: gateway, epoch: 1, first: 1, last: 10, reason: 'disk-full' });
	ledger.declare({ origin: gateway, epoch: 1, first: 6, last: 15, reason: 'journal-quota' });
	t.like(ledger.completeness(gateway), {
		declaredLostSamples: 15,
		holes: [
			{ epoch: 1, first: 1, last: 10, reason: 'disk-full' },
			{ epoch: 1, first: 11, last: 15, reason: 'journal-quota' },
		],
	});
});

test('a gateway cannot speak for another one or for its devices', async (t) => {
	const other = newGatewayId();
	const theirs = newDeviceId();
	const { give, stored, ledger } = hub({
		owner: new Map([
			[device, gateway],
			[theirs, other],
		]),
	});
	const result = await give([reading(1, 2), reading(3, 2, { device: theirs }), reading(1, 2, { origin: other })]);
	t.deepEqual(result, { stored: 2, duplicates: 0, refused: 4 });
	t.is(stored.length, 1);
	t.like(ledger.completeness(gateway).holes, [{ epoch: 7, first: 3, last: 4, reason: 'refused' }]);
	t.is(ledger.completeness(other).receivedSamples, 0);
});

test('the ledger knows what is missing and why, and a snapshot says the same', (t) => {
	const ledger = createLedger();
	ledger.commit({ origin: gateway, epoch: 1, first: 1, last: 100 });
	ledger.commit({ origin: gateway, epoch: 1, first: 151, last: 200 });
	ledger.declare({ origin: gateway, epoch: 1, first: 90, last: 130, reason: 'journal-quota' });
	const expected = [
		{ epoch: 1, first: 101, last: 130, reason: 'journal-quota' },
		{ epoch: 1, first: 131, last: 150, reason: 'in-transit' },
	] as const;
	const restored = createLedger();
	for (const [epoch, held] of ledger.epochsOf(gateway)) applyRecord(restored, epochRecord(gateway, epoch, held));
	for (const one of [ledger, restored]) {
		const { holes, receivedSamples, missingSamples, declaredLostSamples } = one.completeness(gateway);
		t.like(holes, expected);
		t.is(holes.length, expected.length);
		t.deepEqual([receivedSamples, missingSamples, declaredLostSamples], [150, 20, 30]);
	}
});

test('the hub asks for holes of earlier boots until they have a reason, and the first reason stays', async (t) => {
	const { give, ledger } = hub();
	await give([reading(13, 8)]);
	const { length } = ledger.owedBefore(gateway, 7);
	t.is(length, 0, 'the running boot still sends what it has');
	t.deepEqual(ledger.owedBefore(gateway, 8), [{ epoch: 7, ranges: [{ first: 1, last: 12 }] }]);
	ledger.declare({ origin: gateway, epoch: 7, first: 1, last: 4, reason: 'journal-quota' });
	ledger.declare({ origin: gateway, epoch: 7, first: 1, last: 20, reason: 'not-journalled' });
	t.deepEqual(ledger.owedBefore(gateway, 8), []);
	const { holes, declaredLostSamples, missingSamples } = ledger.completeness(gateway);
	t.is(holes.length, 2);
	t.like(holes, [
		{ epoch: 7, first: 1, last: 4, reason: 'journal-quota' },
		{ epoch: 7, first: 5, last: 12, reason: 'not-journalled' },
	]);
	t.is(declaredLostSamples, 12);
	t.is(missingSamples, 0);
});

test('a gateway cannot make up devices without end', async (t) => {
	const owner = new Map<DeviceId, GatewayId>();
	const { give, stored } = hub({ owner, maxUnknown: 2 });
	const [one, two, three] = [newDeviceId(), newDeviceId(), newDeviceId()];
	await give([reading(1, 1, { device: one }), reading(2, 1, { device: two })]);
	t.like(await give([reading(3, 1, { device: three }), reading(4, 1, { device: one })]), { stored: 1, refused: 1 });
	// Its document has come.
	owner.set(two, gateway);
	t.like(await give([reading(5, 1, { device: three })]), { stored: 1, refused: 0 });
	t.is(stored.length, 4);
});

test('a block full of foreign readings is one line of the log', async (t) => {
	const foreign = newDeviceId();
	const lines: unknown[] = [];
	const log: Logger = { ...silentLog, warn: (_event, fields) => void lines.push(fields), child: () => log };
	const { give } = hub({ owner: new Map([[foreign, newGatewayId()]]), log });
	t.like(await give([1, 2, 3].map((first) => reading(first, 1, { device: foreign }))), { stored: 0, refused: 3 });
	t.is(lines.length, 1);
	t.like(lines[0], { readings: 3 });
});

const range = (epoch: number, first: number, last = first) => ({ origin: gateway, epoch, first, last });

test('the ledger of a gateway stays bounded, whatever it says', (t) => {
	const ledger = createLedger({ epochs: 2, pieces: 3 });
	for (const first of [1, 3, 5]) ledger.admit(range(1, first));
	t.throws(() => ledger.admit(range(1, 7)), { message: /no more pieces/ });
	t.deepEqual(ledger.admit(range(1, 3)), [], 'what is there may come again');
	for (const first of [11, 13, 15]) ledger.declare({ ...range(1, first), reason: 'disk-full' });
	t.throws(() => ledger.declare({ ...range(1, 17), reason: 'disk-full' }), { message: /no more pieces/ });
	t.throws(() => ledger.declare({ ...range(1, 20, 19), reason: 'disk-full' }), { instanceOf: Fault });
	t.throws(() => ledger.admit(range(2, 1)), { message: /no more pieces/ }, 'of all epochs together');
	t.throws(() => ledger.admit(range(3, 1)), { message: /no more epochs/ });
	t.deepEqual(ledger.admit({ ...range(3, 1), origin: newGatewayId() }), [{ first: 1, last: 1 }]);
});

test('a hundred thousand scattered losses are declared as fast as the first ones', (t) => {
	const ledger = createLedger({ epochs: 1, pieces: 200_000 });
	for (let first = 1; first < 200_000; first += 2)
		ledger.declare({
			origin: gateway,
			epoch: 1,
			first,
			last: first,
			reason: first % 4 === 1 ? 'disk-full' : 'not-kept',
		});
	t.is(ledger.completeness(gateway).declaredLostSamples, 100_000);
});

test('what was read at an impossible time, or in a boot that cannot be, is refused with its reason, and the rest is unharmed', async (t) => {
	const { give, stored, acked, ledger } = hub();
	const late = reading(3, 2, { readAt: epochMs(IMPOSSIBLE_TIME) });
	const result = await give([reading(1, 2), late, reading(5, 2), reading(1, 2, { epoch: IMPOSSIBLE_EPOCH })]);
	t.deepEqual(result, { stored: 4, duplicates: 0, refused: 4 });
	t.deepEqual(
		stored.map(({ firstSeq }) => firstSeq),
		[1, 5],
	);
	const { holes, lostByReason, missingSamples } = ledger.completeness(gateway);
	t.deepEqual(
		holes.map(({ epoch, first, last, reason }) => [epoch, first, last, reason]),
		[
			[7, 3, 4, 'impossible-time'],
			[IMPOSSIBLE_EPOCH, 1, 2, 'impossible-epoch'],
		],
	);
	t.is(lostByReason['impossible-time'], 2);
	t.is(missingSamples, 0);
	t.is(acked.length, 4, 'sending them again would change nothing');
	// With the next connection the gateway is told that they need not come again.
	t.deepEqual(ledger.settledFrom(gateway, 7)[0], { epoch: 7, ranges: [{ first: 1, last: 6 }] });
});

const body = Buffer.from('the body of a block');

test('a block with a wrong checksum is refused, counted, and asked for again by its numbers', async (t) => {
	const lines: string[] = [];
	const log: Logger = { ...silentLog, warn: (event) => void lines.push(event), child: () => log };
	const { receive, stored, asked, counts } = hub({ log });
	const readings = [reading(11, 5), reading(16, 5)];
	const damaged = frameLinkBlock(body, readings);
	damaged.writeUInt8(damaged.readUInt8(45) ^ 1, 45);
	t.is(await receive(damaged, readings), null);
	t.deepEqual(stored, []);
	t.deepEqual(asked, [{ epoch: 7, first: 11, last: 20, reason: 'damaged-in-transit' }]);
	t.like(await receive(frameLinkBlock(body, readings), readings), { stored: 10 });
	t.deepEqual(lines, ['block-damaged']);
	t.deepEqual(counts(), { blocks: 2, damagedBlocks: 1, refusedBlocks: 0 });
});

test('no damaged byte of a block is ever taken for a reading', async (t) => {
	const readings = [reading(11, 5)];
	const whole = frameLinkBlock(body, readings);
	for (let at = 0; at < whole.length; at += 1) {
		const { receive, stored } = hub();
		const damaged = Buffer.from(whole);
		damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
		t.is(await receive(damaged, readings), null, `byte ${at}`);
		t.deepEqual(stored, []);
	}
	for (const length of [0, 1, 39, 40, whole.length - 1])
		t.is(await hub().receive(whole.subarray(0, length), readings), null, `${length} bytes`);
});

test('a whole block that nobody can read is asked for again, and one that could not be stored too, each with its reason', async (t) => {
	const readings = [reading(1, 5)];
	const unreadable = hub();
	await unreadable.receive(frameLinkBlock(Buffer.from([UNREADABLE]), readings), readings);
	t.like(unreadable.asked, [{ reason: 'damaged-in-transit' }]);
	const full = hub({ fails: () => true });
	await full.receive(frameLinkBlock(body, readings), readings);
	t.like(full.asked, [{ first: 1, last: 5, reason: 'not-stored' }]);
});
