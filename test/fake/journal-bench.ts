import { type FileJournalOptions, openJournal } from '../../core/journal/file-journal.ts';
import type { JournalLoss } from '../../core/journal/journal.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import { createManualTimer } from './manual-timer.ts';
import { createPowerCutFiles, type PowerCutFiles } from './power-cut-files.ts';
import { readingOf } from './sample-readings.ts';

/** Room for about 35 commits of one reading. */
export const SEGMENT_BYTES = 7680;
export const FOLDER = '/journal';
export const segmentPath = (number: number): string => `${FOLDER}/${String(number).padStart(8, '0')}.segment`;

/** A journal over files in memory and a clock that is moved by hand. */
export function journalBench(files: PowerCutFiles = createPowerCutFiles()) {
	const timer = createManualTimer();
	const lost: { readonly loss: JournalLoss; readonly ranges: readonly StreamRange[] }[] = [];
	const open = (more: Partial<FileJournalOptions> = {}) =>
		openJournal({
			folder: FOLDER,
			clock: timer.clock,
			log: silentLog,
			files,
			setTimer: timer.setTimer,
			segmentBytes: SEGMENT_BYTES,
			onLoss: (loss, ranges) => void lost.push({ loss, ranges }),
			...more,
		});
	/** Appends readings one commit at a time, so that segments fill in a known way. */
	async function fill(journal: Awaited<ReturnType<typeof open>>, count: number, from = 1): Promise<void> {
		for (let index = 0; index < count; index += 1) {
			const done = journal.append([readingOf(from + index * 8, { epoch: journal.epoch })], 'prompt');
			timer.advance(20);
			await done;
		}
	}
	return { files, timer, lost, open, fill };
}

/** The sequence numbers of `count` readings of 8 samples that follow each other. */
export const everyEighth = (count: number, from = 1): readonly number[] =>
	Array.from({ length: count }, (_, index) => from + index * 8);
