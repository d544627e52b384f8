import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import type { HourWatcher } from '../../core/history/device-hour.ts';
import type { History, OpenHistoryOptions } from '../../core/history/history.ts';
import type { Dropped } from '../../core/history/overflow.ts';
import type { FileLayer } from '../../core/journal/file-layer.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { deferred } from '../fake/deferred.ts';
import { HISTORY_FOLDER, historyBench } from '../fake/history-bench.ts';
import { deviceOf, readingOf, START_MS } from '../fake/sample-readings.ts';

const DAY_MS = 86_400_000;
const TODAY = `${HISTORY_FOLDER}/2026-01-01.raw`;
const SEGMENT_BYTES = 8192;

const everything = (more: Partial<HistoryQuery> = {}): HistoryQuery => ({
	device: deviceOf(1),
	from: epochMs(START_MS - 100 * DAY_MS),
	to: epochMs(START_MS + 100 * DAY_MS),
	order: 'oldest-first',
	limit: 100_000,
	...more,
});

const seqs = (readings: readonly Reading[]): readonly number[] => readings.map(({ firstSeq }) => firstSeq);

const journalOf = (minFreeBytes: number) => ({
	folder: '/journal',
	promptMs: 0,
	segmentBytes: SEGMENT_BYTES,
	maxBytes: 1024 * 1024,
	minFreeBytes,
});

async function stopBoth({ journal, history }: { journal: { stop(): Promise<void> }; history: History }): Promise<void> {
	await history.stop();
	await journal.stop();
}

/** A reading on each of three days, sealed. */
async function sealed(more: Partial<OpenHistoryOptions>) {
	const opened = await historyBench().open(more);
	const days = [0, 1, 2].map((day) => readingOf(1 + day * 8, { readAt: epochMs(START_MS - day * DAY_MS) }));
	await opened.journal.append(days, 'prompt');
	await opened.history.sealNow();
	return opened;
}

test('a day that a watcher wants to stay is left, and the next one goes instead of it', async (t) => {
	const plain = await sealed({});
	const { bytes } = plain.history.stats();
	const days: (number | null)[] = [];
	const watcher: HourWatcher = {
		touching: async () => undefined,
		touched: () => undefined,
		dropping: async (day) => day !== START_MS - 2 * DAY_MS,
	};
	const more = { maxBytes: bytes / 2, watchers: [watcher], dropped: ({ day }: Dropped) => void days.push(day) };
	const opened = await sealed(more);
	t.deepEqual(seqs(await opened.history.range(everything())), [17]);
	t.deepEqual(days, [START_MS - DAY_MS, START_MS]);
	await stopBoth(plain);
	await stopBoth(opened);
});

test('where all of the history would not reach the floor, nothing of it goes; where it would, the oldest does', async (t) => {
	const dropped: Dropped[] = [];
	const bench = historyBench();
	const { journal, history } = await bench.open({ minFreeBytes: 100_000, dropped: (what) => void dropped.push(what) });
	for (const day of [0, 1, 2])
		await journal.append([readingOf(1 + day * 8, { readAt: epochMs(START_MS - day * DAY_MS) })], 'prompt');
	await history.sealNow();
	const { bytes } = history.stats();
	bench.files.setFreeBytes(99_999 - bytes);
	await history.sealNow();
	t.deepEqual(dropped, [], 'somebody else has taken more than that');
	bench.files.setFreeBytes(99_999);
	await history.sealNow();
	t.deepEqual(
		dropped.map(({ day }) => day),
		[START_MS - 2 * DAY_MS],
	);
	await stopBoth({ journal, history });
});

test('a day does not go while a segment is being written to it: all of the segment is there, or is told', async (t) => {
	const bench = historyBench();
	const writing = deferred<null>();
	const goOn = deferred<null>();
	const asked = deferred<null>();
	let opened = 0;
	const slow: FileLayer = {
		...bench.files,
		async open(path) {
			opened += path === TODAY ? 1 : 0;
			if (opened === 2) {
				writing.resolve(null);
				await goOn.promise;
			}
			return bench.files.open(path);
		},
		async freeBytes(folder) {
			if (folder === HISTORY_FOLDER && opened >= 2) asked.resolve(null);
			return bench.files.freeBytes(folder);
		},
	};
	const dropped: Dropped[] = [];
	const { journal, history } = await bench.open({
		files: slow,
		minFreeBytes: 100,
		dropped: (what) => void dropped.push(what),
		journal: { ...journalOf(0), maxBytes: 3 * SEGMENT_BYTES, holders: ['uplink'] },
	});
	const numbers = Array.from({ length: 9 }, (_, index) => index + 1);
	await journal.append(
		numbers.map((device) => readingOf(1 + device * 8, { device: deviceOf(device) })),
		'prompt',
	);
	await journal.closeSegment();
	await writing.promise;
	bench.files.setFreeBytes(0);
	const filling = (async () => {
		for (let index = 10; index < 200; index += 1) await journal.append([readingOf(1 + index * 8)], 'prompt');
	})();
	await asked.promise;
	for (let turns = 0; turns < 20; turns += 1) await nextTurn();
	t.deepEqual(dropped, [], 'it waits');
	goOn.resolve(null);
	await filling;
	await history.sealNow();
	const devices = numbers.map((device) => history.range(everything({ device: deviceOf(device) })));
	const found = (await Promise.all(devices)).flat().length;
	t.is(found + dropped.reduce((sum, { readings }) => sum + (readings ?? 0), 0), numbers.length + 190);
	t.deepEqual(history.losses(), []);
	await stopBoth({ journal, history });
});

test('a full disk costs nothing that was acknowledged, whenever the process is killed: the journal refuses instead', async (t) => {
	const bench = historyBench();
	const losses: unknown[] = [];
	const moved: StreamRange[] = [];
	// The journal writes in place, until its segment is full.
	const full: FileLayer = { ...bench.files, create: () => Promise.reject(new Error('ENOSPC: create')) };
	const { files } = bench;
	const { journal } = await bench.open({
		files: { ...files, create: (path) => (path.startsWith(HISTORY_FOLDER) ? full : files).create(path) },
		journal: {
			...journalOf(1_000),
			holders: ['uplink'],
			onLoss: (loss) => void losses.push(loss),
			onMoved: (ranges) => void moved.push(...ranges),
		},
	});
	let kept = 0;
	for (; kept < 200; kept += 1) await journal.append([readingOf(1 + kept * 8)], 'prompt');
	files.setFreeBytes(999);
	await t.throwsAsync(
		async () => {
			for (; kept < 1_000; kept += 1) await journal.append([readingOf(1 + kept * 8)], 'prompt');
		},
		{ message: /no room/ },
	);
	t.deepEqual([losses, moved], [[], []]);
	files.cut(() => 0);
	files.setFreeBytes(Number.MAX_SAFE_INTEGER);
	const again = await bench.open({ journal: { ...journalOf(0), holders: ['uplink'] } });
	t.is((await again.history.range(everything())).length, kept);
	await stopBoth(again);
});
