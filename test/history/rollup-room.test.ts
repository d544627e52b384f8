import test from 'ava';

import { openRollups } from '../../core/history/rollups.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { rollupBox } from '../fake/rollup-box.ts';
import { counts, DAY, DAY_MS, HOUR_MS, hourFrom, NOTHING, recorder } from './rollup-hours.ts';

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
