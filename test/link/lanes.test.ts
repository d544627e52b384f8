import test from 'ava';

import type { JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createRangeSet } from '../../core/ledger/range-set.ts';
import { type BackfillDeps, createBackfillLane } from '../../gateway/uplink/backfill-lane.ts';
import { blocksOf } from '../../gateway/uplink/blocks.ts';
import { documentMessages } from '../../gateway/uplink/document-messages.ts';
import { goneRanges } from '../../gateway/uplink/gone-ranges.ts';
import type { Link } from '../../gateway/uplink/link-connection.ts';
import { openLinkBlock } from '../../core/link/link-block.ts';
import { createLiveLane, type LiveLaneDeps } from '../../gateway/uplink/live-lane.ts';
import { createBatchSize } from '../../gateway/uplink/batch-size.ts';
import { deviceOf } from '../fake/device-box.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const origin = newGatewayId();
const device = newDeviceId();

const reading = (firstSeq: number, samples = 10): Reading => ({
	device,
	readAt: epochMs(1_000 + firstSeq),
	telemetryType: 'default',
	points: Array.from({ length: samples }, (_, index) => `p${index}`),
	values: Array.from({ length: samples }, (_, index) => firstSeq + index),
	qualities: null,
	origin,
	epoch: 3,
	firstSeq,
});

const at = (offset: number): JournalPosition => ({ segment: 1, offset });

/** A journal in memory: each commit one offset further. */
function memoryJournal(commits: readonly (readonly Reading[])[]) {
	const list = [...commits];
	const holds: JournalPosition[] = [];
	return {
		holds,
		add: (readings: readonly Reading[]) => void list.push(readings),
		oldest: () => at(0),
		end: () => at(list.length),
		async *read(from: JournalPosition): AsyncGenerator<JournalCommit> {
			for (let offset = from.offset; offset < list.length; offset += 1) {
				yield { at: at(offset), next: at(offset + 1), readings: list[offset] ?? [] };
			}
		},
		hold: (_holder: string, position: JournalPosition) => void holds.push(position),
	};
}

/** A link that remembers; readings stand for their encoding. */
function memoryLink() {
	const sent: { readonly kind: string; readonly numbers: readonly number[] }[] = [];
	const renewals: string[] = [];
	let heard: (() => void) | null = null;
	const link: Link = {
		async publish(kind, payload) {
			sent.push({ kind, numbers: Buffer.from(openLinkBlock(payload).body).toString().split(',').map(Number) });
			heard?.();
		},
		roundTripMs: () => null,
		waitingBytes: () => 0,
		renew: (why) => void renewals.push(why),
		state: () => ({ state: 'online', since: epochMs(0), lastError: null }),
	};
	const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
	return { link, sent, renewals, next };
}

const encode = (readings: readonly Reading[]): Uint8Array =>
	Buffer.from(readings.map(({ firstSeq }) => firstSeq).join(','));

const encodeLarge = (readings: readonly Reading[]): Uint8Array => new Uint8Array(readings.length * 1_500_000);

const failing = (): never => {
	throw new RangeError('nested too deep');
};

const lane = (
	journal: ReturnType<typeof memoryJournal>,
	isOnTheWay = (): boolean => false,
	more: Partial<BackfillDeps> = {},
) =>
	createBackfillLane({
		origin,
		journal,
		encode,
		isOnTheWay,
		batch: createBatchSize(),
		pressure: { historyWaitMs: () => 0, windowSamples: () => 60_000 },
		sealed: { ask: () => undefined, next: async () => [], clear: () => undefined },
		settle: (one) => one,
		givenUp: () => undefined,
		clock: createManualClock(),
		bytesPerSecond: 1_000_000,
		random: () => 0,
		...more,
	});

const liveLane = (link: Link, more: Partial<LiveLaneDeps> = {}) =>
	createLiveLane({
		link: () => link,
		encode,
		isPaused: () => false,
		settle: (one) => one,
		clock: createManualClock(),
		...more,
	});

const acked = (first: number, last: number) => [{ epoch: 3, ranges: [{ first, last }] }];

test('history is sent from what the hub lacks, oldest first, and the checkpoint moves on its word only', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)], [reading(21)]]);
	const { link, sent, next } = memoryLink();
	const backfill = lane(journal);
	const end = new AbortController();
	backfill.reset(acked(1, 10));
	const first = next();
	const running = backfill.run(link, end.signal);
	await first;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [11, 21] }]);
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 1 });

	backfill.acknowledge(acked(11, 20));
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 2 });
	t.is(backfill.owed(3, 1, 30).length, 1);
	backfill.acknowledge(acked(21, 30));
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 3 });
	t.deepEqual(backfill.owed(3, 1, 30), []);
	end.abort();
	await running;
});

