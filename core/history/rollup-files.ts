import { join } from 'node:path';

import type { FileLayer } from '../journal/file-layer.ts';
import { messageOf } from '../kernel/fault.ts';
import { createGate, type Gate } from '../kernel/gate.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { openRollupFile, type RollupFile } from './rollup-file.ts';
import { END_MS, FIRST_MS, ROLLUP_LEVELS, type RollupLevel, spanOfPeriod } from './rollup-level.ts';
import { openManifest } from './rollup-manifest.ts';

/** Open files; each has its index in memory. */
const MAX_OPEN = 32;
/** Entries of all indices; some 100 bytes each. */
const MAX_ENTRIES = 200_000;
const MAX_WAITING = 10_000;
const NAME = /^(minute|hour|day|month)-(\d{4}(?:-\d{2}){0,2})\.(rollups|counters)$/;

/** What is kept of one level and period. */
export interface RollupPeriod {
	readonly level: RollupLevel;
	readonly period: string;
	/** First instant, and the first one after it. */
	readonly from: number;
	readonly to: number;
	readonly bytes: number;
	/** Everything but counters was let go. */
	readonly isThinned: boolean;
}

interface Period {
	readonly level: RollupLevel;
	readonly period: string;
	readonly from: number;
	readonly to: number;
	isThinned: boolean;
	bytes: number;
	isNew: boolean;
	/** One task at a time. */
	readonly gate: Gate;
	tasks: number;
	usedAt: number;
	file: RollupFile | null;
}

export interface RollupFilesDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly log: Logger;
	/** Records of a time cannot be relied on: some were lost, and older ones may stand in their place. Resolves when that is durable. */
	readonly onDamage: (from: number, to: number) => Promise<void>;
}

/** The files of all levels and periods: opened when they are asked for, few at a time. */
export interface RollupFiles extends Stoppable {
	/** Runs a task with a file; `null` for one that does not exist. Tasks of one file follow each other. */
	use<T>(level: RollupLevel, atMs: number, task: (file: RollupFile) => Promise<T>): Promise<T | null>;
	/** The same; the file is made when it is missing. */
	make<T>(level: RollupLevel, atMs: number, task: (file: RollupFile) => Promise<T>): Promise<T>;
	/** Records in the file were found damaged. */
	damaged(level: RollupLevel, atMs: number, bytes: number): Promise<void>;
	sync(): Promise<void>;
	isThinned(level: RollupLevel, atMs: number): boolean;
	/** Oldest first. */
	periods(): readonly RollupPeriod[];
	drop(period: RollupPeriod): Promise<void>;
	/** Puts into a period's place what `fill` writes. */
	replace(period: RollupPeriod, fill: (from: RollupFile, to: RollupFile) => Promise<void>): Promise<void>;
}

const fileName = ({ level, period, isThinned }: Pick<RollupPeriod, 'level' | 'period' | 'isThinned'>): string =>
	`${level}-${period}.${isThinned ? 'counters' : 'rollups'}`;

/** What a file's name tells; `null` for other files. */
function parseName(name: string): Pick<Period, 'level' | 'period' | 'isThinned' | 'from' | 'to'> | null {
	const [, word, period = '', kind] = NAME.exec(name) ?? [];
	const level = ROLLUP_LEVELS.find((each) => each === word);
	const span = level === undefined ? null : spanOfPeriod(level, period);
	return level === undefined || span === null ? null : { level, period, isThinned: kind === 'counters', ...span };
}

const newPeriod = (
	level: RollupLevel,
	period: string,
	facts: Pick<Period, 'isThinned' | 'bytes' | 'isNew'>,
): Period => ({
	level,
	period,
	...(spanOfPeriod(level, period) ?? { from: 0, to: 0 }),
	...facts,
	gate: createGate({ what: 'reads of rollups', parallel: 1, waiting: MAX_WAITING }),
	tasks: 0,
	usedAt: 0,
	file: null,
});

