import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createDocumentSet, type DocumentSet } from '../storage/document-set.ts';
import { openDatabase } from '../storage/pouch.ts';
import { createRecordFeed, openFeedIdentity, type RecordFeed } from './record-feed.ts';

/** Records whose changes another box can follow. */
export interface SyncedSet<T> extends DocumentSet<T>, Stoppable {
	/** To be asked for after `all`. */
	readonly feed: RecordFeed<T>;
}

type Saved<T> = T & { readonly seq?: number };

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
	const documents = createDocumentSet<Saved<T>>(database, kind);
	const identity = await openFeedIdentity(database, log);

	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what was put in, without what was added
	const plain = ({ seq: _seq, ...record }: Saved<T>): T => record as unknown as T;

	const saved = (await documents.all()).map((one) => ({ seq: one.seq ?? 0, record: current(plain(one)) }));
	const book = createRecordFeed(identity, saved);

	return {
		all: async () => book.all(),
		async write(changed, removedIds = []) {
			const numbered = book.number(changed);
			await documents.write(
				numbered.map(({ seq, record }) => ({ ...record, seq })),
				removedIds,
			);
			book.forget(removedIds);
			book.wrote(numbered);
		},
		feed: book.feed,
		async stop() {
			await identity.stop();
			await database.close();
		},
	};
}
