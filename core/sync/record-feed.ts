import { randomUUID } from 'node:crypto';

import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createDocumentSet, type DocumentSet } from '../storage/document-set.ts';
import type { DocumentDatabase } from '../storage/pouch.ts';
import { createSyncPositions, type SavedPosition, type SyncPositions } from './sync-positions.ts';

/** A record as it stands in the feed. */
export interface FeedEntry<T> {
	/** Counts changes of this box, from 1; a record has the number of its last one. */
	readonly seq: number;
	readonly record: T;
	/** The box that this state came from; `null`: it was made, or merged, here. */
	readonly source: string | null;
}

/** The records of a set in the order of their last change, as another box follows them. Only what is on disk is in it. */
export interface RecordFeed<T> {
	/** Another one after the database was lost, so that a position in the old one means nothing. */
	readonly id: string;
	/** Number of the last change; 0 before the first. */
	readonly head: () => number;
	/** Changes after a number, oldest first: what `pick` makes of them, as many as asked for at most, `null` left out; and the number they reach to. */
	readonly since: <R>(
		seq: number,
		limit: number,
		pick: (entry: FeedEntry<T>) => R | null,
	) => { readonly picked: readonly R[]; readonly through: number };
	/** Told when something new is on disk. Must not throw or wait. Answers how to remove it. */
	readonly listen: (listener: () => void) => () => void;
	/** Says that this very object came from another box, which need not hear of it again. To be called before it is written. */
	readonly cameFrom: (record: T & object, source: string) => void;
	readonly positions: SyncPositions;
}

/** What a feed is known by to other boxes, and how far they are in it; beside the records. */
export interface FeedIdentity extends Stoppable {
	readonly id: string;
	readonly positions: SyncPositions;
}

interface Identity {
	readonly id: string;
	readonly feed: string;
}

/** Loads the identity of the feed of a database, or makes one. To be stopped before the database is closed. */
export async function openFeedIdentity(database: DocumentDatabase<never>, log: Logger): Promise<FeedIdentity> {
	const setOf = <R extends { readonly id: string }>(what: string): DocumentSet<R> =>
		// Each sees the documents of its kind only.
		createDocumentSet<R>(database, what);
	const identities = setOf<Identity>('feed');
	const known = (await identities.all())[0];
	const id = known?.feed ?? randomUUID();
	if (known === undefined) await identities.write([{ id: 'feed', feed: id }]);
	const positions = await createSyncPositions(setOf<SavedPosition>('position'), log);
	return {
		id,
		positions,
		stop: () =>
			positions.stop().catch((error: unknown) => log.debug('positions-not-saved', { reason: messageOf(error) })),
	};
}

/** A record with its number. */
export interface Numbered<T> {
	/** 0: it has none yet. */
	readonly seq: number;
	readonly record: T;
}

/** The feed of records that somebody else stores, with their numbers, one write after the other. */
export function createRecordFeed<T extends { readonly id: string }>(
	{ id, positions }: Pick<FeedIdentity, 'id' | 'positions'>,
	saved: readonly Numbered<T>[],
) {
	/** In the order of their numbers. */
	const entries = new Map<string, FeedEntry<T>>();
	const listeners = new Set<() => void>();
	const sources = new WeakMap<object, string>();
	// What the other box has acknowledged was numbered, even when it is removed by now.
	let numbered = saved.reduce((highest, { seq }) => Math.max(highest, seq), positions.highestAcked());
	const isNew = ({ seq }: Numbered<T>): boolean => seq === 0;
	for (const { seq, record } of saved.filter((one) => !isNew(one)).toSorted((one, other) => one.seq - other.seq))
		entries.set(record.id, { seq, record, source: null });
	// Records of a version without a feed are new to everybody.
	for (const { record } of saved.filter(isNew)) entries.set(record.id, { seq: (numbered += 1), record, source: null });
	/** The last number that is on disk: what is being written is not in the feed yet, and none may reach beyond it. */
	let head = numbered;

	const feed: RecordFeed<T> = {
		id,
		head: () => head,
		since<R>(after: number, limit: number, pick: (entry: FeedEntry<T>) => R | null) {
			const picked: R[] = [];
			if (after >= head) return { picked, through: after };
			for (const entry of entries.values()) {
				if (entry.seq <= after) continue;
				const one = pick(entry);
				if (one !== null && picked.push(one) >= limit) return { picked, through: entry.seq };
			}
			return { picked, through: head };
		},
		listen(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		cameFrom: (record, source) => void sources.set(record, source),
		positions,
	};

	return {
		feed,
		all: (): readonly T[] => [...entries.values()].map(({ record }) => record),
		/** Numbers for records that are to be written; used up also when the disk refuses, which may have some of them. */
		number: (changed: readonly T[]): readonly Numbered<T>[] =>
			changed.map((record) => ({ seq: (numbered += 1), record })),
		/** They are on disk. */
		wrote: (changed: readonly Numbered<T>[]): void => {
			for (const { seq, record } of changed) {
				entries.delete(record.id);
				entries.set(record.id, { seq, record, source: sources.get(record) ?? null });
			}
			head = numbered;
			for (const listener of listeners) listener();
		},
		/** They are kept no longer. */
		forget: (ids: readonly string[]): void => {
			for (const forgotten of ids) entries.delete(forgotten);
		},
	};
}
