import test from 'ava';
import fc from 'fast-check';

import type { DeviceHour, HourWatcher } from '../../core/history/device-hour.ts';
import type { History, OpenHistoryOptions } from '../../core/history/history.ts';
import type { Dropped, OverflowStep } from '../../core/history/overflow.ts';
import type { FileLayer } from '../../core/journal/file-layer.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import type { ColumnQuery, HistoryQuery } from '../../core/telemetry/history-repository.ts';
import { QUALITIES, type Quality, type Reading, type SampleValue } from '../../core/telemetry/reading.ts';
import { HISTORY_FOLDER, historyBench } from '../fake/history-bench.ts';
import { randomOf } from '../fake/random-of.ts';
import { deviceOf, ORIGIN, readingOf, START_MS } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OTHER = gatewayId('00000000-0000-4000-8000-00000000000b');
const TODAY = `${HISTORY_FOLDER}/2026-01-01.raw`;

const everything = (more: Partial<HistoryQuery> = {}): HistoryQuery => ({
	device: deviceOf(1),
	from: epochMs(START_MS - 100 * DAY_MS),
	to: epochMs(START_MS + 100 * DAY_MS),
	order: 'oldest-first',
	limit: 100_000,
	...more,
});

const seqs = (readings: readonly Reading[]): readonly number[] => readings.map(({ firstSeq }) => firstSeq);

async function stopBoth({ journal, history }: { journal: { stop(): Promise<void> }; history: History }): Promise<void> {
	await history.stop();
	await journal.stop();
}

test('watchers hear of the hours before they are written, and after they are durable', async (t) => {
	const { files, open } = historyBench();
	const heard: string[] = [];
	const told: (readonly DeviceHour[])[] = [];
	const watcher: HourWatcher = {
		async touching(hours) {
			told.push(hours);
			heard.push(`touching ${files.names().includes('2026-01-01.raw')}`);
		},
		touched(hours) {
			t.deepEqual(hours, told.at(-1));
			files.cut(() => 0);
			heard.push(`touched ${files.names().includes('2026-01-01.raw')}`);
		},
	};
	const opened = await open({ watchers: [watcher] });
	const late = readingOf(9, { readAt: epochMs(START_MS - 30 * HOUR_MS) });
	const impossible = readingOf(17, { readAt: epochMs(Date.UTC(2106, 0, 1)) });
	await opened.journal.append([readingOf(1), late, impossible], 'prompt');
	await opened.history.sealNow();
	t.deepEqual(heard, ['touching false', 'touched true']);
	const hours = told[0]?.map(({ device, hour }) => [device, hour]);
	t.deepEqual(hours, [
		[deviceOf(1), START_MS - 30 * HOUR_MS],
		[deviceOf(1), START_MS],
	]);
	await stopBoth(opened).catch(() => undefined);
});

test('a watcher that cannot note its hours keeps them from being sealed', async (t) => {
	const { open, files } = historyBench();
	let isBroken = true;
	const watcher: HourWatcher = {
		touching: () => (isBroken ? Promise.reject(new Error('no room')) : Promise.resolve()),
		touched: () => undefined,
	};
	const opened = await open({ watchers: [watcher] });
	await opened.journal.append([readingOf(1)], 'prompt');
	await opened.history.sealNow();
	t.false(files.names().includes('2026-01-01.raw'));
	t.deepEqual(seqs(await opened.history.range(everything())), [1]);
	isBroken = false;
	await opened.history.sealNow();
	t.is(opened.history.stats().sealedThrough, 1);
	await stopBoth(opened);
});

