import test from 'ava';
import fc from 'fast-check';

import { epochMs } from '../../core/kernel/clock.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { memoryHistory } from '../fake/memory-history.ts';
import { rollupBox } from '../fake/rollup-box.ts';
import { type Box, counts, DAY, DAY_MS, DEVICE, HOUR_MS, hourFrom, isFromRollups, recorder } from './rollup-hours.ts';

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
