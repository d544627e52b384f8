import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { openHistory, type OpenHistoryOptions } from '../../core/history/history.ts';
import type { Dropped } from '../../core/history/overflow.ts';
import { RECORD, walkRecords } from '../../core/history/day-record.ts';
import { nodeFileLayer } from '../../core/journal/node-file-layer.ts';
import { openJournal } from '../../core/journal/file-journal.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { deferred } from '../fake/deferred.ts';
import { randomOf } from '../fake/random-of.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { deviceOf, ORIGIN, readingOf, START_MS } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const OTHER = gatewayId('00000000-0000-4000-8000-00000000000b');

async function bench(t: ExecutionContext, more: Partial<OpenHistoryOptions> = {}) {
	const root = await mkdtemp(join(tmpdir(), 'history-'));
	const clock = createManualClock(START_MS);
	t.teardown(() => rm(root, { recursive: true, force: true }));
	const open = (again: Partial<OpenHistoryOptions> = {}) =>
		openHistory({
			journal: { folder: join(root, 'journal'), promptMs: 0, segmentBytes: 64 * 1024 },
			folder: join(root, 'history'),
			clock,
			log: silentLog,
			setTimer: () => () => undefined,
			...more,
			...again,
		});
	return { root, clock, open };
}

const query = (more: Partial<HistoryQuery> = {}): HistoryQuery => ({
	device: deviceOf(1),
	from: epochMs(START_MS - 1000 * HOUR_MS),
	to: epochMs(START_MS + 1000 * HOUR_MS),
	order: 'oldest-first',
	limit: 1000,
	...more,
});

const seqs = (readings: readonly Reading[]): readonly number[] => readings.map((reading) => reading.firstSeq);

const key = (reading: Reading): string =>
	[reading.readAt, reading.origin, reading.epoch, reading.firstSeq].map((part) => String(part).padStart(40)).join();

const month = (number: number): EpochMs => epochMs(Date.UTC(2026, number - 1, 10));

function expected(all: readonly Reading[], { device, from, to, order, limit }: HistoryQuery): readonly Reading[] {
	const sorted = all
		.filter((reading) => reading.device === device && reading.readAt >= from && reading.readAt < to)
		.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
	return (order === 'oldest-first' ? sorted : sorted.toReversed()).slice(0, limit);
}

async function page(range: (query: HistoryQuery) => Promise<readonly Reading[]>, whole: HistoryQuery, limit: number) {
	const found: Reading[] = [];
	for (let part = await range({ ...whole, limit }); part.length > 0;) {
		found.push(...part);
		const last = part.at(-1);
		if (last === undefined || part.length < limit) break;
		part = await range({ ...whole, limit, after: last });
	}
	return found;
}

/** Chunks a day file holds, whoever reads them. */
async function chunksIn(path: string): Promise<number> {
	const file = await nodeFileLayer.open(path);
	try {
		const { size } = await stat(path);
		let chunks = 0;
		for await (const { kind } of walkRecords(file, size)) if (kind === RECORD.chunk) chunks += 1;
		return chunks;
	} finally {
		await file.close();
	}
}

const daysIn = async (root: string): Promise<readonly string[]> =>
	(await readdir(join(root, 'history'))).filter((name) => name.endsWith('.raw')).toSorted();

test('any query answers what a list of everything would, sealed or not, also page by page', async (t) => {
	const { open } = await bench(t);
	const { journal, history } = await open();
	const all: Reading[] = [];
	const next = randomOf(7);
	const random = (below: number): number => Math.floor(next() * below);
	for (let round = 0; round < 8; round += 1) {
		const batch = Array.from({ length: 60 }, (_, index) =>
			readingOf(1 + (round * 60 + index) * 8, {
				device: deviceOf(1 + random(2)),
				origin: random(4) === 0 ? OTHER : ORIGIN,
				epoch: 1 + random(3),
				// Some late by days, many at the same instant.
				readAt: epochMs(
					START_MS + (random(5) === 0 ? -random(40 * 24) * HOUR_MS : random(4) * HOUR_MS + random(20) * 60_000),
				),
			}),
		);
		await journal.append(batch, 'prompt');
		all.push(...batch);
		if (round % 3 === 1) await history.sealNow();
	}
	t.true(history.stats().sealedThrough > 0);
	const instant = fc.oneof(
		fc.integer({ min: -45 * 24 * 4, max: 40 }).map((quarters) => epochMs(START_MS + (quarters * HOUR_MS) / 4)),
		fc.constantFrom(...all.map((reading) => reading.readAt)),
	);
	await fc.assert(
		fc.asyncProperty(
			fc.record({
				device: fc.constantFrom(deviceOf(1), deviceOf(2), deviceOf(3)),
				from: instant,
				to: instant,
				order: fc.constantFrom('oldest-first' as const, 'newest-first' as const),
				limit: fc.integer({ min: 1, max: 50 }),
			}),
			async (drawn) => {
				t.deepEqual(await history.range(drawn), expected(all, drawn));
				const whole = { ...drawn, limit: 10_000 };
				t.deepEqual(await page((part) => history.range(part), whole, 17), expected(all, whole));
			},
		),
		{ numRuns: 60 },
	);
	await history.stop();
	await journal.stop();
});

