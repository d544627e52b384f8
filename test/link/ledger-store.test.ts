import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { openLedger } from '../../core/ledger/ledger-store.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { journalBench } from '../fake/journal-bench.ts';
import { ORIGIN, readingOf } from '../fake/sample-readings.ts';

const COUNT = 300;
const textOf = (seq: number): string => Array.from({ length: 60 }, (_, index) => Math.sin(seq * 61 + index)).join('');

/** Readings that need several segments when they are appended together. */
const readings = Array.from({ length: COUNT }, (_, index) =>
	readingOf(index + 1, { points: ['text'], values: [textOf(index)] }),
);

test('a snapshot and the journal after it are together what is stored, at whatever moment it was taken', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'ledger-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const path = join(folder, 'ledger');
	const { timer, open } = journalBench();
	const journal = await open();
	const taken = await openLedger({ folder: path, journal, log: silentLog });
	const saves: Promise<void>[] = [];
	// While one append goes over several segments: its first commits are durable, and it has not resolved.
	journal.listen({ committed: () => void saves.push(taken.compact()), closed: () => undefined });
	const append = journal.append(readings, 'prompt');
	timer.advance(20);
	await Promise.race([
		append,
		new Promise((resolve) => journal.listen({ committed: resolve, closed: () => undefined })),
	]);
	await saves[0];
	const again = await openLedger({ folder: path, journal, log: silentLog });
	await append;
	const late = await openLedger({ folder: path, journal, log: silentLog });
	for (const { ledger } of [taken, again, late]) t.is(ledger.completeness(ORIGIN).receivedSamples, COUNT);
	t.true(journal.end().segment > 2);
	for (const file of [taken, again, late]) await file.stop();
	await journal.stop();
});
