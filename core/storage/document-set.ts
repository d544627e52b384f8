import { Fault } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import { type DocumentDatabase, openDatabase } from './pouch.ts';

/** Records by their id, a document for each. The caller writes one after the other. */
export interface DocumentSet<T> {
	all(): Promise<readonly T[]>;
	/** Inserts or replaces records by their id, and removes others. @throws Fault `unavailable` when the disk does not take it all */
	write(changed: readonly T[], removedIds?: readonly string[]): Promise<void>;
}

/** @param kind what the documents say they are; others in the database are left alone. '': nothing, and all are meant */
export function createDocumentSet<T extends { readonly id: string }>(
	database: DocumentDatabase<T>,
	kind = '',
): DocumentSet<T> {
	/** Of each document that is there: the next write has to name it. */
	const revisions = new Map<string, string>();

	const revisionOf = (id: string): { readonly _rev?: string } => {
		const revision = revisions.get(id);
		return revision === undefined ? {} : { _rev: revision };
	};

	const mark = kind === '' ? {} : { kind };

	const documentOf = (record: T) => ({ ...record, ...mark, _id: record.id, ...revisionOf(record.id) });

	const removalOf = (id: string) => ({ _id: id, _deleted: true, ...revisionOf(id) });

	/** A write that failed may be on disk all the same. */
	async function refresh(id: string): Promise<void> {
		try {
			const { _rev } = await database.get(id);
			revisions.set(id, _rev);
		} catch {
			revisions.delete(id);
		}
	}

	/** @returns ids of what the database refused */
	async function attempt(changed: readonly T[], removedIds: readonly string[]): Promise<ReadonlySet<string>> {
		const documents = [...changed.map(documentOf), ...removedIds.map(removalOf)];
		if (documents.length === 0) return new Set();
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of bulkDocs know no deletions
		const results = await database.bulkDocs(documents as unknown as PouchDB.Core.PutDocument<T>[]);
		const removed = new Set(removedIds);
		const refused = new Set<string>();
		for (const { id = '', ...result } of results) {
			if (!('rev' in result) || typeof result.rev !== 'string') refused.add(id);
			else if (removed.has(id)) revisions.delete(id);
			else revisions.set(id, result.rev);
		}
		return refused;
	}

	return {
		async all() {
			const { rows } = await database.allDocs({ include_docs: true });
			return rows.flatMap((row) => {
				if (!('doc' in row) || !row.doc || !('id' in row.doc)) return [];
				const { _id, _rev, ...document } = row.doc;
				const { kind: found = '', ...record } = Object.assign<{ kind?: string }, object>({}, document);
				if (found !== kind) return [];
				revisions.set(_id, _rev);
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what was put in, without what was added
				return [record as unknown as T];
			});
		},
		async write(changed, removedIds = []) {
			// One that never reached the disk needs no removal.
			const refused = await attempt(
				changed,
				removedIds.filter((id) => revisions.has(id)),
			);
			if (refused.size === 0) return;
			for (const id of refused) await refresh(id);
			const left = await attempt(
				changed.filter(({ id }) => refused.has(id)),
				removedIds.filter((id) => refused.has(id) && revisions.has(id)),
			);
			if (left.size > 0) throw new Fault('unavailable', `${left.size} changes were not stored`);
		},
	};
}

/** A database that holds records of this kind only. */
export function openDocumentSet<T extends { readonly id: string }>(
	folder: string,
	kind: string,
): DocumentSet<T> & Stoppable {
	const database = openDatabase<T>(folder);
	return { ...createDocumentSet(database, kind), stop: () => database.close() };
}