test('a new session sends again what was never acknowledged', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const backfill = lane(journal);
	for (let session = 0; session < 2; session += 1) {
		const { link, sent, next } = memoryLink();
		const end = new AbortController();
		backfill.reset([]);
		const first = next();
		const running = backfill.run(link, end.signal);
		await first;
		t.deepEqual(sent, [{ kind: 'backfill', numbers: [1, 11] }]);
		end.abort();
		await running;
	}
	t.is(journal.holds.length, 0);
});

test('what the live lane has just sent is left to its acknowledgement', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const { link, sent, next } = memoryLink();
	const backfill = lane(journal, (_epoch?: number, first?: number) => first === 11);
	const end = new AbortController();
	backfill.reset([]);
	const heard = next();
	const running = backfill.run(link, end.signal);
	await heard;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [1] }]);
	end.abort();
	await running;
});

test('a hub that has lost its ledger is sent everything the journal still holds', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const { link, sent, next } = memoryLink();
	const backfill = lane(journal);
	backfill.reset(acked(1, 20));
	const end = new AbortController();
	backfill.reset([]);
	const heard = next();
	const running = backfill.run(link, end.signal);
	await heard;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [1, 11] }]);
	end.abort();
	await running;
});

/** Runs the lane until it has published `blocks` times. */
async function sentBy(backfill: ReturnType<typeof lane>, blocks: number) {
	const { link, sent, renewals, next } = memoryLink();
	const end = new AbortController();
	const running = backfill.run(link, end.signal);
	while (sent.length < blocks) await next();
	end.abort();
	await running;
	return { numbers: sent.map(({ numbers }) => numbers), renewals };
}

test('the age of the backlog is that of the oldest sample the hub lacks', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)], [reading(21)]]);
	const backfill = lane(journal);
	await backfill.findOldest();
	t.is(backfill.oldestOwedAt(), epochMs(1_001));
	backfill.acknowledge(acked(1, 20));
	await backfill.findOldest();
	t.is(backfill.oldestOwedAt(), epochMs(1_021));
	backfill.acknowledge(acked(21, 30));
	await backfill.findOldest();
	t.is(backfill.oldestOwedAt(), createManualClock().now(), 'what is owed now has come since the last look');
});

test('a few large readings are sent in blocks that the hub takes', async (t) => {
	const texts = Array.from({ length: 12 }, (_, index): Reading => {
		const value = 'x'.repeat(1024 * 1024);
		return { ...reading(index + 1, 1), values: [value] };
	});
	const journal = memoryJournal([texts.slice(0, 9), texts.slice(9)]);
	const backfill = lane(journal);
	backfill.reset([]);
	const { numbers } = await sentBy(backfill, 5);
	t.deepEqual(numbers, [
		[1, 2, 3],
		[4, 5],
		[6, 7],
		[8, 9],
		[10, 11, 12],
	]);
});

test('a block above the limit is halved, a single reading is sent as it is', (t) => {
	const sizes = [...blocksOf([reading(1), reading(11), reading(21)], encodeLarge)].map(({ block }) => block.byteLength);
	t.deepEqual(sizes, [1_500_040, 1_500_040, 1_500_040]);
});

test('readings of the gateway that this box was before, and empty ones, hold nothing up', async (t) => {
	const before = newGatewayId();
	const journal = memoryJournal([[{ ...reading(1), origin: before }], [reading(11, 0)], [reading(11)]]);
	const backfill = lane(journal);
	backfill.reset([]);
	const { numbers } = await sentBy(backfill, 1);
	t.deepEqual(numbers, [[11]]);
	backfill.acknowledge(acked(11, 20));
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 3 });
});

test('a new hub is sent what the journal holds, also what an earlier one had acknowledged', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)]]);
	const backfill = lane(journal);
	backfill.reset([]);
	await sentBy(backfill, 1);
	backfill.acknowledge(acked(1, 20));
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 2 });
	backfill.reset([]);
	const { numbers } = await sentBy(backfill, 1);
	t.deepEqual(numbers, [[1, 11]]);
});

test('the time in which a block waits for a narrow line is not counted as silence of the hub', async (t) => {
	const clock = createManualClock();
	const journal = memoryJournal([[reading(1, 4_000)], [reading(4_001, 4_000)]]);
	const backfill = lane(journal, undefined, {
		encode(readings) {
			clock.advance(20_000);
			return encode(readings);
		},
		clock,
	});
	backfill.reset([]);
	const { renewals } = await sentBy(backfill, 2);
	t.deepEqual(renewals, []);
});

