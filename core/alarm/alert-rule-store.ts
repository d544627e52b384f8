import type { Stoppable } from '../kernel/lifecycle.ts';
import { type DocumentDatabase, openDatabase } from '../storage/pouch.ts';
import type { AlertRuleRepository } from './alert-rule-repository.ts';
import type { AlertRule } from './alert-rule.ts';

export type AlertRuleDocument = AlertRule & { readonly kind: 'alert-rule' };

/** Rules as documents of a database of their own, one document per rule. Changes come one after the other. */
export function createAlertRuleStore(folder: string): AlertRuleRepository & Stoppable {
	const database: DocumentDatabase<AlertRuleDocument> = openDatabase<AlertRuleDocument>(folder);
	const revisions = new Map<string, string>();

	return {
		async all() {
			const { rows } = await database.allDocs({ include_docs: true });
			return rows.flatMap((row) => {
				if (!('doc' in row) || row.doc?.kind !== 'alert-rule') return [];
				const { _id, _rev, kind: _kind, ...rule } = row.doc;
				revisions.set(_id, _rev);
				// Rules of a version without revisions.
				return [{ ...rule, revision: rule.revision ?? 1 }];
			});
		},
		async save(rule) {
			const revision = revisions.get(rule.id);
			const { rev } = await database.put({
				...rule,
				kind: 'alert-rule',
				_id: rule.id,
				...(revision !== undefined && { _rev: revision }),
			});
			revisions.set(rule.id, rev);
		},
		async remove(id) {
			const revision = revisions.get(id);
			if (revision === undefined) return;
			await database.remove(id, revision);
			revisions.delete(id);
		},
		async stop() {
			await database.close();
		},
	};
}
