import { join } from 'node:path';

import { type FileJournal, type FileJournalOptions, openJournal } from '../journal/file-journal.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import { nodeFileLayer } from '../journal/node-file-layer.ts';
import { type SetTimer, systemTimer } from '../journal/set-timer.ts';
import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryQuery, HistoryRepository } from '../telemetry/history-repository.ts';
import type { SettleTime } from '../time/settle.ts';
import { queryColumn } from './column-query.ts';
import { openDayFolder } from './day-folder.ts';
import type { HourWatcher } from './device-hour.ts';
import { createLossList, type HistoryLoss } from './history-loss.ts';
import { createHistoryWindow } from './history-window.ts';
import { createHousekeeping } from './housekeeping.ts';
import { createOverflow, type Dropped, type OverflowStep } from './overflow.ts';
import { queryRange } from './range-query.ts';
import { firstOf } from './reading-order.ts';
import { createRoomMaker } from './room-maker.ts';
import { createSealLoop } from './seal-loop.ts';
import { createSealer, type SealMark } from './sealer.ts';
import { createUnsealed } from './unsealed.ts';

const DEFAULT_RETENTION_DAYS = 365;
const DEFAULT_MAX_BYTES = 2 * 1024 ** 3;
const DEFAULT_MIN_FREE_BYTES = 64 * 1024 ** 2;
/** The seal loop and the journal, which asks for room, come one at a time each. */
const MAX_WAITING = 10;

export interface HistoryDeps {
	/** Open, and not yet appended to: the history must hear of every commit. */
	readonly journal: FileJournal;
	/** Folder of the day files and of the mark. */
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** Days that ended longer ago are dropped whole. Default 365. */
	readonly retentionDays?: number;
	/** Most bytes of all files of the steps. Default 2 GiB. */
	readonly maxBytes?: number;
	/** Free space of the file system that is left to others. Default 64 MiB. */
	readonly minFreeBytes?: number;
	/** Hear which hours change. Default none. */
	readonly watchers?: readonly HourWatcher[];
	/** Moves readings to the time that is known now; `null`: their time is right as it is. Default `null`. */
	readonly settle?: SettleTime | null;
	/** What else may be dropped for its space, after the raw days. Default none. */
	readonly moreSteps?: readonly OverflowStep[];
	/** Told of everything that is let go, after it is gone. Must not throw. */
	readonly dropped?: (what: Dropped) => void;
	readonly files?: FileLayer;
	readonly setTimer?: SetTimer;
}

export interface HistoryStats {
	/** Bytes of all day files. */
	readonly bytes: number;
	readonly days: number;
	/** The oldest day of which there is a file; `null` when there is none. */
	readonly oldestDay: EpochMs | null;
	/** The last journal segment whose readings are all in chunks; 0 for none. */
	readonly sealedThrough: number;
	/** Places that could not be read, counted since the start. */
	readonly losses: number;
}

/** The history on disk. Stop it before its journal. */
export interface History extends HistoryRepository, Stoppable {
	/** Ends the newest journal segment and waits until everything closed is in chunks (for backups and tests). */
	sealNow(): Promise<void>;
	/** Seals what waits, e.g. because the time of its readings is known now. */
	kick(): void;
	/** First instants of the hours of a device with readings that no chunk holds yet. */
	unsealedHours(device: DeviceId): ReadonlySet<number>;
	stats(): HistoryStats;
	/** What cannot be read any more: the newest of what was found since the start. */
	losses(): readonly HistoryLoss[];
}

const defaults = {
	retentionDays: DEFAULT_RETENTION_DAYS,
	maxBytes: DEFAULT_MAX_BYTES,
	minFreeBytes: DEFAULT_MIN_FREE_BYTES,
	watchers: [],
	settle: null,
	moreSteps: [],
	dropped: () => undefined,
	files: nodeFileLayer,
	setTimer: systemTimer,
} as const;

const sealMark = (files: FileLayer, path: string): SealMark => ({
	async read() {
		const text = (await files.readText(path)) ?? '';
		return /^\d{1,10}\n$/.test(text) ? Number(text) : 0;
	},
	write: (segment) => files.writeText(path, `${segment}\n`),
});

