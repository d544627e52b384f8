import test from 'ava';
import fc from 'fast-check';

import { createChunkReader } from '../../core/history/chunk-reader.ts';
import { compactDay } from '../../core/history/compaction.ts';
import { type DayFolder, openDayFolder } from '../../core/history/day-folder.ts';
import type { History } from '../../core/history/history.ts';
import type { Dropped } from '../../core/history/overflow.ts';
import { queryRange } from '../../core/history/range-query.ts';
import type { FileLayer } from '../../core/journal/file-layer.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { failingAt, HISTORY_FOLDER, historyBench } from '../fake/history-bench.ts';
import { randomOf } from '../fake/random-of.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';
import { deviceOf, readingOf, START_MS } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const everything = (device = 1): HistoryQuery => ({
	device: deviceOf(device),
	from: epochMs(START_MS - 1000 * HOUR_MS),
	to: epochMs(START_MS + 1000 * HOUR_MS),
	order: 'oldest-first',
	limit: 10_000,
});

const seqs = (readings: readonly Reading[]): readonly number[] => readings.map(({ firstSeq }) => firstSeq);

/** Readings of two devices over two days, some late. */
function batchOf(from: number, count: number, random: () => number): readonly Reading[] {
	return Array.from({ length: count }, (_, index) =>
		readingOf(from + index * 8, {
			device: deviceOf(1 + Math.floor(random() * 2)),
			readAt: epochMs(START_MS - Math.floor(random() * 3) * 9 * HOUR_MS + (from + index) * 1000),
		}),
	);
}

async function held(history: History): Promise<readonly number[]> {
	const found = [...(await history.range(everything(1))), ...(await history.range(everything(2)))];
	return seqs(found).toSorted((one, other) => one - other);
}

test('whenever the power goes while segments are sealed, each acknowledged reading is there once after the next start', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 2, max: 60 }), async (seed, operation) => {
			const random = randomOf(seed);
			const { files, open } = historyBench();
			const acknowledged: number[] = [];
			let next = 1;
			// Three lives, of which the first two end by a power cut.
			for (const life of [operation, operation * 2, Number.POSITIVE_INFINITY]) {
				const { layer } = failingAt(files, life);
				const opened = await open({ files: layer }).catch(() => null);
				for (let round = 0; round < 4; round += 1) {
					if (opened === null) break;
					const batch = batchOf(next, 12, random);
					next += 12 * 8;
					try {
						await opened.journal.append(batch, 'prompt');
						acknowledged.push(...seqs(batch));
						await opened.history.sealNow();
					} catch {
						// The power is gone.
					}
				}
				if (life === Number.POSITIVE_INFINITY) {
					t.not(opened, null);
					if (opened === null) return;
					const found = await held(opened.history);
					t.deepEqual(
						acknowledged.filter((seq) => !found.includes(seq)),
						[],
					);
					t.deepEqual(
						found.filter((seq, index) => found[index - 1] === seq),
						[],
					);
					const column = await opened.history.column({ ...everything(1), point: 'point_3' });
					t.is(column.times.length, (await opened.history.range(everything(1))).length);
				}
				await opened?.history.stop().catch(() => undefined);
				await opened?.journal.stop().catch(() => undefined);
				files.cut(random);
			}
		}),
		{ numRuns: 40 },
	);
});

/** A day in twelve parts, of which the last is late. */
const PARTS = Array.from({ length: 12 }, (_, part) =>
	readingOf(1 + part * 8, { readAt: epochMs(START_MS + (part === 11 ? 500 : part * 1000)) }),
);

const openDays = (files: FileLayer): Promise<DayFolder> =>
	openDayFolder({
		files,
		folder: HISTORY_FOLDER,
		retentionDays: 365,
		clock: createManualClock(START_MS),
		noteLoss: () => undefined,
	});

async function fragmentedDay(files: FileLayer): Promise<void> {
	const days = await openDays(files);
	const day = days.fileFor(START_MS);
	for (const reading of PARTS) {
		await day?.append([reading], reading);
		await day?.commit();
	}
}

async function compact(files: FileLayer): Promise<boolean> {
	const days = await openDays(files);
	const day = days.fileFor(START_MS);
	if (day === null) return false;
	const signal = new AbortController().signal;
	return compactDay(day, { files, path: days.temporaryPath(day), noteLoss: () => undefined, signal });
}