export async function openRollupFiles(
	{ files, folder, log, onDamage }: RollupFilesDeps,
	periodOf: (level: RollupLevel, atMs: number) => string,
): Promise<RollupFiles> {
	const known = new Map<string, Period>();
	const manifest = await openManifest(files, folder);
	let uses = 0;

	const keyOf = (level: RollupLevel, atMs: number): string => `${level}-${periodOf(level, atMs)}`;

	function enter(level: RollupLevel, period: string, facts: Pick<Period, 'isThinned' | 'bytes' | 'isNew'>): Period {
		const entered = newPeriod(level, period, facts);
		known.set(`${level}-${period}`, entered);
		return entered;
	}

	async function takeStock(): Promise<void> {
		const found = await files.list(folder);
		const names = new Set(found.map(({ name }) => name));
		for (const { name, bytes } of found) {
			const parsed = parseName(name);
			// What the power cut left of a replacement: a beginning, or the old file beside the new one.
			const isRest =
				name.endsWith('.tmp') || (parsed?.isThinned === false && names.has(fileName({ ...parsed, isThinned: true })));
			if (isRest) await files.remove(join(folder, name));
			else if (parsed !== null)
				enter(parsed.level, parsed.period, { isThinned: parsed.isThinned, bytes, isNew: false });
		}
	}

	async function missWhatIsGone(): Promise<void> {
		if (manifest.isDamaged && known.size > 0)
			await tell({ level: 'hour', period: 'all', from: FIRST_MS, to: END_MS }, 0);
		for (const key of manifest.keys()) {
			const parsed = parseName(`${key}.rollups`);
			if (parsed === null || known.has(key)) continue;
			await tell(parsed, 0);
			await manifest.remove(key);
		}
	}

	async function tell(
		{ level, period, from, to }: Pick<Period, 'level' | 'period' | 'from' | 'to'>,
		bytes: number,
	): Promise<void> {
		log.error('rollups-damaged', { level, period, bytes });
		await onDamage(from, to);
	}

	async function fileOf(period: Period): Promise<RollupFile> {
		if (period.file !== null) return period.file;
		const { file, damagedBytes, isEmpty } = await openRollupFile(files, join(folder, fileName(period)), period.isNew);
		period.file = file;
		period.isNew = false;
		const isWiped = isEmpty && manifest.has(`${period.level}-${period.period}`);
		if (damagedBytes > 0 || isWiped) await tell(period, damagedBytes);
		return file;
	}

	async function closeSurplus(): Promise<void> {
		const open = [...known.values()].filter(({ file }) => file !== null);
		let entries = open.reduce((sum, { file }) => sum + (file?.entries() ?? 0), 0);
		let count = open.length;
		if (count <= MAX_OPEN && entries <= MAX_ENTRIES) return;
		for (const period of open.toSorted((one, other) => one.usedAt - other.usedAt)) {
			if (count <= 1 || (count <= MAX_OPEN && entries <= MAX_ENTRIES)) return;
			const { file } = period;
			if (file === null || period.tasks > 0 || file.isUnsynced()) continue;
			period.file = null;
			count -= 1;
			entries -= file.entries();
			await file.close();
		}
	}

	async function run<T>(period: Period, task: (file: RollupFile) => Promise<T>): Promise<T> {
		period.usedAt = uses += 1;
		period.tasks += 1;
		try {
			return await period.gate.run(async () => {
				const file = await fileOf(period);
				try {
					return await task(file);
				} finally {
					period.bytes = file.bytes();
				}
			});
		} finally {
			period.tasks -= 1;
			await closeSurplus().catch((error: unknown) => log.warn('rollups-not-closed', { reason: messageOf(error) }));
		}
	}

	/** Closes a period's file for good, after the tasks that use it. */
	async function close(period: Period): Promise<void> {
		const { file } = period;
		period.file = null;
		await file?.close();
	}

	await takeStock();
	await missWhatIsGone();
	return {
		async use(level, atMs, task) {
			const period = known.get(keyOf(level, atMs));
			return period === undefined ? null : run(period, task);
		},
		make(level, atMs, task) {
			const facts = { isThinned: false, bytes: 0, isNew: true };
			return run(known.get(keyOf(level, atMs)) ?? enter(level, periodOf(level, atMs), facts), task);
		},
		async damaged(level, atMs, bytes) {
			const period = known.get(keyOf(level, atMs));
			if (period !== undefined) await tell(period, bytes);
		},
		async sync() {
			for (const [key, period] of known)
				if (period.file?.isUnsynced() === true) {
					await run(period, (file) => file.sync());
					await manifest.add(key);
				}
		},
		isThinned: (level, atMs) => known.get(keyOf(level, atMs))?.isThinned === true,
		periods: () =>
			[...known.values()]
				.map(({ level, period, from, to, bytes, isThinned }) => ({ level, period, from, to, bytes, isThinned }))
				.toSorted((one, other) => one.from - other.from),
		async drop({ level, period: name }) {
			const period = known.get(`${level}-${name}`);
			if (period === undefined) return;
			known.delete(`${level}-${name}`);
			await period.gate.run(async () => {
				await close(period);
				await files.remove(join(folder, fileName(period)));
				await files.syncFolder(folder);
			});
			// Afterwards, because a full disk has room for it only now.
			await manifest.remove(`${level}-${name}`);
		},
		async replace({ level, period: name }, fill) {
			const period = known.get(`${level}-${name}`);
			if (period === undefined || period.isThinned) return;
			await run(period, async (old) => {
				const path = join(folder, fileName({ ...period, isThinned: true }));
				const { file } = await openRollupFile(files, `${path}.tmp`, true);
				await fill(old, file);
				await file.sync();
				await file.close();
				await files.rename(`${path}.tmp`, path);
				await files.syncFolder(folder);
				await files.remove(join(folder, fileName(period)));
				await files.syncFolder(folder);
				await close(period);
				period.isThinned = true;
				await fileOf(period);
			});
			// The task has told the size of the old file.
			period.bytes = period.file?.bytes() ?? period.bytes;
		},
		async stop() {
			for (const period of known.values())
				await period.gate.run(async () => {
					await period.file?.sync();
					await close(period);
				});
		},
	};
}
