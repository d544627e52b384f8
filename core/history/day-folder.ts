import { join } from 'node:path';

import type { FileLayer } from '../journal/file-layer.ts';
import { type Clock, type EpochMs, epochMs, toIso, removalNow } from '../kernel/clock.ts';
import { ASIDE, createDayFile, type DayFile } from './day-file.ts';
import { dayContents } from './day-numbers.ts';
import type { DayContents } from './device-hour.ts';
import type { NoteLoss } from './history-loss.ts';
import type { Dropped } from './overflow.ts';

export const DAY_MS = 86_400_000;
const FIRST_DAY_MS = 0;
const LAST_DAY_MS = Date.UTC(2099, 11, 31);
/** Clocks of devices and gateways may be ahead by so much; what is later has no plausible date. */
const DAYS_AHEAD = 7;
/** The newest day of all is behind the clock by no more than this, unless the clock is wrong or nothing has arrived. */
const DAYS_BEHIND = 2;
/** Chunks whose places are kept in memory, of all days together: about 30 MB. */
const MAX_INDEXED_CHUNKS = 150_000;

const NAME = /^(\d{4}-\d{2}-\d{2})\.raw$/;
const STRAY_NAME = 'stray.raw';
const TEMPORARY = '.tmp';

export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;

/** The files of all days, and one for readings that are of no plausible date. Their number is bounded by retention. */
export interface DayFolder {
	/** Oldest first; readings of no plausible date before all. */
	readonly all: () => readonly DayFile[];
	readonly strays: () => DayFile;
	/** The file for an hour, made when it is missing; `null` when the hour is older than is kept. */
	readonly fileFor: (hour: number) => DayFile | null;
	/** Bytes of all files. */
	readonly bytes: () => number;
	/** Marks a use, and lets the indexes of days go that were not used for longest. */
	readonly touch: (file: DayFile) => void;
	/** `null`: the file has to stay, because what there is to say of it could not be noted. */
	readonly drop: (file: DayFile, reason: Dropped['reason']) => Promise<Dropped | null>;
	/** Drops the oldest file that may go, for its space; `null` when there is none. */
	readonly dropOldest: () => Promise<Dropped | null>;
	/** The oldest file beyond retention. */
	readonly expired: () => DayFile | undefined;
	/** Where a file is made that will take a day's place. */
	readonly temporaryPath: (file: DayFile) => string;
}

export interface DayFolderDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly retentionDays: number;
	readonly clock: Clock;
	readonly noteLoss: NoteLoss;
	/** Asked before a day is dropped, from its first instant. Must not reject. Default always. */
	readonly mayGo?: (day: EpochMs, contents: DayContents) => Promise<boolean>;
}

function dayOfName(name: string): EpochMs | null {
	const ms = Date.parse(`${NAME.exec(name)?.[1] ?? ''}T00:00:00Z`);
	return Number.isNaN(ms) || ms < FIRST_DAY_MS || ms > LAST_DAY_MS ? null : epochMs(ms);
}