test('readings without a known time stay in the journal, and are moved when it is known', async (t) => {
	const { open } = historyBench();
	let offsetMs: number | null = null;
	const settle = (reading: Reading): Reading | null => {
		if (reading.epoch !== 7) return reading;
		return offsetMs === null ? null : { ...reading, readAt: epochMs(reading.readAt + offsetMs) };
	};
	const opened = await open({ settle, journal: { folder: '/journal', promptMs: 0, holders: ['uplink'] } });
	const lost = [readingOf(1, { epoch: 7, readAt: epochMs(0) }), readingOf(9, { epoch: 7, readAt: epochMs(1000) })];
	await opened.journal.append(lost, 'prompt');
	await opened.history.sealNow();
	await opened.journal.append([readingOf(17)], 'prompt');
	await opened.history.sealNow();
	t.is(opened.history.stats().sealedThrough, 0);
	t.deepEqual(seqs(await opened.history.range(everything({ from: epochMs(0) }))), [1, 9, 17]);
	offsetMs = START_MS - HOUR_MS;
	t.deepEqual(seqs(await opened.history.range(everything())), [1, 9, 17]);
	opened.history.kick();
	await opened.history.sealNow();
	t.is(opened.history.stats().sealedThrough, 2);
	const found = await opened.history.range(everything());
	t.deepEqual(
		found.map(({ readAt }) => readAt - START_MS),
		[-HOUR_MS, 1000 - HOUR_MS, 17],
	);
	await stopBoth(opened);
});

test('a full disk keeps readings in the journal; they are sealed when there is room', async (t) => {
	const { files, open } = historyBench();
	const opened = await open();
	await opened.journal.append([readingOf(1), readingOf(9)], 'prompt');
	await opened.journal.closeSegment();
	files.fail('ENOSPC');
	await opened.history.sealNow();
	t.is(opened.history.stats().sealedThrough, 0);
	t.deepEqual(seqs(await opened.history.range(everything())), [1, 9]);
	files.fail(null);
	await opened.history.sealNow();
	t.is(opened.history.stats().sealedThrough, 1);
	t.deepEqual(seqs(await opened.history.range(everything())), [1, 9]);
	t.deepEqual(opened.history.losses(), []);
	await stopBoth(opened);
});

test('a flush that fails is not believed the second time: the chunk is written again', async (t) => {
	const { files, open } = historyBench();
	const opened = await open();
	await opened.journal.append([readingOf(1)], 'prompt');
	await opened.history.sealNow();
	await opened.journal.append([readingOf(9)], 'prompt');
	await opened.journal.closeSegment();
	files.fail('EIO', ['datasync']);
	await opened.history.sealNow();
	files.fail(null);
	await opened.history.sealNow();
	t.is(opened.history.stats().sealedThrough, 2);
	files.cut(() => 0);
	const again = await open();
	t.deepEqual(seqs(await again.history.range(everything())), [1, 9]);
	await stopBoth(again);
});

test('what a killed process left in the page cache is made durable before the journal lets go of it', async (t) => {
	const { files, open } = historyBench();
	// Written, and killed before the flush: the file system never hears of it.
	const dying: FileLayer = {
		...files,
		async open(path) {
			const file = await files.open(path);
			return path === TODAY ? { ...file, datasync: () => Promise.reject(new Error('killed')) } : file;
		},
	};
	const first = await open({ files: dying });
	await first.journal.append([readingOf(1)], 'prompt');
	await first.history.sealNow();
	t.is(first.history.stats().sealedThrough, 0);
	const second = await open();
	await second.history.sealNow();
	t.is(second.history.stats().sealedThrough, 1);
	files.cut(() => 0);
	const third = await open();
	t.deepEqual(seqs(await third.history.range(everything())), [1]);
	await stopBoth(third);
});

/** A reading on each of some days before today. */
const daily = (days: number): readonly Reading[] =>
	Array.from({ length: days }, (_, index) => readingOf(1 + index * 8, { readAt: epochMs(START_MS - index * DAY_MS) }));

async function sealed(bench: ReturnType<typeof historyBench>, more: Partial<OpenHistoryOptions>, days: number) {
	const opened = await bench.open(more);
	await opened.journal.append(daily(days), 'prompt');
	await opened.history.sealNow();
	return opened;
}

