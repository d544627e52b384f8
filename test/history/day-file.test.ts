import test from 'ava';
import fc from 'fast-check';

import { type DayFolder, openDayFolder } from '../../core/history/day-folder.ts';
import { RECORD, walkRecords } from '../../core/history/day-record.ts';
import type { HistoryLoss } from '../../core/history/history-loss.ts';
import { queryRange } from '../../core/history/range-query.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { HISTORY_FOLDER } from '../fake/history-bench.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { createPowerCutFiles, type PowerCutFiles } from '../fake/power-cut-files.ts';
import { deviceOf, readingOf, START_MS } from '../fake/sample-readings.ts';

const DAY_MS = 86_400_000;
const TODAY = `${HISTORY_FOLDER}/2026-01-01.raw`;
const ROWS = 40;

type Found = Omit<HistoryLoss, 'at'>;

const open = (files: PowerCutFiles, losses: Found[] = []): Promise<DayFolder> =>
	openDayFolder({
		files,
		folder: HISTORY_FOLDER,
		retentionDays: 365,
		clock: createManualClock(START_MS),
		noteLoss: (loss) => void losses.push(loss),
	});

/** Five parts of 40 readings each of device 1, and as many of device 2; then an index. */
async function filled(
	isFinished: boolean,
): Promise<{ readonly files: PowerCutFiles; readonly all: readonly Reading[] }> {
	const files = createPowerCutFiles();
	const day = (await open(files)).fileFor(START_MS);
	const all: Reading[] = [];
	for (let part = 0; part < 10; part += 1) {
		const readings = Array.from({ length: ROWS }, (_, row) =>
			readingOf(1 + (part * ROWS + row) * 8, {
				device: deviceOf(1 + (part % 2)),
				readAt: epochMs(START_MS + (part * ROWS + row) * 1000),
			}),
		);
		all.push(...readings);
		const [first] = readings;
		if (first !== undefined) await day?.append(readings, first);
		await day?.commit();
	}
	if (isFinished) await day?.finish();
	return { files, all };
}

const query = (device: number, to: EpochMs = epochMs(START_MS + 5 * DAY_MS)): HistoryQuery => ({
	device: deviceOf(device),
	from: epochMs(START_MS - DAY_MS),
	to,
	order: 'oldest-first',
	limit: 10_000,
});

async function readAll(files: PowerCutFiles, losses: Found[] = []): Promise<readonly Reading[]> {
	const days = await open(files, losses);
	const noteLoss = (loss: Found): void => void losses.push(loss);
	return [...(await queryRange({ days, noteLoss }, query(1))), ...(await queryRange({ days, noteLoss }, query(2)))];
}

const seqs = (readings: readonly Reading[]): readonly number[] =>
	readings.map(({ firstSeq }) => firstSeq).toSorted((one, other) => one - other);

/** Places of the records of a kind. */
async function placesOf(files: PowerCutFiles, kind: number): Promise<readonly { at: number; next: number }[]> {
	const file = await files.open(TODAY);
	const places: { at: number; next: number }[] = [];
	for await (const record of walkRecords(file, files.content(TODAY).length))
		if (record.kind === kind) places.push({ at: record.at, next: record.next });
	return places;
}

for (const isFinished of [true, false]) {
	const state = isFinished ? 'with its index' : 'without its index';

	test(`a day ${state} is read as it was written`, async (t) => {
		const { files, all } = await filled(isFinished);
		const losses: Found[] = [];
		const found = await readAll(files, losses);
		t.deepEqual(
			found.toSorted((one, other) => one.readAt - other.readAt),
			all,
		);
		t.deepEqual(losses, []);
	});

	test(`one byte that is wrong costs at most one part of a day ${state}, and is told`, async (t) => {
		const { files, all } = await filled(isFinished);
		const sound = Buffer.from(files.content(TODAY));
		const shape = (await placesOf(files, RECORD.shape))[0]?.next ?? 0;
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: shape, max: sound.length - 1 }),
				fc.integer({ min: 1, max: 255 }),
				async (at, bits) => {
					const bytes = files.content(TODAY);
					bytes.set(sound);
					bytes[at] = (bytes[at] ?? 0) ^ bits;
					const losses: Found[] = [];
					const found = await readAll(files, losses);
					t.true(found.length >= all.length - ROWS, `${found.length} at ${at}`);
					if (found.length < all.length) t.true(losses.length > 0);
					const known = new Map(all.map((reading) => [reading.firstSeq, reading]));
					for (const reading of found) t.deepEqual(reading, known.get(reading.firstSeq));
				},
			),
			{ numRuns: 120 },
		);
	});

	test(`a day ${state} that ends anywhere gives what stands before, and takes more`, async (t) => {
		const { files, all } = await filled(isFinished);
		const sound = Buffer.from(files.content(TODAY));
		const chunks = await placesOf(files, RECORD.chunk);
		await fc.assert(
			fc.asyncProperty(fc.integer({ min: 0, max: sound.length }), async (length) => {
				const file = await files.create(TODAY);
				await file.write(0, sound.subarray(0, length));
				const parts = chunks.filter(({ next }) => next <= length).length;
				t.deepEqual(seqs(await readAll(files)), seqs(all.slice(0, parts * ROWS)));
				const day = (await open(files)).fileFor(START_MS);
				const more = readingOf(90_001, { readAt: epochMs(START_MS + 80_000_000) });
				await day?.append([more], more);
				await day?.commit();
				const losses: Found[] = [];
				t.deepEqual(seqs(await readAll(files, losses)), [...seqs(all.slice(0, parts * ROWS)), 90_001]);
				t.deepEqual(losses, []);
			}),
			{ numRuns: 60 },
		);
	});
}

