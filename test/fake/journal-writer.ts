import { systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openJournal } from '../../core/journal/file-journal.ts';
import { readingOf } from './sample-readings.ts';

/** A program that appends until it is killed, and reports each acknowledged sequence number on its channel. */
const [, , folder] = process.argv;
if (folder === undefined || process.send === undefined) throw new Error('usage: fork journal-writer with a folder');
const report = process.send.bind(process);
const journal = await openJournal({ folder, clock: systemClock, log: silentLog, promptMs: 1, segmentBytes: 16 * 1024 });
for (let seq = 1; ; seq += 8) {
	await journal.append([readingOf(seq, { epoch: journal.epoch })], 'prompt');
	report(seq);
}