test('a quota drops the oldest days, and no more of them than it takes', async (t) => {
	const plain = await sealed(historyBench(), {}, 5);
	const { bytes } = plain.history.stats();
	const dropped: Dropped[] = [];
	const bench = historyBench();
	const opened = await sealed(bench, { maxBytes: (bytes * 3) / 5, dropped: (what) => void dropped.push(what) }, 5);
	t.true(opened.history.stats().bytes <= (bytes * 3) / 5);
	t.deepEqual(seqs(await opened.history.range(everything())), [17, 9, 1]);
	t.deepEqual(
		dropped.map(({ day, readings, samples, reason }) => [day, readings, samples, reason]),
		[
			[START_MS - 4 * DAY_MS, 1, 8, 'thinned'],
			[START_MS - 3 * DAY_MS, 1, 8, 'thinned'],
		],
	);
	await stopBoth(plain);
	await stopBoth(opened);
});

test('below the floor of free space raw days go first, then what stands behind them', async (t) => {
	const bench = historyBench();
	const order: string[] = [];
	let minutes = 3;
	const step: OverflowStep = {
		name: 'minutes',
		bytes: () => minutes * 100,
		async dropOldest() {
			if (minutes === 0) return null;
			minutes -= 1;
			return { level: 'minute', day: null, until: null, bytes: 100, readings: null, samples: null, reason: 'thinned' };
		},
	};
	const opened = await sealed(
		bench,
		{ minFreeBytes: 1000, moreSteps: [step], dropped: ({ day }) => void order.push(day === null ? 'minutes' : 'day') },
		2,
	);
	bench.files.setFreeBytes(999);
	await opened.history.sealNow();
	t.deepEqual(order, ['day']);
	for (let times = 0; times < 5; times += 1) await opened.history.sealNow();
	t.deepEqual(order, ['day', 'day', 'minutes', 'minutes', 'minutes']);
	t.is(opened.history.stats().bytes, 0);
	await stopBoth(opened);
});

for (const isRestarted of [false, true])
	test(`many parts of an hour are made one when the day is past and quiet${isRestarted ? ', also after a restart' : ''}`, async (t) => {
		const bench = historyBench();
		let opened = await bench.open();
		for (let part = 0; part < 10; part += 1) {
			await opened.journal.append([readingOf(1 + part * 8)], 'prompt');
			await opened.history.sealNow();
		}
		if (isRestarted) {
			await stopBoth(opened);
			opened = await bench.open();
		}
		const before = bench.files.content(TODAY).length;
		bench.clock.advance(DAY_MS);
		await opened.history.sealNow();
		t.true(bench.files.content(TODAY).length < before);
		t.is((await opened.history.range(everything())).length, 10);
		t.deepEqual(
			bench.files.names().filter((name) => name.endsWith('.tmp')),
			[],
		);
		await stopBoth(opened);
	});

const POINTS = ['a', 'b'] as const;

const value: fc.Arbitrary<SampleValue> = fc.oneof(
	{ weight: 8, arbitrary: fc.integer({ min: 0, max: 90 }).map((tenths) => tenths / 10) },
	{ weight: 1, arbitrary: fc.constantFrom<SampleValue>(null, 'text', true, 12n) },
);

const drawnReading = fc.record({
	minute: fc.integer({ min: -3000, max: 100 }),
	origin: fc.constantFrom(ORIGIN, OTHER),
	epoch: fc.integer({ min: 1, max: 2 }),
	telemetryType: fc.constantFrom('default', 'other', 'status'),
	points: fc.constantFrom<readonly string[]>(POINTS, ['a'], ['c', 'b']),
	values: fc.tuple(value, value),
	quality: fc.option(fc.constantFrom<Quality>('good', 'stale', 'comm_error'), { nil: null }),
});

type Row = readonly [EpochMs, SampleValue, number];