test('what no block can hold does not end the process from the live lane', (t) => {
	const { link, sent } = memoryLink();
	const live = liveLane(link, { encode: failing });
	live.open();
	t.notThrows(() => live.offer(reading(1, 5_000)));
	t.deepEqual(sent, []);
	live.close();
});

test('large live values leave before they gather', (t) => {
	const { link, sent } = memoryLink();
	const live = liveLane(link);
	live.open();
	live.offer({ ...reading(1, 1), values: ['x'.repeat(600_000)] });
	t.deepEqual(sent, [{ kind: 'live', numbers: [1] }]);
	live.close();
});

test('samples that neither the journal nor the hub has are gone, and only those', (t) => {
	const held = [
		{ epoch: 3, first: 101, last: 200 },
		{ epoch: 3, first: 301, last: 400 },
		{ epoch: 4, first: 1, last: 10 },
	];
	const hub = createRangeSet([{ first: 1, last: 20 }]);
	const owed = (epoch: number, first: number, last: number) =>
		epoch === 3 ? hub.missing(first, last) : [{ first, last }];
	const declared = [{ epoch: 3, first: 90, last: 250 }];
	t.deepEqual(goneRanges({ held, owed, declared }), [
		{ epoch: 3, first: 21, last: 89 },
		{ epoch: 3, first: 251, last: 300 },
	]);
	t.deepEqual(goneRanges({ held: [], owed, declared }), []);
});

test('documents travel in messages that are few, small, and whole', (t) => {
	const health = { state: 'ok', since: epochMs(1), reason: null } as const;
	const many = Array.from({ length: 120 }, (_, index) => deviceOf(index, `d-${index}`));
	const sizes = [...documentMessages(many, () => health)].map((message) => [
		message.devices.length,
		message.health.length,
	]);
	t.deepEqual(sizes, [
		[50, 50],
		[50, 50],
		[20, 20],
	]);
	const large = Array.from({ length: 6 }, (_, index) =>
		deviceOf(index, `d-${index}`, { metadata: { note: 'x'.repeat(100_000) } }),
	);
	const messages = [...documentMessages(large, () => null)];
	t.deepEqual(
		messages.map(({ devices }) => devices.length),
		[2, 2, 2],
	);
	t.deepEqual([...documentMessages([], () => null)], []);
});

test('live values leave together when the block is full, and only while the hub listens', (t) => {
	const { link, sent } = memoryLink();
	const live = liveLane(link);
	live.offer(reading(1, 5_000));
	t.deepEqual(sent, []);
	live.open();
	live.offer(reading(5_001, 2_500));
	live.offer(reading(7_501, 2_500));
	t.deepEqual(sent, [{ kind: 'live', numbers: [5_001, 7_501] }]);
	t.true(live.isOnTheWay(3, 5_001, 10_000));
	t.false(live.isOnTheWay(3, 1, 5_000));
	live.close();
	t.false(live.isOnTheWay(3, 5_001, 10_000));
});

test('what was sent live and not acknowledged in time is no longer on the way', (t) => {
	const { link } = memoryLink();
	const clock = createManualClock();
	const live = liveLane(link, { clock });
	live.open();
	live.offer(reading(1, 5_000));
	clock.advance(4_999);
	t.true(live.isOnTheWay(3, 1, 5_000));
	clock.advance(2);
	t.false(live.isOnTheWay(3, 1, 5_000));
	live.close();
});

test('a value that still gathers is on the way: history does not overtake what is news', async (t) => {
	const { link } = memoryLink();
	const live = liveLane(link);
	t.teardown(() => live.close());
	live.open();
	live.offer(reading(11));
	live.offer(reading(21));
	t.false(live.isOnTheWay(3, 1, 10));
	t.true(live.isOnTheWay(3, 11, 20));
	t.true(live.isOnTheWay(3, 21, 30));
	t.false(live.isOnTheWay(2, 21, 30), 'of an earlier start');
	live.close();
	t.false(live.isOnTheWay(3, 11, 20));
});