/** Takes stock of a folder by its names and sizes alone: nothing is read, so it is open at once whatever it holds. */
export async function openDayFolder(deps: DayFolderDeps): Promise<DayFolder> {
	const { files, folder, retentionDays, clock, noteLoss, mayGo } = deps;
	const days = new Map<number, DayFile>();
	const aside: { readonly path: string; readonly bytes: number }[] = [];
	/** Least recently used first. */
	const used = new Set<DayFile>();

	const make = (name: string, day: EpochMs | null, bytes: number | null): DayFile =>
		createDayFile({
			files,
			path: join(folder, name),
			name,
			day,
			bytes,
			noteLoss,
			putAside: (path, asideBytes) => void aside.push({ path, bytes: asideBytes }),
		});

	let strayBytes: number | null = null;
	for (const { name, bytes } of await files.list(folder)) {
		const day = dayOfName(name);
		if (day !== null) days.set(day, make(name, day, bytes));
		else if (name === STRAY_NAME) strayBytes = bytes;
		else if (name.endsWith(ASIDE)) aside.push({ path: join(folder, name), bytes });
		else if (name.endsWith(TEMPORARY)) await files.remove(join(folder, name));
	}
	const stray = make(STRAY_NAME, null, strayBytes);

	/** Nothing is too old while nobody knows what day it is. */
	const keptFrom = (now: number | null): number => (now ?? 0) - retentionDays * DAY_MS;
	/** The newest day when the folder was opened: what is of its time is plausible also while the clock is behind. */
	const newestFound = Math.max(FIRST_DAY_MS, ...days.keys());
	/** A clock that has jumped ahead must not make readings of today look old: they are, when newer ones are there. */
	function believedNow(): number | null {
		const now = removalNow(clock);
		return now === null || days.size === 0 ? now : Math.min(now, Math.max(...days.keys()) + DAYS_BEHIND * DAY_MS);
	}
	const sorted = (): DayFile[] => [...days].toSorted(([one], [other]) => one - other).map(([, file]) => file);
	const all = (): readonly DayFile[] => [stray, ...sorted()];

	function fileFor(hour: number): DayFile | null {
		const day = dayOf(hour);
		const known = days.get(day);
		if (known !== undefined) return known;
		if (day >= FIRST_DAY_MS && day + DAY_MS <= keptFrom(believedNow())) return null;
		const last = Math.min(LAST_DAY_MS, Math.max(clock.now(), newestFound) + DAYS_AHEAD * DAY_MS);
		if (day < FIRST_DAY_MS || day > last) return stray;
		const name = `${toIso(epochMs(day)).slice(0, 10)}.raw`;
		const file = make(name, epochMs(day), null);
		days.set(day, file);
		return file;
	}

	function touch(file: DayFile): void {
		used.delete(file);
		used.add(file);
		let chunks = 0;
		for (const one of used) chunks += one.indexed();
		for (const oldest of used) {
			if (chunks <= MAX_INDEXED_CHUNKS || oldest === file) return;
			chunks -= oldest.indexed();
			oldest.unload();
			used.delete(oldest);
		}
	}

	async function drop(file: DayFile, reason: Dropped['reason']): Promise<Dropped | null> {
		const { day } = file;
		if (day !== null && (await mayGo?.(day, dayContents(file, noteLoss))) === false) return null;
		const counts = await file.use((index) => Promise.resolve(index.counts())).catch(() => null);
		const bytes = file.bytes();
		await file.remove();
		used.delete(file);
		if (day !== null) days.delete(day);
		return {
			level: 'raw',
			day,
			until: day === null ? null : epochMs(day + DAY_MS),
			bytes,
			readings: counts?.readings ?? null,
			samples: counts?.samples ?? null,
			reason,
		};
	}

	async function dropAside(): Promise<Dropped | null> {
		const [first] = aside;
		if (first === undefined) return null;
		await files.remove(first.path);
		aside.shift();
		return {
			level: 'raw',
			day: null,
			until: null,
			bytes: first.bytes,
			readings: null,
			samples: null,
			reason: 'thinned',
		};
	}

	return {
		all,
		strays: () => stray,
		fileFor,
		bytes: () =>
			[...all(), ...aside].reduce((sum, { bytes }) => sum + (typeof bytes === 'number' ? bytes : bytes()), 0),
		touch,
		drop,
		async dropOldest() {
			const what = await dropAside();
			if (what !== null) return what;
			for (const file of all()) {
				const day = file.bytes() > 0 ? await drop(file, 'thinned') : null;
				if (day !== null) return day;
			}
			return null;
		},
		expired: () => sorted().find(({ day }) => (day ?? 0) + DAY_MS <= keptFrom(removalNow(clock))),
		temporaryPath: ({ path }) => `${path}${TEMPORARY}`,
	};
}
