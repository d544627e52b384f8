import { readFile } from 'node:fs/promises';

import type { FileJournal } from '../../core/journal/file-journal.ts';
import type { JournalPosition } from '../../core/journal/journal.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import { createLedger, type Ledger, type LedgerSnapshot } from './ledger.ts';

interface SavedLedger extends LedgerSnapshot {
	/** Commits before this position are in the snapshot; later ones are found in the journal. */
	readonly through: JournalPosition;
}

const SAVE_INTERVAL_MS = 30_000;

function isSaved(value: unknown): value is SavedLedger {
	return (
		typeof value === 'object' &&
		value !== null &&
		'gateways' in value &&
		'through' in value &&
		Array.isArray(value.gateways)
	);
}

async function readSaved(path: string, log: Logger): Promise<SavedLedger | null> {
	try {
		const value: unknown = JSON.parse(await readFile(path, 'utf8'));
		if (isSaved(value)) return value;
		log.error('ledger-damaged', { path, reason: 'not a ledger' });
	} catch (error) {
		const isNew = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		if (!isNew) log.error('ledger-damaged', { path, reason: messageOf(error) });
	}
	return null;
}

/**
 * The ledger as it stands on disk: a snapshot, and the journal's commits after it. The journal keeps what the snapshot lacks, so
 * that the two together always say exactly what is stored here.
 */
export async function openLedger({
	path,
	journal,
	log,
}: {
	readonly path: string;
	readonly journal: Pick<FileJournal, 'listen' | 'read' | 'oldest' | 'end' | 'hold'>;
	readonly log: Logger;
}): Promise<{
	readonly ledger: Ledger;
	/** Writes down a declared loss before it is acknowledged. */
	save(): Promise<void>;
	stop: Stoppable['stop'];
}> {
	const ledger = createLedger();
	const saved = await readSaved(path, log);
	if (saved !== null) ledger.restore(saved);

	function note(readings: readonly Reading[]): void {
		for (const reading of readings) {
			const { origin, epoch, firstSeq: first } = reading;
			if (reading.values.length > 0) ledger.commit({ origin, epoch, first, last: lastSeq(reading) });
		}
	}

	// Heard in the turn in which the journal's end moves, so that a snapshot has exactly the commits before it.
	journal.listen({ committed: ({ readings }) => note(readings), closed: () => undefined });
	for await (const { readings } of journal.read(saved?.through ?? journal.oldest())) note(readings);

	let writing: Promise<void> = Promise.resolve();

	async function write(): Promise<void> {
		const through = journal.end();
		const snapshot: SavedLedger = { ...ledger.snapshot(), through };
		await writeFileDurably(path, JSON.stringify(snapshot));
		journal.hold('ledger', through);
	}

	const save = (): Promise<void> => (writing = writing.catch(() => undefined).then(write));
	await save();
	const timer = setInterval(() => {
		save().catch((error: unknown) => log.error('ledger-not-saved', { path, reason: messageOf(error) }));
	}, SAVE_INTERVAL_MS);
	timer.unref();

	return {
		ledger,
		save,
		async stop() {
			clearInterval(timer);
			await save();
		},
	};
}
