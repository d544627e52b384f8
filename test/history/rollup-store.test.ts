import test from 'ava';
import fc from 'fast-check';

import type { Rollup } from '../../core/history/rollup.ts';
import { openRollups } from '../../core/history/rollups.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { parseRollups, rollupHour, rollupsMessage } from '../../core/link/rollup-messages.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { memoryHistory } from '../fake/memory-history.ts';
import { rollupBox } from '../fake/rollup-box.ts';
import { deviceOf, ORIGIN } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The clock of a box stands at 2026-01-01. */
const DAY = Date.UTC(2025, 11, 20);
const DEVICE = deviceOf(1);
const isWanted = () => true;
const NOTHING = { devices: async () => [], numbers: async () => [] };

type Box = Awaited<ReturnType<typeof rollupBox>>;

let seq = 0;
/** Samples of an hour, one every 3 s. */
const hourFrom = (at: number, count = 1_200, points: readonly string[] = ['energy', 'power']): readonly Reading[] =>
	Array.from({ length: count }, (_, index) => ({
		device: DEVICE,
		readAt: epochMs(at + index * 3_000),
		telemetryType: 'default',
		points,
		values: points.map(() => index),
		qualities: null,
		origin: ORIGIN,
		epoch: 1,
		firstSeq: (seq += 10),
	}));

const counts = async (
	box: Box,
	edges: readonly number[],
	point = 'power',
): Promise<readonly (number | undefined)[]> => {
	const { buckets } = await box.running.aggregate({ device: DEVICE, points: new Set([point]), edges, isWanted });
	return buckets.map((bucket: ReadonlyMap<string, Rollup>) => bucket.get(point)?.numbers?.count);
};

/** Whether an aggregate of these edges is answered without a sample. */
async function isFromRollups(box: Box, edges: readonly number[]): Promise<boolean> {
	const before = box.history.read();
	await counts(box, edges);
	return box.history.read() === before;
}

function recorder() {
	const events: string[] = [];
	const note = (event: string) => void events.push(event);
	const log: Logger = { ...silentLog, warn: note, error: note, child: () => log };
	return { events, log };
}

test('rollups outlive a restart, and what was not summed up yet is read from its samples', async (t) => {
	const box = await rollupBox();
	box.history.accept(hourFrom(DAY));
	await box.settle();
	box.history.accept(hourFrom(DAY + HOUR_MS));
	await box.history.seal(box.rollups.watcher);
	await box.running.stop();
	await box.rollups.stop();
	const again = await rollupBox({ files: box.files, history: box.history, manual: box.manual });
	t.true(await isFromRollups(again, [DAY, DAY + HOUR_MS]));
	t.false(await isFromRollups(again, [DAY + HOUR_MS, DAY + 2 * HOUR_MS]));
	t.deepEqual(await counts(again, [DAY, DAY + HOUR_MS, DAY + 2 * HOUR_MS]), [1_200, 1_200]);
	await again.settle();
	t.true(await isFromRollups(again, [DAY, DAY + DAY_MS]));
	t.deepEqual(await counts(again, [DAY, DAY + DAY_MS]), [2_400]);
});

test('a history that is older than its rollups is summed up hour by hour', async (t) => {
	const history = memoryHistory();
	for (const day of [-400, -30, 0, 1]) history.accept(hourFrom(DAY + day * DAY_MS));
	await history.seal({ touching: async () => undefined, touched: () => undefined });
	const box = await rollupBox({ history });
	const edges = [DAY - 401 * DAY_MS, DAY + 2 * DAY_MS];
	t.false(await isFromRollups(box, edges));
	t.deepEqual(await counts(box, edges), [4_800]);
	await box.running.run();
	await box.settle();
	t.true(await isFromRollups(box, edges));
	t.deepEqual(await counts(box, edges), [4_800]);
});