test('a reading that arrives damaged again and again goes alone, and is given up in the end; the others arrive', async (t) => {
	const journal = memoryJournal([[reading(1), reading(11), reading(21)]]);
	const givenUp: unknown[] = [];
	const end = new AbortController();
	const over = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
	const backfill = lane(journal, undefined, {
		givenUp(range) {
			givenUp.push(range);
			end.abort();
		},
	});
	backfill.reset([]);
	const { link, sent, next } = memoryLink();
	const running = backfill.run(link, end.signal);
	const damaged = new Set([11]);
	for (let seen = 0; givenUp.length === 0 && seen < 100; seen += 1) {
		if (sent.length <= seen) await Promise.race([next(), over]);
		const numbers = sent[seen]?.numbers ?? [];
		if (numbers.length === 0) break;
		const range = { first: Math.min(...numbers), last: Math.max(...numbers) + 9 };
		if (numbers.some((number) => damaged.has(number)))
			backfill.askedAgain([{ epoch: 3, ranges: [range] }], 'damaged-in-transit');
		else backfill.acknowledge([{ epoch: 3, ranges: [range] }]);
	}
	t.deepEqual(givenUp, [{ epoch: 3, first: 11, last: 20 }]);
	t.deepEqual(backfill.owed(3, 1, 10), []);
	t.deepEqual(backfill.owed(3, 21, 30), []);
	t.deepEqual(sent[0]?.numbers, [1, 11, 21]);
	t.true(sent.some(({ numbers }) => numbers.length === 1 && numbers[0] === 11));
	end.abort();
	await running;
});

test('what the hub has lost is sent again, also from before the checkpoint', async (t) => {
	const journal = memoryJournal([[reading(1)], [reading(11)], [reading(21)]]);
	const backfill = lane(journal);
	backfill.reset(acked(1, 30));
	const { link, sent, next } = memoryLink();
	const end = new AbortController();
	const running = backfill.run(link, end.signal);
	const heard = next();
	backfill.askedAgain(acked(11, 20), 'lost-at-hub');
	await heard;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [11] }]);
	t.deepEqual(journal.holds.at(-1), { segment: 1, offset: 1 }, 'and kept until the hub has it');
	end.abort();
	await running;
});

test('history waits while the hub asks for it', async (t) => {
	const journal = memoryJournal([[reading(1)]]);
	let waitMs = 60_000;
	const backfill = lane(journal, undefined, { pressure: { historyWaitMs: () => waitMs, windowSamples: () => 60_000 } });
	backfill.reset([]);
	const { link, sent, next } = memoryLink();
	const end = new AbortController();
	const running = backfill.run(link, end.signal);
	for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
	t.deepEqual(sent, []);
	waitMs = 0;
	const heard = next();
	backfill.wake();
	await heard;
	t.is(sent.length, 1);
	end.abort();
	await running;
});

test('what was read at a time that is not known yet is sent by neither lane, and under the time that is known then', async (t) => {
	let shiftMs: number | null = null;
	const settle = (one: Reading): Reading | null =>
		shiftMs === null && one.firstSeq >= 11 ? null : { ...one, readAt: epochMs(one.readAt + (shiftMs ?? 0)) };
	const { link, sent, next } = memoryLink();
	const live = liveLane(link, { settle });
	t.teardown(() => live.close());
	live.open();
	live.offer(reading(11, 6_000));
	t.deepEqual(sent, []);
	const journal = memoryJournal([[reading(1)], [reading(11)], [reading(21)]]);
	const times: number[] = [];
	const backfill = lane(journal, undefined, {
		settle,
		encode(readings) {
			times.push(...readings.map(({ readAt }) => readAt));
			return encode(readings);
		},
	});
	backfill.reset([]);
	const end = new AbortController();
	const first = next();
	const running = backfill.run(link, end.signal);
	await first;
	t.deepEqual(sent, [{ kind: 'backfill', numbers: [1] }]);
	shiftMs = 5_000;
	const second = next();
	backfill.wake();
	await second;
	t.deepEqual(sent.at(-1)?.numbers, [11, 21]);
	t.deepEqual(times, [1_001, 6_011, 6_021]);
	end.abort();
	await running;
});

test('live values wait while the hub asks for it', (t) => {
	const { link, sent } = memoryLink();
	const live = liveLane(link, { isPaused: () => true });
	live.open();
	live.offer(reading(1, 5_000));
	t.deepEqual(sent, []);
	t.false(live.isOnTheWay(3, 1, 5_000), 'they come as history');
	live.close();
});

test('the age of a backlog is known however much of the journal has to be looked through', async (t) => {
	const journal = memoryJournal(Array.from({ length: 500 }, (_, index) => [reading(1 + index * 10)]));
	const backfill = lane(journal);
	backfill.acknowledge(acked(1, 4_990));
	await backfill.findOldest();
	const early = backfill.oldestOwedAt();
	t.true(early >= epochMs(1_001) && early <= epochMs(5_991), 'nothing that is owed is older');
	await backfill.findOldest();
	await backfill.findOldest();
	t.is(backfill.oldestOwedAt(), epochMs(5_991));
});
