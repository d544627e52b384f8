import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type FileJournal, type FileJournalOptions, openJournal } from '../journal/file-journal.ts';
import { type SetTimer, systemTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { writeFileDurably } from '../storage/json-file.ts';
import { queryChunks } from './history-chunks-query.ts';
import { openHistoryMonths } from './history-months.ts';
import { firstOf } from './history-order.ts';
import type { HistoryQuery, HistoryRepository } from './history-repository.ts';
import { createHistorySealer, type SealMark } from './history-sealer.ts';
import { createHistoryWindow } from './history-window.ts';

const HOUR_MS = 3_600_000;
const AGE_CHECK_MS = 60_000;
/** A segment that takes more words of memory (8 MB) is sealed early: readings are much larger there than on disk. */
const MAX_WORDS_PER_SEGMENT = 1_000_000;
/** Closed segments that may wait in memory; while sealing fails, older ones are read from the journal when it works again. */
const MAX_WAITING_SEGMENTS = 3;

export interface HistoryDeps {
	/** Open, and not yet appended to: the history must hear of every commit. */
	readonly journal: FileJournal;
	/** Folder of the month databases and of the mark. */
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** Months that ended longer ago are dropped whole. Default 400. */
	readonly retentionDays?: number;
	readonly setTimer?: SetTimer;
}

/** The history on disk. Stop it before its journal. */
export interface History extends HistoryRepository, Stoppable {
	/** Ends the newest journal segment and waits until everything closed is in chunks (for backups and tests). */
	sealNow(): Promise<void>;
	/** The last journal segment whose readings are all in chunks; 0 for none. */
	sealedThrough(): number;
}

function sealMark(path: string): SealMark {
	return {
		async read() {
			const text = await readFile(path, 'utf8').catch(() => '');
			return /^\d{1,10}\n$/.test(text) ? Number(text) : 0;
		},
		write: (segment) => writeFileDurably(path, `${segment}\n`),
	};
}

/** Puts the history over an open journal: brings the window up to date, then seals in the background. */
export async function createHistory(deps: HistoryDeps): Promise<History> {
	const { journal, folder, clock, log, retentionDays = 400, setTimer = systemTimer } = deps;
	const months = await openHistoryMonths({ folder, clock, log });
	const mark = sealMark(join(folder, 'sealed-through'));
	const window = createHistoryWindow();
	const marked = await mark.read();
	// A mark ahead of the journal is from a journal that was lost: its numbers begin again.
	const sealedThrough = marked < journal.end().segment ? marked : 0;
	const sealer = createHistorySealer({
		journal,
		window,
		months,
		mark,
		clock,
		log,
		setTimer,
		retentionDays,
		sealedThrough,
	});
	let openSegment = { number: 0, sinceMs: clock.monotonicMs(), isClosing: false };
	let cancelAgeCheck: (() => void) | null = null;
	let isStopped = false;

	function closeSegment(): void {
		if (openSegment.isClosing || openSegment.number === 0) return;
		openSegment.isClosing = true;
		journal.closeSegment().catch((error: unknown) => {
			openSegment.isClosing = false;
			log.warn('history-segment-not-closed', { reason: messageOf(error) });
		});
	}

	function shedWaiting(): void {
		const waiting = window.segments().filter((segment) => segment !== openSegment.number);
		for (const segment of waiting.slice(0, Math.max(0, waiting.length - MAX_WAITING_SEGMENTS))) {
			log.error('history-behind', { segment, words: window.words(segment) });
			window.release(segment);
		}
	}

	journal.listen({
		committed({ at, readings }) {
			if (at.segment !== openSegment.number) {
				openSegment = { number: at.segment, sinceMs: clock.monotonicMs(), isClosing: false };
			}
			window.add(at.segment, readings);
			if (window.words(at.segment) >= MAX_WORDS_PER_SEGMENT) closeSegment();
		},
		closed() {
			openSegment = { number: 0, sinceMs: clock.monotonicMs(), isClosing: false };
			if (isStopped) return;
			shedWaiting();
			sealer.kick();
		},
	});

	function checkAge(): void {
		if (clock.monotonicMs() - openSegment.sinceMs >= HOUR_MS) {
			if (openSegment.number !== 0) closeSegment();
			else {
				// Nothing to seal, but months expire all the same.
				openSegment.sinceMs = clock.monotonicMs();
				sealer.kick();
			}
		}
		cancelAgeCheck = setTimer(checkAge, AGE_CHECK_MS);
	}

	/** Readings that are in no chunk yet: a backlog is sealed first, the newest segments are only remembered. */
	async function catchUp(): Promise<void> {
		const unsealed = journal.closedSegments().filter((segment) => segment > sealedThrough);
		for (const segment of unsealed.slice(0, -MAX_WAITING_SEGMENTS)) await sealer.seal(segment);
	}

	async function remember(): Promise<void> {
		const unsealed = journal.closedSegments().filter((segment) => segment > sealer.sealedThrough());
		const from = unsealed.slice(-MAX_WAITING_SEGMENTS)[0];
		if (from === undefined) return;
		for await (const { at, readings } of journal.read({ segment: from, offset: 0 })) window.add(at.segment, readings);
	}

	journal.hold('sealer', { segment: sealedThrough + 1, offset: 0 });
	await catchUp().catch((error: unknown) => {
		log.error('history-seal-failed', { sealedThrough: sealer.sealedThrough(), reason: messageOf(error) });
	});
	await remember();
	await sealer.expire().catch((error: unknown) => log.warn('history-expire-failed', { reason: messageOf(error) }));
	sealer.kick();
	cancelAgeCheck = setTimer(checkAge, AGE_CHECK_MS);

	return {
		async range(query: HistoryQuery) {
			if (query.limit < 1) throw new Fault('rule-violation', `limit must be at least 1, not ${query.limit}`);
			// Memory first: what is sealed meanwhile is then found twice and counted once, never missed.
			const recent = window.select(query);
			const sealed = await queryChunks(months, query, log);
			return firstOf([...sealed, ...recent], query);
		},
		async column({ device, point, from, to }) {
			const query = { device, from, to, order: 'oldest-first', limit: 1_000_000 } as const;
			const sealed = await queryChunks(months, query, log);
			const readings = firstOf([...sealed, ...window.select(query)], query).filter(
				({ points }) => points.includes(point),
			);
			return {
				times: Float64Array.from(readings, ({ readAt }) => readAt),
				values: readings.map(({ points, values }) => values[points.indexOf(point)] ?? null),
				qualities: null,
				until: to,
			};
		},
		async sealNow() {
			await journal.closeSegment();
			sealer.kick();
			await sealer.settled();
		},
		sealedThrough: () => sealer.sealedThrough(),
		async stop() {
			isStopped = true;
			cancelAgeCheck?.();
			await sealer.stop();
			await months.stop();
		},
	};
}

export interface OpenHistoryOptions extends Omit<HistoryDeps, 'journal'> {
	/** Settings of the journal; clock, log and timer are the history's. */
	readonly journal: Omit<FileJournalOptions, 'clock' | 'log' | 'setTimer'>;
}

/**
 * Opens journal and history in the order they need: journal, then history over it, before anybody appends. Compose calls
 *
 *     const { journal, history } = await openHistory({ journal: { folder, holders: ['uplink'], onLoss }, folder: historyFolder, clock, log });
 *     lifecycle.own('journal', journal);
 *     lifecycle.own('history', history);
 *
 * and hands `journal` to the telemetry service and the uplink (which names what it still needs with `journal.hold('uplink', …)`;
 * a hub has no uplink and names no such holder) and `history` to the telemetry service. Stopping backwards stops the history first.
 */
export async function openHistory(
	options: OpenHistoryOptions,
): Promise<{ readonly journal: FileJournal; readonly history: History }> {
	const { clock, log, setTimer = systemTimer } = options;
	const holders = ['sealer', ...(options.journal.holders ?? [])];
	const journal = await openJournal({ ...options.journal, holders, clock, log, setTimer });
	try {
		return { journal, history: await createHistory({ ...options, journal }) };
	} catch (error) {
		await journal.stop();
		throw error;
	}
}