test('an hour is summed up when it has been over and quiet for some minutes', async (t) => {
	const box = await rollupBox();
	const now = box.manual.clock.now();
	box.history.accept(hourFrom(now - HOUR_MS));
	const edges = [now - HOUR_MS, now];
	await box.history.seal(box.rollups.watcher);
	await box.running.run();
	t.false(await isFromRollups(box, edges));
	box.manual.clock.advance(4 * 60_000);
	await box.running.run();
	t.false(await isFromRollups(box, edges));
	// Still written to: it is waited for.
	await box.rollups.watcher.touching([{ device: DEVICE, hour: epochMs(now - HOUR_MS) }]);
	box.manual.clock.advance(HOUR_MS);
	await box.running.run();
	t.false(await isFromRollups(box, edges));
	box.rollups.watcher.touched([{ device: DEVICE, hour: epochMs(now - HOUR_MS) }]);
	box.manual.clock.advance(3 * 60_000);
	await box.running.run();
	t.true(await isFromRollups(box, edges));
});

test('samples that come while their hour is being summed up are not lost to it', async (t) => {
	const history = memoryHistory();
	const box = await rollupBox({ history });
	await box.running.run();
	const range = history.range.bind(history);
	let isLate = true;
	Object.assign(history, {
		range: async (query: HistoryQuery) => {
			const found = await range(query);
			if (isLate) {
				isLate = false;
				history.accept(hourFrom(DAY + 1_000, 50));
				await history.seal(box.rollups.watcher);
			}
			return found;
		},
	});
	history.accept(hourFrom(DAY));
	await box.settle();
	t.deepEqual(await counts(box, [DAY, DAY + HOUR_MS]), [1_250]);
	await box.settle();
	t.deepEqual(await counts(box, [DAY, DAY + HOUR_MS]), [1_250]);
	t.true(await isFromRollups(box, [DAY, DAY + HOUR_MS]));
});

test('whenever the power goes, no sum is wrong: an hour is its samples or their sum', async (t) => {
	const anyStep = fc.constantFrom('accept', 'seal', 'sum', 'cut');
	await fc.assert(
		fc.asyncProperty(
			fc.array(anyStep, { minLength: 3, maxLength: 14 }),
			fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }),
			fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
			async (steps, hours, dice) => {
				const manual = createManualTimer();
				let box = await rollupBox({ manual });
				let next = 0;
				const random = () => dice.next().value;
				const edges = Array.from({ length: 7 }, (_, index) => DAY + index * HOUR_MS);
				for (const step of steps) {
					if (step === 'accept') {
						const hour = hours[next % hours.length] ?? 0;
						box.history.accept(hourFrom(DAY + hour * HOUR_MS, 30));
						next += 1;
					} else if (step === 'seal') await box.history.seal(box.rollups.watcher);
					else if (step === 'sum') await box.settle();
					else {
						const { files, history } = box;
						// Cut in the middle of whatever it is doing.
						const working = box.settle().catch(() => undefined);
						for (let turn = Math.floor(random() * 60); turn > 0; turn -= 1) await Promise.resolve();
						files.cut(random);
						await working;
						box = await rollupBox({ files, history, manual });
					}
					const expected = edges.slice(1).map((to) => {
						const found = box.history.readings.filter(({ readAt }) => readAt >= to - HOUR_MS && readAt < to);
						return found.length === 0 ? undefined : found.length;
					});
					t.deepEqual(await counts(box, edges), expected);
				}
			},
		),
		{ numRuns: 60 },
	);
});

