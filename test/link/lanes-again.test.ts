import test from 'ava';
import { epochMs } from '../../core/kernel/clock.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { reading, memoryJournal, memoryLink, encode, lane, liveLane, acked } from '../fake/lane-bench.ts';

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
