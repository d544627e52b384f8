import test from 'ava';
import fc from 'fast-check';

import { openJournal } from '../../core/journal/file-journal.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';
import { readingOf } from '../fake/sample-readings.ts';

const step = fc.record({
	appends: fc.integer({ min: 1, max: 6 }),
	/** Turns of the event loop before the power goes, if it goes in this step. */
	cutAfterTurns: fc.option(fc.nat({ max: 12 }), { freq: 3 }),
	seed: fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 8, maxLength: 8 }),
	holds: fc.boolean(),
});

test('after any power cut the journal opens, has all that was acknowledged, and nothing that was never appended', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
			const files = createPowerCutFiles();
			const timer = createManualTimer();
			const open = () =>
				openJournal({
					folder: '/journal',
					clock: timer.clock,
					log: silentLog,
					files,
					setTimer: timer.setTimer,
					segmentBytes: 5632,
					maxBytes: 2 ** 30,
				});
			let journal = await open();
			const epochs = [journal.epoch];
			const acknowledged = new Set<number>();
			let next = 1;

			const check = async (): Promise<void> => {
				const found: number[] = [];
				for await (const { readings } of journal.read(journal.oldest())) {
					for (const reading of readings) {
						t.deepEqual(reading, readingOf(reading.firstSeq, { epoch: reading.epoch }));
						found.push(reading.firstSeq);
					}
				}
				for (const seq of acknowledged) t.true(found.includes(seq), `acknowledged ${seq} is gone`);
				t.is(new Set(found).size, found.length);
				t.true(found.every((seq) => seq < next));
				t.deepEqual(
					found,
					found.toSorted((one, other) => one - other),
				);
			};

			for (const { appends, cutAfterTurns, seed } of steps) {
				for (let left = appends; left > 0; left -= 1) {
					const seq = next;
					next += 8;
					journal.append([readingOf(seq, { epoch: journal.epoch })], 'prompt').then(
						() => acknowledged.add(seq),
						() => undefined,
					);
					if (left % 2 === 0) timer.advance(20);
				}
				timer.advance(20);
				for (let turn = cutAfterTurns ?? 40; turn > 0; turn -= 1) await Promise.resolve();
				if (cutAfterTurns === null) continue;
				let draw = 0;
				files.cut(() => seed[draw++ % seed.length] ?? 0);
				const before = new Set(acknowledged);
				// What is acknowledged by writes that end after the cut is no acknowledgement.
				await new Promise((resolve) => setImmediate(resolve));
				acknowledged.clear();
				for (const seq of before) acknowledged.add(seq);
				journal = await open();
				t.true(journal.epoch > Math.max(...epochs));
				epochs.push(journal.epoch);
				await check();
			}
			await journal.stop();
			await check();
		}),
		{ numRuns: 120 },
	);
});
