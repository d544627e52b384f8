import test from 'ava';

import { END_MS } from '../../core/history/rollup-level.ts';
import { openRollups } from '../../core/history/rollups.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { historyBench } from '../fake/history-bench.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';
import { deviceOf, readingOf, START_MS } from '../fake/sample-readings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEVICE = deviceOf(1);

let seq = 1;
const hourFrom = (at: number, count: number): readonly Reading[] =>
	Array.from({ length: count }, (_, index) => {
		const reading = readingOf(seq, { readAt: epochMs(at + index * 2_000) });
		seq += reading.values.length;
		return reading;
	});

/** The real journal and history, and rollups over them, on one disk. */
async function box(files = createPowerCutFiles()) {
	const bench = historyBench(files);
	bench.clock.jumpTo(START_MS + DAY_MS);
	const rollups = await openRollups({
		files,
		folder: '/rollups',
		rollupDays: 3_650,
		minuteDays: 400,
		clock: bench.clock,
		log: silentLog,
		setTimer: () => () => undefined,
	});
	const { journal, history } = await bench.open({ watchers: [rollups.watcher] });
	const running = rollups.begin({
		history,
		unsealedHours: (device) => history.unsealedHours(device),
		rawFrom: () => history.stats().oldestDay ?? epochMs(END_MS),
		ruleOf: () => null,
		devices: () => [DEVICE],
	});
	await running.run();
	return {
		files,
		journal,
		history,
		async count(from = START_MS, to = START_MS + DAY_MS): Promise<number> {
			const { buckets } = await running.aggregate({
				device: DEVICE,
				points: new Set(['point_3']),
				edges: [from, to],
				isWanted: () => true,
			});
			return buckets[0]?.get('point_3')?.numbers?.count ?? 0;
		},
		async sumUp(): Promise<void> {
			bench.clock.advance(10 * 60_000);
			await running.run();
		},
		async stop(): Promise<void> {
			await running.stop();
			await history.stop();
			await journal.stop();
			await rollups.stop();
		},
	};
}

test('every sample counts once, from the journal to the rollups, late ones and a restart included', async (t) => {
	let at = await box();
	await at.journal.append(hourFrom(START_MS, 1_000), 'prompt');
	t.is(await at.count(), 1_000, 'in the journal');
	await at.history.sealNow();
	t.is(await at.count(), 1_000, 'sealed');
	await at.sumUp();
	t.is(await at.count(), 1_000, 'summed up');
	await at.journal.append(hourFrom(START_MS + HOUR_MS / 2, 100), 'prompt');
	t.is(await at.count(), 1_100, 'late, in the journal');
	await at.sumUp();
	t.is(await at.count(), 1_100, 'late, and the hour is not summed up before it is sealed');
	await at.stop();
	at = await box(at.files);
	t.is(await at.count(), 1_100, 'after a restart, in the journal');
	await at.history.sealNow();
	t.is(await at.count(), 1_100, 'late, sealed');
	await at.sumUp();
	t.is(await at.count(), 1_100, 'late, summed up');
	t.is(await at.count(START_MS + 60_000, START_MS + 2 * 60_000), 30, 'a minute of it');
	await at.stop();
});
