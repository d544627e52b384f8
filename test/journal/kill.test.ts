import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { openJournal } from '../../core/journal/file-journal.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { sequenceOf } from '../fake/sample-readings.ts';

test('a process that is killed while it writes has lost nothing that it acknowledged', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'journal-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const program = new URL('../fake/journal-writer.js', import.meta.url);
	let epoch = 0;
	for (let round = 0; round < 2; round += 1) {
		const writer = fork(program, [folder], { execArgv: [] });
		const acknowledged: number[] = [];
		writer.on('message', (seq) => {
			acknowledged.push(Number(seq));
			if (acknowledged.length === 300) writer.kill('SIGKILL');
		});
		await once(writer, 'exit');
		const journal = await openJournal({ folder, clock: systemClock, log: silentLog, segmentBytes: 16 * 1024 });
		t.true(journal.epoch > epoch + 1);
		({ epoch } = journal);
		const found = await sequenceOf(journal);
		t.true(acknowledged.length >= 300);
		t.deepEqual(
			acknowledged.filter((seq) => !found.includes(seq)),
			[],
		);
		await journal.stop();
	}
});