test('a damaged file is said, its time is read from samples again and summed up anew', async (t) => {
	const { events, log } = recorder();
	const box = await rollupBox({ log });
	for (let hour = 0; hour < 5; hour += 1) box.history.accept(hourFrom(DAY + hour * HOUR_MS));
	await box.settle();
	const edges = [DAY, DAY + DAY_MS];
	t.true(await isFromRollups(box, edges));
	await box.running.stop();
	await box.rollups.stop();
	for (const name of ['hour-2025-12.rollups', 'day-2025.rollups']) {
		const content = box.files.content(`/rollups/${name}`);
		content.writeUInt8(content.readUInt8(30) ^ 0xff, 30);
	}
	const again = await rollupBox({ files: box.files, history: box.history, manual: box.manual, log });
	again.history.accept(hourFrom(DAY + 6 * HOUR_MS));
	t.deepEqual(await counts(again, edges), [7_200]);
	await again.settle();
	await again.running.run();
	await again.settle();
	t.deepEqual(await counts(again, edges), [7_200]);
	t.true(await isFromRollups(again, edges));
	t.true(events.includes('rollups-damaged'));
});

test('a file that is missing or wiped is missed, and what it held is summed up anew', async (t) => {
	const faults: Readonly<Record<string, (box: Box, path: string) => Promise<void>>> = {
		missing: (box, path) => box.files.remove(path),
		wiped: async (box, path) => void box.files.content(path).fill(0),
		empty: async (box, path) => (await box.files.open(path)).truncate(0),
	};
	const names = [
		'hour-2025-12.rollups',
		'day-2025.rollups',
		'month-2025.rollups',
		'dirty.log',
		'files.json',
		'unknown-hours.json',
	];
	for (const [fault, damage] of Object.entries(faults))
		for (const name of names) {
			const box = await rollupBox();
			box.history.accept(hourFrom(DAY));
			await box.settle();
			await box.running.stop();
			await box.rollups.stop();
			await damage(box, `/rollups/${name}`);
			const again = await rollupBox({ files: box.files, history: box.history, manual: box.manual });
			const spans = [
				[DAY, DAY + HOUR_MS],
				[DAY, DAY + DAY_MS],
				[Date.UTC(2025, 11), Date.UTC(2026, 0)],
			];
			for (const edges of spans) t.deepEqual(await counts(again, edges), [1_200], `${name} ${fault}`);
			await again.running.run();
			await again.settle();
			for (const edges of spans) t.deepEqual(await counts(again, edges), [1_200], `${name} ${fault}, later`);
			t.true(await isFromRollups(again, [DAY, DAY + DAY_MS]), `${name} ${fault}`);
		}
});

test('sums stay when their samples are dropped, and late samples of a dropped hour do not take their place', async (t) => {
	const { events, log } = recorder();
	const box = await rollupBox({ log });
	box.history.accept(hourFrom(DAY));
	await box.settle();
	box.history.drop(DAY + DAY_MS);
	box.history.accept(hourFrom(DAY, 10));
	await box.settle();
	t.deepEqual(await counts(box, [DAY, DAY + HOUR_MS]), [1_200]);
	t.true(events.includes('rollups-not-renewed'));
});

test('what waits of a day is summed up before its samples are dropped', async (t) => {
	const box = await rollupBox();
	box.history.accept(hourFrom(DAY));
	await box.history.seal(box.rollups.watcher);
	t.true(await box.rollups.watcher.dropping?.(epochMs(DAY), NOTHING));
	box.history.drop(DAY + DAY_MS);
	box.state.rawFrom = DAY + DAY_MS;
	t.deepEqual(await counts(box, [DAY, DAY + DAY_MS]), [1_200]);
});

test('a day whose sums cannot be written has to stay, and goes when they are', async (t) => {
	const { events, log } = recorder();
	const box = await rollupBox({ log });
	box.history.accept(hourFrom(DAY));
	await box.history.seal(box.rollups.watcher);
	box.files.fail('ENOSPC');
	t.false(await box.rollups.watcher.dropping?.(epochMs(DAY), NOTHING));
	t.true(events.includes('rollups-not-settled'));
	t.true(await box.rollups.watcher.dropping?.(epochMs(DAY - DAY_MS), NOTHING), 'of another day nothing waits');
	box.files.fail(null);
	t.true(await box.rollups.watcher.dropping?.(epochMs(DAY), NOTHING));
	box.history.drop(DAY + DAY_MS);
	box.state.rawFrom = DAY + DAY_MS;
	t.deepEqual(await counts(box, [DAY, DAY + DAY_MS]), [1_200]);
});