/** Puts the history over an open journal: brings the window up to date, then seals in the background. */
export async function createHistory(deps: HistoryDeps): Promise<History> {
	const settings = { ...defaults, ...deps };
	const { journal, folder, files, clock, log, settle, watchers, dropped, setTimer } = settings;
	const losses = createLossList({ clock, log });
	const noteLoss = losses.note;
	const days = await openDayFolder({
		files,
		folder,
		clock,
		noteLoss,
		retentionDays: settings.retentionDays,
		async mayGo(day, contents) {
			for (const watcher of watchers) if ((await watcher.dropping?.(day, contents)) === false) return false;
			return true;
		},
	});
	const window = createHistoryWindow(settle);
	const turns = createGate({ what: 'changes of the history', parallel: 1, waiting: MAX_WAITING });
	const housekeeping = createHousekeeping({ files, folder, days, clock, log, noteLoss, dropped, turns });
	const enforce = createOverflow({
		steps: [housekeeping.rawDays, ...settings.moreSteps],
		maxBytes: settings.maxBytes,
		minFreeBytes: settings.minFreeBytes,
		freeBytes: () => files.freeBytes(folder),
		dropped,
		log,
	});
	const mark = sealMark(files, join(folder, 'sealed-through'));
	const marked = await mark.read();
	// A mark ahead of the journal is from a journal that was lost: its numbers begin again.
	const sealedThrough = marked < journal.end().segment ? marked : 0;
	const sealer = createSealer({
		journal,
		window,
		days,
		mark,
		settle,
		watchers,
		dropped,
		log,
		wanted(day) {
			housekeeping.touched(day);
			return housekeeping.release(day);
		},
	});
	const loop = createSealLoop({
		journal,
		window,
		sealedThrough,
		setTimer,
		log,
		seal: (segment) => turns.run(() => sealer.seal(segment)),
		async tidy() {
			await housekeeping.expire();
			await enforce();
			housekeeping.tidy();
		},
	});
	const unsealed = createUnsealed({ journal, window, loop, clock, log, setTimer });
	journal.onNeed(createRoomMaker({ loop, enforce, setTimer, log }));
	journal.hold('sealer', { segment: sealedThrough + 1, offset: 0 });
	await unsealed.start();
	const queries = { days, noteLoss };

	return {
		async range(query: HistoryQuery) {
			if (query.limit < 1) throw new Fault('rule-violation', `limit must be at least 1, not ${query.limit}`);
			// Memory first: what is sealed meanwhile is then found twice and counted once, never missed.
			const recent = window.select(query);
			const sealed = await queryRange(queries, query);
			return recent.length === 0 ? sealed : firstOf([...sealed, ...recent], query);
		},
		column(query) {
			const { device, from, to } = query;
			const recent = window.select({ device, from, to, order: 'oldest-first', limit: Number.MAX_SAFE_INTEGER });
			return queryColumn(queries, query, recent);
		},
		async sealNow() {
			await journal.closeSegment();
			loop.kick();
			await loop.settled();
			await housekeeping.settled();
		},
		kick: loop.kick,
		unsealedHours: (device) => window.hours(device),
		stats() {
			const dated = days.all().flatMap(({ day, bytes }) => (day === null || bytes() === 0 ? [] : [day]));
			const [oldest] = dated;
			return {
				bytes: days.bytes(),
				days: dated.length,
				oldestDay: oldest === undefined ? null : epochMs(oldest),
				sealedThrough: loop.sealedThrough(),
				losses: losses.count(),
			};
		},
		losses: losses.all,
		async stop() {
			unsealed.stop();
			await loop.stop();
			await housekeeping.stop();
		},
	};
}

export interface OpenHistoryOptions extends Omit<HistoryDeps, 'journal'> {
	/** Settings of the journal; clock, log, timer and files are the history's. */
	readonly journal: Omit<FileJournalOptions, 'clock' | 'log' | 'setTimer'>;
}

/**
 * Opens journal and history in the order they need: journal, then history over it, before anybody appends. The journal goes to whoever
 * appends and to its other holders, who name what they still need. Stopping backwards stops the history first.
 */
export async function openHistory(
	options: OpenHistoryOptions,
): Promise<{ readonly journal: FileJournal; readonly history: History }> {
	const { clock, log, setTimer = systemTimer, files = nodeFileLayer } = options;
	const holders = ['sealer', ...(options.journal.holders ?? [])];
	const journal = await openJournal({ files, ...options.journal, holders, clock, log, setTimer });
	try {
		return { journal, history: await createHistory({ ...options, journal }) };
	} catch (error) {
		await journal.stop();
		throw error;
	}
}