const DAMAGES: readonly (readonly [string, (content: Buffer) => void, number])[] = [
	['zeroed', (content) => void content.fill(0), 0],
	['of garbage', (content) => void content.fill('DbH1garbage'), 0],
	['zeroed in its first sector', (content) => void content.fill(0, 0, 512), 9],
	['zeroed in its second half', (content) => void content.fill(0, content.length >>> 1), 4],
];

for (const [name, damage, leastParts] of DAMAGES) {
	test(`a day ${name} opens, says so and takes more`, async (t) => {
		const { files } = await filled(true);
		damage(files.content(TODAY));
		const losses: Found[] = [];
		t.true((await readAll(files, losses)).length >= leastParts * ROWS);
		t.true(losses.length > 0);
		const day = (await open(files)).fileFor(START_MS);
		const more = readingOf(90_001, { readAt: epochMs(START_MS + 80_000_000) });
		await day?.append([more], more);
		await day?.commit();
		t.is((await readAll(files)).filter(({ firstSeq }) => firstSeq === 90_001).length, 1);
	});
}

test('a file that goes missing is told, and begins again', async (t) => {
	const { files } = await filled(true);
	const losses: Found[] = [];
	const days = await open(files, losses);
	await files.remove(TODAY);
	t.deepEqual(await queryRange({ days, noteLoss: () => t.fail() }, query(1)), []);
	t.like(losses, [{ reason: 'missing', file: '2026-01-01.raw' }]);
	const day = days.fileFor(START_MS);
	await day?.append([readingOf(1)], readingOf(1));
	await day?.commit();
	t.deepEqual(seqs(await readAll(files)), [1]);
});

test('a shape that is lost costs the chunks of it, and its number is not given away', async (t) => {
	const { files } = await filled(false);
	const [shape] = await placesOf(files, RECORD.shape);
	files.content(TODAY).fill(0, shape?.at, shape?.next);
	const day = (await open(files)).fileFor(START_MS);
	const other = readingOf(90_001, { points: ['a'], values: [1], readAt: epochMs(START_MS + 80_000_000) });
	await day?.append([other], other);
	await day?.commit();
	const losses: Found[] = [];
	t.deepEqual(await readAll(files, losses), [other]);
	t.is(losses.length, 11);
});

test('readings of dates that cannot be make one file, whatever they are', async (t) => {
	const files = createPowerCutFiles();
	const days = await open(files);
	const dates = [-(2 ** 53) + 1, -1, Date.UTC(2036, 0, 1), Date.UTC(2099, 5, 5), Date.UTC(2106, 0, 1), 2 ** 53 - 1];
	const readings = dates.map((at, index) => readingOf(1 + index * 8, { readAt: epochMs(at) }));
	for (const reading of readings) {
		const file = days.fileFor(Math.floor(reading.readAt / 3_600_000) * 3_600_000);
		await file?.append([reading], reading);
		await file?.commit();
	}
	t.deepEqual(files.names(), ['stray.raw']);
	const [first = 0, last = 0] = [dates[0], dates.at(-1)];
	const all = { ...query(1), from: epochMs(first), to: epochMs(last) };
	const found = await queryRange({ days, noteLoss: () => t.fail() }, all);
	t.deepEqual(found, readings.slice(0, -1));
});