test('while a box starts, a day stays that waits to be summed up', async (t) => {
	const box = await rollupBox();
	box.history.accept(hourFrom(DAY));
	await box.history.seal(box.rollups.watcher);
	await box.running.stop();
	await box.rollups.stop();
	const { files, manual } = box;
	const { clock, setTimer } = manual;
	const folder = { files, folder: '/rollups', rollupDays: 3_650, minuteDays: 400, clock, log: silentLog, setTimer };
	const starting = await openRollups(folder);
	t.false(await starting.watcher.dropping?.(epochMs(DAY), NOTHING));
	t.true(await starting.watcher.dropping?.(epochMs(DAY - DAY_MS), NOTHING));
	await starting.stop();
});

test('retention drops files whole, each level by its own age', async (t) => {
	const box = await rollupBox({ minuteDays: 5, rollupDays: 60 });
	const old = DAY - 90 * DAY_MS;
	box.history.accept(hourFrom(old));
	box.history.accept(hourFrom(DAY));
	await box.settle();
	const names = (): readonly string[] => box.files.names().filter((name) => name.endsWith('.rollups'));
	box.history.accept(hourFrom(box.manual.clock.now() - 2 * HOUR_MS));
	await box.settle();
	await box.running.run();
	t.deepEqual(names(), ['day-2025.rollups', 'hour-2025-12.rollups', 'minute-2025-12-31.rollups', 'month-2025.rollups']);
});

test('for their space minutes go first, then hours but for counters; counters keep every hour, the rest its days', async (t) => {
	const box = await rollupBox();
	box.history.accept(hourFrom(DAY));
	box.history.accept(hourFrom(DAY + HOUR_MS));
	await box.settle();
	const [minutes, hours] = box.rollups.overflow;
	t.true((minutes?.bytes() ?? 0) > 0);
	t.like(await minutes?.dropOldest(), { day: DAY, reason: 'thinned', samples: null });
	t.is(minutes?.bytes(), 0);
	t.is(await minutes?.dropOldest(), null);
	const before = box.rollups.bytes();
	const dropped = await hours?.dropOldest();
	t.is(dropped?.bytes, before - box.rollups.bytes());
	t.true((dropped?.bytes ?? 0) > 0);
	t.is(await hours?.dropOldest(), null);
	box.history.drop(DAY + DAY_MS);
	box.state.rawFrom = DAY + DAY_MS;
	const edges = [DAY, DAY + HOUR_MS, DAY + 2 * HOUR_MS];
	t.deepEqual(await counts(box, edges, 'energy'), [1_200, 1_200]);
	t.deepEqual(await counts(box, [DAY, DAY + DAY_MS], 'power'), [2_400]);
	// Its day counts whole, with its first hour.
	t.deepEqual(await counts(box, edges, 'power'), [2_400, undefined]);
	await box.running.stop();
	await box.rollups.stop();
	const again = await rollupBox({ files: box.files, history: box.history, manual: box.manual });
	again.state.rawFrom = DAY + DAY_MS;
	t.deepEqual(await counts(again, edges, 'energy'), [1_200, 1_200]);
});

test('files stay about as large as what counts in them, however often hours are summed up anew', async (t) => {
	const box = await rollupBox();
	const points = Array.from({ length: 40 }, (_, index) => `point_${index}`);
	const sizes: number[] = [];
	for (let round = 0; round < 60; round += 1) {
		box.history.accept(hourFrom(DAY + (round % 24) * HOUR_MS + round, 120, points));
		await box.settle();
		sizes.push(box.rollups.bytes());
	}
	t.true(Math.max(...sizes) < 3_000_000, String(Math.max(...sizes)));
});