test('bounds: from is included, to is not', async (t) => {
	const { open } = await bench(t);
	const { journal, history } = await open();
	await journal.append([readingOf(1), readingOf(9), readingOf(17)], 'prompt');
	const bounds = { from: epochMs(START_MS + 1), to: epochMs(START_MS + 17) };
	t.deepEqual(seqs(await history.range(query(bounds))), [1, 9]);
	await history.sealNow();
	t.deepEqual(seqs(await history.range(query(bounds))), [1, 9]);
	t.deepEqual(seqs(await history.range(query({ ...bounds, order: 'newest-first' }))), [9, 1]);
	await history.stop();
	await journal.stop();
});

test('what was acknowledged is in the history at once, and after a restart', async (t) => {
	const { open } = await bench(t);
	const first = await open();
	await first.journal.append([readingOf(1)], 'prompt');
	t.deepEqual(seqs(await first.history.range(query())), [1]);
	// As after a kill: nothing was stopped, only the folder is there.
	await first.history.stop();
	const second = await open();
	t.deepEqual(seqs(await second.history.range(query())), [1]);
	await second.history.stop();
	await second.journal.stop();
	await first.journal.stop();
});

test('sealing releases the journal, and a query during it sees each reading exactly once', async (t) => {
	const { open } = await bench(t);
	const { journal, history } = await open();
	const readings = Array.from({ length: 3000 }, (_, index) =>
		readingOf(1 + index * 8, { readAt: epochMs(START_MS + index * 10_000) }),
	);
	for (let from = 0; from < readings.length; from += 500)
		await journal.append(readings.slice(from, from + 500), 'prompt');
	let looks = 0;
	async function lookUntilSealed(sealing: Promise<void>): Promise<void> {
		const isSealed = sealing.then(() => true);
		while (!(await Promise.race([isSealed, Promise.resolve(false)]))) {
			t.is((await history.range(query({ limit: 10_000 }))).length, 3000);
			looks += 1;
		}
	}
	await lookUntilSealed(history.sealNow());
	t.true(looks > 0);
	t.deepEqual(await history.range(query({ limit: 10_000 })), readings);
	t.is(journal.stats().segments, 0);
	await history.stop();
	await journal.stop();
});

test('sealing again after a power cut between chunks and mark changes nothing', async (t) => {
	const { root, open } = await bench(t);
	const first = await open({ journal: { folder: join(root, 'journal'), promptMs: 0, holders: ['uplink'] } });
	const readings = Array.from({ length: 200 }, (_, index) => readingOf(1 + index * 8));
	await first.journal.append(readings, 'prompt');
	await first.history.sealNow();
	t.is(first.history.stats().sealedThrough, 1);
	await first.history.stop();
	await first.journal.stop();
	await rm(join(root, 'history', 'sealed-through'));
	const second = await open();
	t.deepEqual(await second.history.range(query()), readings);
	await second.history.sealNow();
	t.true(second.history.stats().sealedThrough >= 1);
	t.deepEqual(await second.history.range(query()), readings);
	await second.history.stop();
	await second.journal.stop();
	t.is(await chunksIn(join(root, 'history', '2026-01-01.raw')), 1);
});

test('a mark from a journal that was lost does not hide the new one', async (t) => {
	const { root, open } = await bench(t);
	await mkdir(join(root, 'history'), { recursive: true });
	await writeFile(join(root, 'history', 'sealed-through'), '57\n');
	const { journal, history } = await open();
	await journal.append([readingOf(1)], 'prompt');
	await history.sealNow();
	t.is(history.stats().sealedThrough, 1);
	t.deepEqual(seqs(await history.range(query())), [1]);
	await history.stop();
	await journal.stop();
});

