import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { encodeBlock } from '../../core/journal/block-codec.ts';
import { openJournal } from '../../core/journal/file-journal.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';
import { randomOf } from '../fake/random-of.ts';
import { readingOf, sequenceOf } from '../fake/sample-readings.ts';

interface Scene {
	readonly flushIntervalMs: number;
	readonly flushBytes: number;
	/** From one reading to the next. */
	readonly periodMs: number;
	readonly cutAtMs: number;
	readonly random: () => number;
}

interface Taken {
	readonly reading: Reading;
	readonly atMs: number;
}

/** Nobody waits for these readings; the power goes; answers those that are gone. */
async function lostIn({ flushIntervalMs, flushBytes, periodMs, cutAtMs, random }: Scene): Promise<readonly Taken[]> {
	const files = createPowerCutFiles();
	const timer = createManualTimer();
	const open = () =>
		openJournal({
			folder: '/journal',
			clock: timer.clock,
			log: silentLog,
			files,
			setTimer: timer.setTimer,
			segmentBytes: 65_536,
			flushIntervalMs,
			flushBytes,
			minFlushGapMs: 20,
		});
	const journal = await open();
	const taken: Taken[] = [];
	for (let atMs = 0; atMs < cutAtMs; atMs += periodMs) {
		const reading = readingOf(1 + taken.length * 8, { epoch: journal.epoch });
		taken.push({ reading, atMs });
		journal.append([reading], 'group').catch(() => undefined);
		timer.advance(Math.min(periodMs, cutAtMs - atMs));
		await turn();
	}
	files.cut(random);
	const found = new Set(await sequenceOf(await open()));
	return taken.filter(({ reading }) => !found.has(reading.firstSeq));
}

for (const flushIntervalMs of [1_000, 200])
	test(`a power cut costs at most the readings of flush_interval_ms, which is ${flushIntervalMs}`, async (t) => {
		const random = randomOf(flushIntervalMs);
		let longestMs = 0;
		for (let cut = 0; cut < 40; cut += 1) {
			const cutAtMs = Math.floor(flushIntervalMs * (2 + 3 * random()));
			const lost = await lostIn({ flushIntervalMs, flushBytes: 65_536, periodMs: 10, cutAtMs, random });
			longestMs = Math.max(longestMs, ...lost.map(({ atMs }) => cutAtMs - atMs));
		}
		t.log(`${longestMs} ms at most`);
		t.true(longestMs <= flushIntervalMs);
		t.true(longestMs >= flushIntervalMs * 0.8, 'the bound is not one that nothing comes near');
	});

for (const flushBytes of [4_096, 16_384])
	test(`a power cut costs at most about flush_bytes, which is ${flushBytes}, however slow the clock`, async (t) => {
		const random = randomOf(flushBytes);
		let most = 0;
		for (let cut = 0; cut < 12; cut += 1) {
			const cutAtMs = Math.floor((flushBytes / 40) * (3 + random()));
			const lost = await lostIn({ flushIntervalMs: 60_000, flushBytes, periodMs: 1, cutAtMs, random });
			most = Math.max(most, encodeBlock(lost.map(({ reading }) => reading)).length);
		}
		t.log(`${most} bytes at most`);
		t.true(most <= flushBytes * 1.25);
		t.true(most >= flushBytes * 0.5, 'the bound is not one that nothing comes near');
	});