test('counters keep every hour and day, however far beyond the quota samples and sums are given up, and however old they get', async (t) => {
	const box = await rollupBox({ rollupDays: 30, minuteDays: 5 });
	const old = DAY - 90 * DAY_MS;
	for (const day of [old, old + DAY_MS, DAY])
		for (const hour of [3, 4]) box.history.accept(hourFrom(day + hour * HOUR_MS));
	await box.settle();
	for (const step of box.rollups.overflow) while ((await step.dropOldest()) !== null);
	box.history.accept(hourFrom(box.manual.clock.now() - 2 * HOUR_MS));
	await box.settle();
	await box.running.run();
	box.history.drop(DAY + DAY_MS);
	box.state.rawFrom = DAY + DAY_MS;
	for (const day of [old, old + DAY_MS, DAY]) {
		const edges = [day + 3 * HOUR_MS, day + 4 * HOUR_MS, day + 5 * HOUR_MS];
		t.deepEqual(await counts(box, edges, 'energy'), [1_200, 1_200]);
		t.deepEqual(await counts(box, [day, day + DAY_MS], 'energy'), [2_400]);
	}
	for (const step of box.rollups.overflow) t.is(await step.dropOldest(), null);
});

/** The hour of one box as another one receives it. */
async function received(from: Box, hourMs: number) {
	const kept = await from.rollups.hourOf(deviceOf(1), hourMs);
	return kept === null ? [] : parseRollups(rollupsMessage([rollupHour(kept)]));
}

test('of an hour the fuller sums win, whoever has made them, and nothing is added up', async (t) => {
	const gateway = await rollupBox();
	gateway.history.accept(hourFrom(DAY));
	await gateway.settle();
	const hours = await received(gateway, DAY);
	t.is(hours.length, 1);

	const hub = await rollupBox();
	t.is(await hub.running.receive(hours), 1);
	t.is(await hub.running.receive(hours), 0, 'twice changes nothing');
	const spans = [
		[DAY, DAY + HOUR_MS],
		[DAY, DAY + DAY_MS],
		[Date.UTC(2025, 11), Date.UTC(2026, 0)],
	];
	for (const edges of spans) t.deepEqual(await counts(hub, edges), [1_200]);
	t.deepEqual(await counts(hub, [DAY, DAY + 60_000]), await counts(gateway, [DAY, DAY + 60_000]), 'a minute of it');

	hub.history.accept(hourFrom(DAY, 10));
	t.deepEqual(await counts(hub, [DAY, DAY + HOUR_MS]), [1_200], 'fewer samples of it have arrived');
	await hub.settle();
	for (const edges of spans) t.deepEqual(await counts(hub, edges), [1_200]);

	const fuller = await rollupBox();
	fuller.history.accept(hourFrom(DAY));
	fuller.history.accept(hourFrom(DAY + 1, 10));
	await fuller.settle();
	t.is(await fuller.running.receive(hours), 0);
	t.deepEqual(await counts(fuller, [DAY, DAY + HOUR_MS]), [1_210]);

	await hub.running.stop();
	await hub.rollups.stop();
	const again = await rollupBox({ files: hub.files, history: hub.history, manual: hub.manual });
	t.deepEqual(await counts(again, [DAY, DAY + HOUR_MS]), [1_200], 'after a restart');
});

test('when all samples of a received hour arrive after all, they take its place', async (t) => {
	const gateway = await rollupBox();
	gateway.history.accept(hourFrom(DAY));
	await gateway.settle();
	const hub = await rollupBox();
	await hub.running.receive(await received(gateway, DAY));
	hub.history.accept(hourFrom(DAY));
	hub.history.accept(hourFrom(DAY + 1, 10));
	await hub.settle();
	t.deepEqual(await counts(hub, [DAY, DAY + HOUR_MS]), [1_210]);
});

test('what is no rollup of one hour is refused by name', (t) => {
	for (const message of ['{}', '{"hours":[{"hour":"AAAA","minutes":null}]}', 'x'])
		t.throws(() => parseRollups(Buffer.from(message)), { instanceOf: Fault, message: /^rollups: / });
});