test('days beyond retention are dropped whole and told; older readings that arrive late are told, and not kept', async (t) => {
	const dropped: Dropped[] = [];
	const { root, clock, open } = await bench(t, { retentionDays: 60, dropped: (what) => void dropped.push(what) });
	const { journal, history } = await open();
	clock.jumpTo(month(2));
	await journal.append([readingOf(1, { readAt: month(1) }), readingOf(9, { readAt: month(2) })], 'prompt');
	await history.sealNow();
	t.deepEqual(await daysIn(root), ['2026-01-10.raw', '2026-02-10.raw']);
	clock.jumpTo(Date.UTC(2026, 3, 5));
	const { size } = await stat(join(root, 'history', '2026-01-10.raw'));
	await journal.append([readingOf(17, { readAt: month(1) }), readingOf(25, { readAt: month(4) })], 'prompt');
	await history.sealNow();
	t.deepEqual(await daysIn(root), ['2026-02-10.raw', '2026-04-10.raw']);
	const everything = query({ to: epochMs(Date.UTC(2027, 0, 1)) });
	t.deepEqual(seqs(await history.range(everything)), [9, 25]);
	t.like(dropped, [{ day: month(1), reason: 'retention' }]);
	t.true((dropped[0]?.bytes ?? 0) >= size);
	await history.stop();
	await journal.stop();
});

test('a wrong clock costs only some days: no more than four expire within an hour', async (t) => {
	const { root, clock, open } = await bench(t, { retentionDays: 30 });
	const { journal, history } = await open();
	const readings = Array.from({ length: 10 }, (_, index) =>
		readingOf(1 + index * 8, { readAt: epochMs(START_MS - index * 24 * HOUR_MS) }),
	);
	await journal.append(readings, 'prompt');
	await history.sealNow();
	clock.jumpTo(Date.UTC(2106, 0, 1));
	await journal.append([readingOf(101, { readAt: epochMs(START_MS + HOUR_MS) })], 'prompt');
	for (let times = 0; times < 3; times += 1) await history.sealNow();
	t.is((await daysIn(root)).length, 6);
	clock.jumpTo(START_MS);
	t.deepEqual(seqs(await history.range(query({ order: 'newest-first' }))), [101, 1, 9, 17, 25, 33, 41]);
	await history.stop();
	await journal.stop();
});

test('a damaged day loses what is damaged and says so; the others and new readings are there', async (t) => {
	const { root, open } = await bench(t);
	const first = await open();
	const older = readingOf(1, { readAt: epochMs(START_MS - 24 * HOUR_MS) });
	await first.journal.append([older, readingOf(9)], 'prompt');
	await first.history.sealNow();
	await first.history.stop();
	await first.journal.stop();
	await writeFile(join(root, 'history', '2026-01-01.raw'), 'garbage');
	const second = await open();
	t.deepEqual(seqs(await second.history.range(query())), [1]);
	t.like(second.history.losses(), [{ reason: 'torn-tail', file: '2026-01-01.raw', bytes: 7 }]);
	await second.journal.append([readingOf(17)], 'prompt');
	await second.history.sealNow();
	t.deepEqual(seqs(await second.history.range(query())), [1, 17]);
	await second.history.stop();
	await second.journal.stop();
});

test('a long history is read in both orders at once', async (t) => {
	const { open } = await bench(t, { retentionDays: 4000 });
	const { journal, history } = await open();
	const readings = Array.from({ length: 9 }, (_, index) =>
		readingOf(1 + index * 8, { readAt: epochMs(Date.UTC(2025, index, 3)) }),
	);
	await journal.append(readings, 'prompt');
	await history.sealNow();
	const all = query({ from: epochMs(0), to: epochMs(Date.UTC(2050, 0)) });
	const [one, other] = await Promise.all([history.range(all), history.range({ ...all, order: 'newest-first' })]);
	t.deepEqual(one, readings);
	t.deepEqual(other, readings.toReversed());
	await history.stop();
	await journal.stop();
});

