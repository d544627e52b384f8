import type { Stoppable } from '../kernel/lifecycle.ts';
import { type DocumentDatabase, openDatabase } from '../storage/pouch.ts';
import type { AlertRepository } from './alert-repository.ts';
import type { Alert } from './alert.ts';

export type AlertDocument = Alert & { readonly kind: 'alert' };

/** Alerts as documents of a database of their own, one document per alert. Writes come one after the other. */
export function createAlertStore(folder: string): AlertRepository & Stoppable {
	const database: DocumentDatabase<AlertDocument> = openDatabase<AlertDocument>(folder);
	const revisions = new Map<string, string>();

	const revisionOf = (id: string): { readonly _rev?: string } => {
		const revision = revisions.get(id);
		return revision === undefined ? {} : { _rev: revision };
	};

	/** After a write that failed halfway the disk may be further than what is known here. */
	async function refresh(id: string): Promise<void> {
		try {
			const { _rev } = await database.get(id);
			revisions.set(id, _rev);
		} catch {
			revisions.delete(id);
		}
	}

	const documentOf = (alert: Alert): AlertDocument & { readonly _id: string } =>
		Object.assign({ _id: alert.id, kind: 'alert' as const }, revisionOf(alert.id), alert);

	const removalOf = (id: string) => Object.assign({ _id: id, _deleted: true as const }, revisionOf(id));

	return {
		async all() {
			const { rows } = await database.allDocs({ include_docs: true });
			return rows.flatMap((row) => {
				if (!('doc' in row) || row.doc?.kind !== 'alert') return [];
				const { _id, _rev, kind: _kind, ...alert } = row.doc;
				revisions.set(_id, _rev);
				return [alert];
			});
		},
		async write(changed, removedIds) {
			// One that never reached the disk needs no removal.
			const removals = removedIds.filter((id) => revisions.has(id)).map(removalOf);
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of bulkDocs know no deletions
			const documents = [...changed.map(documentOf), ...removals] as PouchDB.Core.PutDocument<AlertDocument>[];
			const results = await database.bulkDocs(documents);
			const removed = new Set(removedIds);
			const refused: string[] = [];
			for (const { id = '', ...result } of results) {
				if (!('rev' in result) || typeof result.rev !== 'string') refused.push(id);
				else if (removed.has(id)) revisions.delete(id);
				else revisions.set(id, result.rev);
			}
			if (refused.length === 0) return;
			for (const id of refused) await refresh(id);
			throw new Error(`alerts were not written: ${refused.join(', ')}`);
		},
		async stop() {
			await database.close();
		},
	};
}