const inDays = async (files: FileLayer): Promise<readonly number[]> =>
	seqs(await queryRange({ days: await openDays(files), noteLoss: () => undefined }, everything()));

const IN_ORDER = [1, 89, 9, 17, 25, 33, 41, 49, 57, 65, 73, 81];

test('whenever the power goes while a day is written anew, nothing of it is missing', async (t) => {
	let isDone = false;
	for (let operation = 1; !isDone; operation += 1) {
		for (const seed of [1, 2, 3, 4]) {
			const files = createPowerCutFiles();
			await fragmentedDay(files);
			isDone = await compact(failingAt(files, operation).layer).catch(() => false);
			files.cut(randomOf(seed * operation));
			t.deepEqual(await inDays(files), IN_ORDER, `operation ${operation}, seed ${seed}`);
			t.deepEqual(files.names(), ['2026-01-01.raw']);
		}
		if (operation > 50) break;
	}
	t.true(isDone);
});

test('a day that is written anew is one part, smaller, and its readers are not disturbed', async (t) => {
	const files = createPowerCutFiles();
	await fragmentedDay(files);
	const before = files.content(`${HISTORY_FOLDER}/2026-01-01.raw`).length;
	const days = await openDays(files);
	const day = days.fileFor(START_MS);
	if (day === null) return t.fail();
	const read = await day.use(async (index, file) => {
		const entries = [...index.of(deviceOf(1))];
		const signal = new AbortController().signal;
		t.true(await compactDay(day, { files, path: days.temporaryPath(day), noteLoss: () => undefined, signal }));
		const reader = createChunkReader(day.name, index, file, () => t.fail());
		return Promise.all(entries.map((entry) => reader.readings(entry)));
	});
	t.is(read?.flat().length, PARTS.length);
	t.is(await day.use((index) => Promise.resolve(index.of(deviceOf(1)).length)), 1);
	t.true(files.content(`${HISTORY_FOLDER}/2026-01-01.raw`).length < before);
	t.deepEqual(await inDays(files), IN_ORDER);
});

test('a day that changes while it is written anew stays as it is', async (t) => {
	const files = createPowerCutFiles();
	await fragmentedDay(files);
	const days = await openDays(files);
	const day = days.fileFor(START_MS);
	if (day === null) return t.fail();
	const compaction = compactDay(day, {
		files,
		path: days.temporaryPath(day),
		noteLoss: () => undefined,
		signal: new AbortController().signal,
	});
	const late = readingOf(801, { readAt: epochMs(START_MS + 60_000) });
	await day.append([late], late);
	await day.commit();
	t.false(await compaction);
	t.deepEqual(await inDays(files), [...IN_ORDER, 801]);
	t.deepEqual(files.names(), ['2026-01-01.raw']);
});

test('whenever the power goes while a day is dropped, it is there whole or not at all', async (t) => {
	for (let operation = 1; operation < 4; operation += 1) {
		const files = createPowerCutFiles();
		await fragmentedDay(files);
		const days = await openDays(failingAt(files, operation).layer);
		await days.dropOldest().catch(() => null);
		files.cut(randomOf(operation));
		const found = await inDays(files);
		t.true(found.length === 0 || found.length === IN_ORDER.length);
	}
});

test('a day that is dropped is gone, told once, and does not come back after a power cut', async (t) => {
	for (const seed of [1, 2, 3, 4, 5]) {
		const { files, clock, open } = historyBench(createPowerCutFiles());
		const dropped: Dropped[] = [];
		const options = { retentionDays: 2, dropped: (what: Dropped) => void dropped.push(what) };
		const first = await open(options);
		await first.journal.append([readingOf(1)], 'prompt');
		await first.history.sealNow();
		clock.advance(5 * DAY_MS);
		await first.history.sealNow();
		files.cut(randomOf(seed));
		const second = await open(options);
		await second.history.sealNow();
		t.deepEqual(await second.history.range(everything()), []);
		t.like(dropped, [{ day: epochMs(START_MS), readings: 1, samples: 8, reason: 'retention' }]);
		t.is(dropped.length, 1);
		await second.history.stop();
		await second.journal.stop();
	}
});
