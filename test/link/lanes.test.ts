import test from 'ava';
import { epochMs } from '../../core/kernel/clock.ts';
import { newGatewayId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createRangeSet } from '../../core/ledger/range-set.ts';
import { blocksOf } from '../../gateway/uplink/blocks.ts';
import { documentMessages } from '../../gateway/uplink/document-messages.ts';
import { goneRanges } from '../../gateway/uplink/gone-ranges.ts';
import { deviceOf } from '../fake/device-box.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import {
	reading,
	memoryJournal,
	memoryLink,
	encode,
	encodeLarge,
	failing,
	lane,
	liveLane,
	acked,
} from '../fake/lane-bench.ts';

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
	t.deepEqual(goneRanges({ held, known: [], owed, declared, running: 4 }), [
		{ epoch: 3, first: 21, last: 89 },
		{ epoch: 3, first: 251, last: 300 },
	]);
	t.deepEqual(
		goneRanges({ held: [], known: [], owed, declared, running: 4 }),
		[{ epoch: 3, first: 21, last: 89 }],
		'the losses of a boot that is over tell how far it came',
	);
	t.deepEqual(
		goneRanges({ held: [], known: [], owed, declared, running: 3 }),
		[],
		'the boot that runs may be writing them',
	);
	// A boot of which the journal has nothing any more, and one of which it has the beginning.
	const known = [
		{ epoch: 2, first: 1, last: 50 },
		{ epoch: 4, first: 1, last: 15 },
	];
	t.deepEqual(goneRanges({ held: held.slice(2), known, owed, declared: [], running: 4 }), [
		{ epoch: 2, first: 1, last: 50 },
		{ epoch: 4, first: 11, last: 15 },
	]);
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
