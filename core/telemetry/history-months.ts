import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { isDamage } from '../storage/disk-fault.ts';
import { type DocumentDatabase, openDatabase } from '../storage/pouch.ts';
import type { ChunkDocument } from './history-chunk.ts';

const NAME = /^telemetry-(\d{4}-\d{2})$/;
/** Each open database holds caches of some megabytes. */
const MAX_OPEN = 4;

export interface HistoryMonths extends Stoppable {
	/** Months that have a database, oldest first. */
	list(): readonly string[];
	/** Runs a task with the database of a month, which is made when it is missing. */
	use<T>(month: string, task: (database: DocumentDatabase<ChunkDocument>) => Promise<T>): Promise<T>;
	/** Removes a month with everything in it, as soon as nobody uses it. */
	drop(month: string): Promise<void>;
}

interface Month {
	readonly name: string;
	readonly database: Promise<DocumentDatabase<ChunkDocument>>;
	/** Grows with each use: the lowest is closed first. */
	usedAt: number;
	readonly tasks: Set<Promise<unknown>>;
}

export interface HistoryMonthsDeps {
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
}

/** One database per month: retention removes whole databases, because deleted documents would leave their traces for ever. */
export async function openHistoryMonths({ folder, clock, log }: HistoryMonthsDeps): Promise<HistoryMonths> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const names = (await readdir(folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []);
	const known = new Set(names);
	const open = new Map<string, Month>();
	let uses = 0;
	/** Opening and closing follow each other: a store that is being closed cannot be opened. */
	let tail: Promise<unknown> = Promise.resolve();

	function inTurn<T>(task: () => Promise<T>): Promise<T> {
		const result = tail.then(task);
		tail = result.catch(() => undefined);
		return result;
	}

	const pathOf = (month: string): string => join(folder, `telemetry-${month}`);

	async function openSound(month: string): Promise<DocumentDatabase<ChunkDocument>> {
		const database = openDatabase<ChunkDocument>(pathOf(month));
		await database.info();
		return database;
	}

	/** A database that cannot be opened is put aside for a person to look at; the month begins again. */
	async function openOrReplace(month: string): Promise<DocumentDatabase<ChunkDocument>> {
		try {
			return await openSound(month);
		} catch (error) {
			if (!isDamage(error)) throw error;
			const aside = `${pathOf(month)}.damaged-${clock.now()}`;
			log.error('history-month-damaged', { month, aside, reason: messageOf(error) });
			await rename(pathOf(month), aside);
			return openSound(month);
		}
	}

	async function close(month: Month): Promise<void> {
		await Promise.allSettled(month.tasks);
		const database = await month.database.catch(() => null);
		await database?.close();
	}

	function closeSurplus(): void {
		const idle = [...open.values()]
			.filter(({ tasks }) => tasks.size === 0)
			.toSorted((one, other) => one.usedAt - other.usedAt);
		for (const month of idle.slice(0, Math.max(0, open.size - MAX_OPEN))) {
			open.delete(month.name);
			inTurn(() => close(month)).catch((error: unknown) => {
				log.warn('history-month-not-closed', { month: month.name, reason: messageOf(error) });
			});
		}
	}

	function monthOf(name: string): Month {
		const found = open.get(name);
		if (found !== undefined) return found;
		const month: Month = { name, database: inTurn(() => openOrReplace(name)), usedAt: 0, tasks: new Set() };
		// A month that could not be opened is tried again by the next use.
		month.database.catch(() => open.delete(name));
		open.set(name, month);
		known.add(name);
		return month;
	}

	return {
		list: () => [...known].toSorted(),
		async use(name, task) {
			const month = monthOf(name);
			month.usedAt = uses += 1;
			const running = month.database.then(task);
			month.tasks.add(running);
			try {
				return await running;
			} finally {
				month.tasks.delete(running);
				closeSurplus();
			}
		},
		async drop(name) {
			known.delete(name);
			const month = open.get(name);
			open.delete(name);
			await inTurn(async () => {
				if (month !== undefined) await close(month);
				await rm(pathOf(name), { recursive: true, force: true });
			});
		},
		async stop() {
			const months = [...open.values()];
			open.clear();
			await inTurn(async () => {
				for (const month of months) await close(month);
			});
		},
	};
}