function expectedColumn(all: readonly Reading[], { point, from, to, telemetryType }: ColumnQuery): readonly Row[] {
	return all
		.filter(({ readAt, points }) => readAt >= from && readAt < to && points.includes(point))
		.filter((reading) =>
			telemetryType === undefined ? reading.telemetryType !== 'status' : reading.telemetryType === telemetryType,
		)
		.map((reading): Row => {
			const at = reading.points.indexOf(point);
			return [reading.readAt, reading.values[at] ?? null, QUALITIES.indexOf(reading.qualities?.[at] ?? 'good')];
		});
}

test('a column is what the readings say of its point, sealed or not, in parts or as a whole', async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(drawnReading, { maxLength: 150 }),
			fc.integer({ min: 1, max: 2 ** 20 }),
			fc.tuple(fc.integer({ min: -3100, max: 200 }), fc.integer({ min: -3100, max: 200 })),
			fc.constantFrom('default', undefined),
			fc.integer({ min: 1, max: 40 }),
			async (drawn, seed, [from, to], telemetryType, limit) => {
				const random = randomOf(seed);
				const { open } = historyBench();
				const opened = await open();
				const readings = drawn.map(({ minute, values, quality, points, ...more }, index) =>
					readingOf(1 + index * 2, {
						...more,
						points,
						readAt: epochMs(START_MS + minute * 60_000),
						values: values.slice(0, points.length),
						qualities: quality === null ? null : points.map((_, at) => (at === 0 ? quality : 'good')),
					}),
				);
				for (let at = 0; at < readings.length; at += 30) {
					await opened.journal.append(readings.slice(at, at + 30), 'prompt');
					if (random() < 0.6) await opened.history.sealNow();
				}
				const all = await opened.history.range(everything());
				t.is(all.length, readings.length);
				const query = {
					device: deviceOf(1),
					point: 'b',
					from: epochMs(START_MS + from * 60_000),
					to: epochMs(START_MS + to * 60_000),
					...(telemetryType === undefined ? {} : { telemetryType }),
				};
				const rows: Row[] = [];
				for (let next = query.from; next < query.to;) {
					const { times, values, qualities, until } = await opened.history.column({ ...query, from: next, limit });
					for (const [index, time] of times.entries())
						rows.push([epochMs(time), values[index] ?? null, qualities?.[index] ?? 0]);
					t.true(until > next);
					next = until;
				}
				t.deepEqual(rows, expectedColumn(all, query));
				await stopBoth(opened);
			},
		),
		{ numRuns: 60 },
	);
});

const journalOf = (minFreeBytes: number) => ({
	folder: '/journal',
	promptMs: 0,
	segmentBytes: 8192,
	maxBytes: 1024 * 1024,
	minFreeBytes,
});

test('a journal without room gives nothing up while it opens, and then what is sealed, after the oldest day', async (t) => {
	const bench = historyBench();
	const full = Number.MAX_SAFE_INTEGER;
	const losses: unknown[] = [];
	const moved: StreamRange[] = [];
	const first = await bench.open({ journal: { ...journalOf(0), holders: ['uplink'] } });
	for (let index = 0; index < 120; index += 1) await first.journal.append([readingOf(1 + index * 8)], 'prompt');
	await first.history.stop();
	await first.journal.stop();
	const found = first.journal.closedSegments().length;

	const dropped: Dropped[] = [];
	const { journal, history } = await bench.open({
		minFreeBytes: full,
		dropped: (what) => void dropped.push(what),
		journal: {
			...journalOf(full),
			holders: ['uplink'],
			onLoss: (loss) => void losses.push(loss),
			onMoved: (ranges) => void moved.push(...ranges),
		},
	});
	t.true(journal.closedSegments().length >= found, 'all of it is there');
	t.deepEqual(moved, []);
	await t.throwsAsync(journal.append([readingOf(1 + 120 * 8)], 'prompt'), { message: /no room/ });
	t.deepEqual(losses, [], 'everything was in the history before it went');
	t.true(moved.length > 0);
	await history.stop();
	await journal.stop();
});
