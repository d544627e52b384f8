import type { FileLayer } from '../journal/file-layer.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Gate } from '../kernel/gate.ts';
import type { Logger } from '../kernel/log.ts';
import { compactDay, isFragmented } from './compaction.ts';
import type { DayFile } from './day-file.ts';
import { DAY_MS, type DayFolder, dayOf } from './day-folder.ts';
import type { NoteLoss } from './history-loss.ts';
import type { Dropped, OverflowStep } from './overflow.ts';

/** A day to which nothing was added for so long is quiet. */
const QUIET_MS = 3_600_000;
/**
 * Days that may expire within an hour. Of a clock that is wrong for an hour, only so many days are lost; a box that was off for long
 * catches up within days.
 */
const EXPIRIES_PER_HOUR = 4;
/** Readings of no plausible date take no more than this. */
const MAX_STRAY_BYTES = 64 * 1024 * 1024;
/** Days that get their index when the history stops, those last added to: a box ends within seconds. */
const FINISHED_AT_STOP = 4;
/** Room that is left when a day is written anew. */
const SPARE_BYTES = 64 * 1024 * 1024;

export interface HousekeepingDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly days: DayFolder;
	readonly clock: Clock;
	readonly log: Logger;
	readonly noteLoss: NoteLoss;
	readonly dropped: (what: Dropped) => void;
	/** A day that is being written must not go in the middle of it, or half of a segment would be taken for sealed. */
	readonly turns: Gate;
}

/** What is done to days when nobody waits: what expired is dropped, quiet days get their index and are written anew where that pays. */
export function createHousekeeping({ files, folder, days, clock, log, noteLoss, dropped, turns }: HousekeepingDeps) {
	/** When a day was last added to, monotonic; of days that were since the start. */
	const touchedMs = new Map<DayFile, number>();
	const expiriesMs: number[] = [];
	/** Days that could not be tidied; they are left alone until the next start. */
	const given = new Set<DayFile>();
	/** Days to which nothing was added since they were tidied. */
	const tidied = new Set<DayFile>();
	let running: { readonly day: DayFile; readonly stop: AbortController; readonly done: Promise<void> } | null = null;

	/** @returns whether it is gone */
	async function drop(day: DayFile, reason: Dropped['reason']): Promise<boolean> {
		await release(day);
		const what = await turns.run(() => days.drop(day, reason));
		if (what === null) return false;
		touchedMs.delete(day);
		log.info('history-day-dropped', { ...what });
		dropped(what);
		return true;
	}

	/** Nobody writes the day anew any more when this resolves. */
	async function release(day: DayFile): Promise<void> {
		if (running?.day !== day) return;
		running.stop.abort();
		await running.done;
	}

	async function expire(): Promise<void> {
		if (days.strays().bytes() > MAX_STRAY_BYTES) await drop(days.strays(), 'thinned');
		const nowMs = clock.monotonicMs();
		while (expiriesMs[0] !== undefined && expiriesMs[0] <= nowMs - QUIET_MS) expiriesMs.shift();
		for (let day = days.expired(); day !== undefined; day = days.expired()) {
			if (expiriesMs.length >= EXPIRIES_PER_HOUR) return;
			const isEmpty = day.bytes() === 0;
			if (!(await drop(day, 'retention'))) return;
			if (!isEmpty) expiriesMs.push(nowMs);
		}
	}

	/** Past and left alone for a while; and without its index, or not looked at yet. */
	function isDue(file: DayFile): boolean {
		const today = dayOf(clock.now());
		if (file.day === null || file.day >= today || file.bytes() === 0 || given.has(file) || tidied.has(file))
			return false;
		const atMs = touchedMs.get(file);
		if (atMs !== undefined) return clock.monotonicMs() - atMs >= QUIET_MS;
		return file.isFinished() === false || file.day >= today - DAY_MS;
	}

	async function tidyDay(day: DayFile, signal: AbortSignal): Promise<void> {
		const needsRewrite = await day.use((index) => Promise.resolve(isFragmented(index)));
		const hasRoom = (await files.freeBytes(folder)) > day.bytes() + SPARE_BYTES;
		if (needsRewrite === true && hasRoom) {
			const before = day.bytes();
			const isDone = await compactDay(day, { files, path: days.temporaryPath(day), noteLoss, signal });
			if (isDone) log.info('history-day-compacted', { day: day.name, before, after: day.bytes() });
		} else await day.finish();
	}

	async function tidyLogged(day: DayFile, signal: AbortSignal): Promise<void> {
		try {
			await tidyDay(day, signal);
			if (!signal.aborted) tidied.add(day);
		} catch (error) {
			given.add(day);
			log.warn('history-day-not-tidied', { day: day.name, reason: messageOf(error) });
		}
		running = null;
		days.touch(day);
	}

	/** Tidies one quiet day that is past, in the background. */
	function tidy(): void {
		if (running !== null) return;
		const due = days.all().find(isDue);
		if (due === undefined) return;
		const stop = new AbortController();
		const done = tidyLogged(due, stop.signal);
		running = { day: due, stop, done };
	}

	const rawDays: OverflowStep = {
		name: 'raw-days',
		bytes: days.bytes,
		async dropOldest() {
			if (running !== null) await release(running.day);
			const what = await turns.run(() => days.dropOldest());
			for (const day of touchedMs.keys()) if (day.bytes() === 0) touchedMs.delete(day);
			return what;
		},
	};

	return {
		expire,
		tidy,
		release,
		rawDays,
		/** Something was added to a day. */
		touched(day: DayFile): void {
			tidied.delete(day);
			touchedMs.delete(day);
			touchedMs.set(day, clock.monotonicMs());
		},
		/** Resolves when nothing is being tidied. */
		settled: (): Promise<void> => running?.done ?? Promise.resolve(),
		/** Stops what is being done; days that were added to get their index, so that the next start reads them at once. */
		async stop(): Promise<void> {
			running?.stop.abort();
			await running?.done;
			for (const day of [...touchedMs.keys()].slice(-FINISHED_AT_STOP)) {
				await day
					.finish()
					.catch((error: unknown) =>
						log.debug('history-day-not-finished', { day: day.name, reason: messageOf(error) }),
					);
			}
		},
	};
}
