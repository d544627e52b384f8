import { join } from 'node:path';

import type { FileJournal } from '../journal/file-journal.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import type { JournalPosition } from '../journal/journal.ts';
import { nodeFileLayer } from '../journal/node-file-layer.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { Reading } from '../telemetry/reading.ts';
import { createLedgerLog, ledgerLogName, ledgerLogNumbers } from './ledger-log.ts';
import { noteReadings } from './note-readings.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { applyRecord, epochRecord, type LedgerRecord, toLedgerRecord } from './ledger-schema.ts';
import { readRecordLines, recordLine } from './record-lines.ts';

const SNAPSHOT = 'snapshot';
const SNAPSHOT_INTERVAL_MS = 60_000;
/** A log of more bytes is taken into a snapshot early. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** A snapshot is written in parts of about so many characters, so that nothing else waits for it. */
const PART_CHARACTERS = 256 * 1024;

export interface LedgerStoreDeps {
	/** Folder of its own. */
	readonly folder: string;
	readonly journal: Pick<FileJournal, 'listen' | 'read' | 'oldest' | 'end' | 'hold'>;
	readonly log: Logger;
	readonly files?: FileLayer;
	/** The journal keeps for the ledger what its snapshot lacks. Without, commits of a minute may be unknown after a crash. Default true. */
	readonly holdsJournal?: boolean;
	/** Tells of everything that the sealed history holds; asked when the snapshot is lost or damaged. */
	readonly sealed?: (note: (readings: readonly Reading[]) => void) => Promise<void>;
}

/** The ledger with its place on the disk. */
export interface LedgerStore extends Stoppable {
	readonly ledger: Ledger;
	/** What was declared until now is on disk when this resolves. */
	save(): Promise<void>;
	/** Takes everything into a new snapshot. */
	compact(): Promise<void>;
}

interface Restored {
	readonly through: JournalPosition | null;
	readonly log: number;
	readonly isWhole: boolean;
}

/**
 * The ledger as it stands on disk: a snapshot, the changes since then in a log that is only added to, and the journal's commits after it. The journal
 * keeps what the snapshot lacks, so that together they always say exactly what is stored here. What is damaged costs its own line; what the
 * journal and the sealed history hold is found there.
 */