test('a journal that nobody sealed for long is sealed at the next start, and kept for its other holders', async (t) => {
	const { root, open } = await bench(t);
	const journalOptions = { folder: join(root, 'journal'), promptMs: 0, segmentBytes: 64 * 1024, holders: ['uplink'] };
	const alone = await openJournal({ ...journalOptions, clock: createManualClock(START_MS), log: silentLog });
	const readings = Array.from({ length: 40 }, (_, index) => readingOf(1 + index * 8));
	for (const [index, reading] of readings.entries()) {
		await alone.append([reading], 'prompt');
		if (index % 5 === 4) await alone.closeSegment();
	}
	await alone.stop();
	const { journal, history } = await open({ journal: journalOptions });
	t.true(history.stats().sealedThrough >= 5);
	t.deepEqual(await history.range(query()), readings);
	await history.sealNow();
	t.deepEqual(await history.range(query()), readings);
	t.is(journal.oldest().segment, 1);
	const found: Reading[] = [];
	for await (const commit of journal.read(journal.oldest())) found.push(...commit.readings);
	t.deepEqual(found, readings);
	await history.stop();
	await journal.stop();
});

test('while chunks cannot be written the readings stay, and sealing is tried again', async (t) => {
	const { root, open } = await bench(t);
	let retry: (() => void) | null = null;
	const { journal, history } = await open({
		setTimer: (callback, delayMs) => {
			if (delayMs === 30_000) retry = callback;
			return () => undefined;
		},
		journal: { folder: join(root, 'journal') },
	});
	const obstacle = join(root, 'history', 'sealed-through');
	await mkdir(join(obstacle, 'in-the-way'), { recursive: true });
	const appended = journal.append([readingOf(1)], 'prompt');
	await Promise.all([appended, journal.stop()]);
	await history.sealNow();
	t.is(history.stats().sealedThrough, 0);
	t.deepEqual(seqs(await history.range(query())), [1]);
	await rm(obstacle, { recursive: true });
	t.not(retry, null);
	await history.sealNow();
	t.is(history.stats().sealedThrough, 1);
	t.deepEqual(seqs(await history.range(query())), [1]);
	await history.stop();
});

test('a segment that the quota took before it was sealed is sealed from memory', async (t) => {
	const { root, open } = await bench(t);
	const journal8 = { folder: join(root, 'journal'), promptMs: 0, segmentBytes: 8192, maxBytes: 3 * 8192 };
	const gate = deferred<void>();
	const watcher = { touching: () => gate.promise, touched: () => undefined };
	// The journal waits for the sealer, but not for ever.
	const setTimer = (run: () => void, ms: number) => {
		if (ms === 10_000) setImmediate(run);
		return () => undefined;
	};
	const { journal, history } = await open({ journal: journal8, watchers: [watcher], setTimer });
	const readings = Array.from({ length: 120 }, (_, index) => readingOf(1 + index * 8));
	for (const reading of readings) await journal.append([reading], 'prompt');
	t.true(journal.oldest().segment > 1);
	gate.resolve();
	await history.sealNow();
	t.deepEqual(await history.range(query()), readings);
	await history.stop();
	await journal.stop();
});

test('a segment is sealed when it is an hour old', async (t) => {
	const timers = createManualTimer();
	const { root, open } = await bench(t, { setTimer: timers.setTimer, clock: timers.clock });
	const { journal, history } = await open({ journal: { folder: join(root, 'journal') } });
	const appended = journal.append([readingOf(1)], 'group');
	timers.advance(1000);
	await appended;
	for (let minute = 0; minute < 59; minute += 1) timers.advance(60_000);
	t.deepEqual(journal.closedSegments(), []);
	for (let minute = 0; minute < 3; minute += 1) timers.advance(60_000);
	// Queues up behind the closing that age has begun.
	await history.sealNow();
	t.is(history.stats().sealedThrough, 1);
	await history.stop();
	await journal.stop();
});

test('a reading that was stored twice, because a ledger was lost, is shown once', async (t) => {
	const { open } = await bench(t);
	const { journal, history } = await open();
	const readings = [1, 9, 17].map((seq) => readingOf(seq));
	await journal.append(readings, 'prompt');
	await history.sealNow();
	await journal.append(readings.slice(1), 'prompt');
	t.deepEqual(seqs(await history.range(query())), [1, 9, 17]);
	await history.sealNow();
	t.deepEqual(seqs(await history.range(query())), [1, 9, 17]);
	t.deepEqual(seqs(await history.range(query({ order: 'newest-first', limit: 2 }))), [17, 9]);
	await history.stop();
	await journal.stop();
});
