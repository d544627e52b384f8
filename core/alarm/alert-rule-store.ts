import type { Stoppable } from '../kernel/lifecycle.ts';
import { openDocumentSet } from '../storage/document-set.ts';
import type { AlertRuleRepository } from './alert-rule-repository.ts';
import type { AlertRule } from './alert-rule.ts';

/** Rules as documents of a database of their own. */
export function createAlertRuleStore(folder: string): AlertRuleRepository & Stoppable {
	const documents = openDocumentSet<AlertRule>(folder, 'alert-rule');
	return {
		async all() {
			const rules = await documents.all();
			// Rules of a version without revisions.
			return rules.map((rule) => Object.assign({}, rule, { revision: rule.revision ?? 1 }));
		},
		save: (rule) => documents.write([rule]),
		remove: (id) => documents.write([], [id]),
		stop: () => documents.stop(),
	};
}
