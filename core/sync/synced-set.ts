import { randomUUID } from 'node:crypto';

import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createDocumentSet, type DocumentSet } from '../storage/document-set.ts';
import { openDatabase } from '../storage/pouch.ts';
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

/** Records whose changes another box can follow. */
export interface SyncedSet<T> extends DocumentSet<T>, Stoppable {
	/** To be asked for after `all`. */
	readonly feed: RecordFeed<T>;
}

type Saved<T> = T & { readonly seq?: number };

interface Identity {
	readonly id: string;
	readonly feed: string;
}

/** Opens a database of records with their feed and loads its numbers. The caller writes one after the other. */
export async function openSyncedSet<T extends { readonly id: string }>({
	folder,
	kind,
	log,
	current,
}: {
	readonly folder: string;
	/** What the documents say they are. */
	readonly kind: string;
	readonly log: Logger;
	/** The record as this version has it. */
	readonly current: (saved: T) => T;
}): Promise<SyncedSet<T>> {
	const database = openDatabase<never>(folder);
	const setOf = <R extends { readonly id: string }>(what: string): DocumentSet<R> =>
		// Each sees the documents of its kind only.
		createDocumentSet<R>(database, what);
	const documents = setOf<Saved<T>>(kind);
	const identities = setOf<Identity>('feed');
	const known = (await identities.all())[0];
	const id = known?.feed ?? randomUUID();
	if (known === undefined) await identities.write([{ id: 'feed', feed: id }]);
	const positions = await createSyncPositions(setOf<SavedPosition>('position'), log);

	/** In the order of their numbers. */
	const entries = new Map<string, FeedEntry<T>>();
	const listeners = new Set<() => void>();
	const sources = new WeakMap<object, string>();
	// What the other box has acknowledged was numbered, even when it is removed by now.
	let numbered = positions.highestAcked();

	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what was put in, without what was added
	const plain = ({ seq: _seq, ...record }: Saved<T>): T => record as unknown as T;

	for (const saved of (await documents.all()).toSorted((one, other) => (one.seq ?? 0) - (other.seq ?? 0))) {
		numbered = Math.max(numbered, saved.seq ?? 0);
		entries.set(saved.id, { seq: saved.seq ?? 0, record: current(plain(saved)), source: null });
	}
	// Records of a version without a feed are new to everybody.
	for (const [key, entry] of entries) {
		if (entry.seq > 0) break;
		numbered += 1;
		entries.delete(key);
		entries.set(key, { ...entry, seq: numbered });
	}
	/** The last number that is on disk: what is being written is not in the feed yet, and none may reach beyond it. */
	let head = numbered;

	function tell(): void {
		for (const listener of listeners) listener();
	}

	return {
		all: async () => [...entries.values()].map(({ record }) => record),
		async write(changed, removedIds = []) {
			const first = numbered + 1;
			// Used up also when the disk refuses: some of it may be there.
			numbered += changed.length;
			await documents.write(
				changed.map((record, index) => ({ ...record, seq: first + index })),
				removedIds,
			);
			for (const removed of removedIds) entries.delete(removed);
			for (const [index, record] of changed.entries()) {
				entries.delete(record.id);
				entries.set(record.id, { seq: first + index, record, source: sources.get(record) ?? null });
			}
			head = numbered;
			tell();
		},
		feed: {
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
		},
		async stop() {
			await positions.stop().catch((error: unknown) => log.debug('positions-not-saved', { reason: messageOf(error) }));
			await database.close();
		},
	};
}
