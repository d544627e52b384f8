import type { Stoppable } from '../kernel/lifecycle.ts';
import type { RollupFile } from './rollup-file.ts';
import { openRollupFiles, type RollupFilesDeps, type RollupPeriod } from './rollup-files.ts';
import { LEVEL_FACTS, type RollupLevel } from './rollup-level.ts';
import {
	decodeRecord,
	encodeRecord,
	type GroupKey,
	type GroupRollups,
	overlaid,
	type RollupRecord,
	wholeOf,
} from './rollup-record.ts';

/** A group of more records than this is written anew as one. */
const MAX_PARTS = 8;
/** Most slots of any level: the minutes of an hour. */
const SLOTS = 60;

export type RollupDraft = Omit<RollupRecord, 'isWhole'>;

/** Rollups of all levels on disk. */
export interface RollupStore extends Stoppable {
	/**
	 * What is known of a group; `null` without a record.
	 * @param wanted points; `null`: all
	 */
	read(level: RollupLevel, key: GroupKey, wanted: ReadonlySet<string> | null): Promise<GroupRollups | null>;
	/**
	 * Takes slots in place of what was there of them. Durable after `sync`.
	 * @param isOver nothing more is expected of the group: it is kept as one record
	 */
	write(level: RollupLevel, draft: RollupDraft, isOver: boolean): Promise<void>;
	sync(): Promise<void>;
	/** Oldest first. */
	periods(): readonly RollupPeriod[];
	/** Whether of the hours at an instant only counters are left. */
	isThinned(atMs: number): boolean;
	/** Bytes of the files of a level. */
	bytes(level: RollupLevel): number;
	/** Removes a period with everything in it. */
	drop(period: RollupPeriod): Promise<void>;
	/** Leaves only counters in a period. */
	thin(period: RollupPeriod): Promise<void>;
}

function decoded(level: RollupLevel, body: Buffer | null, wanted: ReadonlySet<string> | null): RollupRecord | null {
	if (body === null) return null;
	try {
		return decodeRecord(level, body, wanted);
	} catch {
		// Its checksum holds, so it is of another version: as good as damaged.
		return null;
	}
}

async function recordsOf(
	level: RollupLevel,
	file: RollupFile,
	key: GroupKey,
	wanted: ReadonlySet<string> | null,
): Promise<readonly (RollupRecord | null)[]> {
	return (await file.read(key)).map((body) => decoded(level, body, wanted));
}

async function copyCounters(level: RollupLevel, from: RollupFile, to: RollupFile): Promise<void> {
	for (const key of from.groups())
		for (const body of await from.read(key)) {
			const record = decoded(level, body, null);
			if (record === null) continue;
			const points = new Map([...record.points].filter(([, { isCounter }]) => isCounter));
			if (points.size > 0) await to.append(record, encodeRecord(level, { ...record, points }));
		}
}

export async function openRollupStore(deps: RollupFilesDeps): Promise<RollupStore> {
	const files = await openRollupFiles(deps, (level, atMs) => LEVEL_FACTS[level].period(atMs));

	async function appendTo(file: RollupFile, level: RollupLevel, draft: RollupDraft, isOver: boolean): Promise<void> {
		const parts = file.parts(draft);
		const isAlone = parts < MAX_PARTS && !isOver;
		let record: RollupRecord = { ...draft, isWhole: parts === 0 };
		if (parts > 0 && !isAlone) {
			const older = await recordsOf(level, file, draft, null);
			if (older.includes(null)) await files.damaged(level, draft.group, 0);
			record = wholeOf(
				older.filter((each) => each !== null),
				record,
				SLOTS,
			);
		}
		await file.append(record, encodeRecord(level, record));
		await file.compact();
	}

	return {
		async read(level, key, wanted) {
			const records = await files.use(level, key.group, (file) => recordsOf(level, file, key, wanted));
			if (records === null || records.length === 0) return null;
			if (records.includes(null)) await files.damaged(level, key.group, 0);
			return overlaid(
				records.filter((record) => record !== null),
				SLOTS,
			);
		},
		write: (level, draft, isOver) => files.make(level, draft.group, (file) => appendTo(file, level, draft, isOver)),
		sync: () => files.sync(),
		periods: () => files.periods(),
		isThinned: (atMs) => files.isThinned('hour', atMs),
		bytes: (level) => files.periods().reduce((sum, period) => (period.level === level ? sum + period.bytes : sum), 0),
		drop: (period) => files.drop(period),
		thin: (period) => files.replace(period, (from, to) => copyCounters(period.level, from, to)),
		stop: () => files.stop(),
	};
}