export async function openLedger(deps: LedgerStoreDeps): Promise<LedgerStore> {
	const { folder, journal, log, files = nodeFileLayer, holdsJournal = true } = deps;
	const ledger = createLedger();
	const found = await files.list(folder);
	const names = new Set(found.map(({ name }) => name));

	function apply(entry: LedgerRecord): void {
		try {
			applyRecord(ledger, entry);
		} catch (error) {
			log.warn('ledger-record-refused', { folder, reason: messageOf(error) });
		}
	}

	async function recordsOf(
		name: string,
	): Promise<{ readonly entries: readonly LedgerRecord[]; readonly damaged: number }> {
		const text = names.has(name) ? await files.readText(join(folder, name)) : '';
		if (text === null) return { entries: [], damaged: 1 };
		const { records, damagedLines } = readRecordLines(text);
		const entries = records.flatMap((value) => toLedgerRecord(value) ?? []);
		return { entries, damaged: damagedLines + records.length - entries.length };
	}

	async function restoreSnapshot(): Promise<Restored> {
		const { entries, damaged } = await recordsOf(SNAPSHOT);
		let head: Extract<LedgerRecord, { kind: 'snapshot' }> | null = null;
		let lines = -1;
		for (const entry of entries) {
			if (entry.kind === 'snapshot') head = entry;
			else if (entry.kind === 'end') ({ lines } = entry);
			else apply(entry);
		}
		const isWhole = head !== null && damaged === 0 && lines === entries.length;
		return { through: head?.through ?? null, log: head?.log ?? 0, isWhole };
	}

	const note = (readings: readonly Reading[]): void => noteReadings(ledger, readings);

	async function restoreLogs(logs: readonly number[]): Promise<void> {
		for (const number of logs) {
			const { entries, damaged } = await recordsOf(ledgerLogName(number));
			// The last line of a log may be torn; nobody was told that it is written down.
			if (damaged > 1) log.error('ledger-damaged', { folder, log: number, lines: damaged });
			for (const entry of entries) apply(entry);
		}
	}

	/** From the sealed history and from all of the journal, because there is no snapshot that can be trusted. */
	async function rebuild(): Promise<void> {
		if (names.size > 0) log.error('ledger-damaged', { folder, reason: 'its snapshot is not whole' });
		await deps.sealed?.(note);
		for await (const { readings } of journal.read(journal.oldest())) note(readings);
		const samples = ledger.origins().reduce((sum, origin) => sum + ledger.completeness(origin).receivedSamples, 0);
		// Nothing is stored where nothing was lost.
		if (samples > 0) log.warn('ledger-rebuilt', { folder, samples, from: 'journal and history' });
	}

	/** Answers the number of the next log. */
	async function restore(): Promise<number> {
		const { isWhole, through, log: first } = await restoreSnapshot();
		const logs = ledgerLogNumbers(names);
		await restoreLogs(logs.filter((one) => one >= first));
		if (!isWhole || through === null) await rebuild();
		else for await (const { readings } of journal.read(through)) note(readings);
		return Math.max(first, ...logs, 0) + 1;
	}

	// Heard in the turn in which the journal's end moves, so that a snapshot has every commit before it.
	journal.listen({ committed: ({ readings }) => note(readings), closed: () => undefined });
	const changes = createLedgerLog({ files, folder, first: await restore() });
	ledger.onChange((change) => changes.add(change));

	async function* snapshotParts(head: LedgerRecord): AsyncGenerator<string> {
		let part = recordLine(head);
		let lines = 1;
		for (const origin of ledger.origins()) {
			const boot: LedgerRecord = { kind: 'boot', origin, epoch: ledger.bootOf(origin) };
			for (const entry of [boot, ...ledger.epochsOf(origin).map(([epoch, held]) => epochRecord(origin, epoch, held))]) {
				part += recordLine(entry);
				lines += 1;
				if (part.length < PART_CHARACTERS) continue;
				yield part;
				part = '';
			}
		}
		yield part + recordLine({ kind: 'end', lines: lines + 1 });
	}

	async function write(): Promise<void> {
		// What comes in while it is written is in the snapshot, or in the new log, or in both: all of it can be said twice.
		const through = journal.end();
		const number = await changes.turn();
		const path = join(folder, `${SNAPSHOT}.new`);
		const file = await files.create(path);
		try {
			let position = 0;
			for await (const part of snapshotParts({ kind: 'snapshot', through, log: number })) {
				const bytes = Buffer.from(part);
				await file.write(position, bytes);
				position += bytes.length;
			}
			await file.datasync();
		} finally {
			await file.close();
		}
		await files.rename(path, join(folder, SNAPSHOT));
		await files.syncFolder(folder);
		if (holdsJournal) journal.hold('ledger', through);
		await changes.removeBefore(number);
	}

	let writing: Promise<void> = Promise.resolve();
	let isWriting = false;

	function compact(): Promise<void> {
		isWriting = true;
		const turn = writing.then(write);
		writing = turn.then(
			() => void (isWriting = false),
			() => void (isWriting = false),
		);
		return turn;
	}

	const notSaved = (error: unknown): void => log.error('ledger-not-saved', { folder, reason: messageOf(error) });

	function compactInTheBackground(): void {
		if (!isWriting) compact().catch(notSaved);
	}

	await compact().catch(notSaved);
	const timer = setInterval(compactInTheBackground, SNAPSHOT_INTERVAL_MS);
	timer.unref();

	return {
		ledger,
		async save() {
			await changes.flush();
			if (changes.bytes() > MAX_LOG_BYTES) compactInTheBackground();
		},
		compact,
		async stop() {
			clearInterval(timer);
			await compact().catch(notSaved);
			await changes.stop().catch(notSaved);
		},
	};
}
