import { type DocumentDatabase, openDatabase } from '../storage/pouch.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import { DEFAULT_TENANT } from '../kernel/id.ts';
import type { Account } from './account.ts';
import type { AccountRepository } from './account-repository.ts';

export type AccountDocument = Account & { readonly kind: 'account' };

/** Accounts as documents of a database of their own, one document per account. */
export function createAccountStore(folder: string): AccountRepository & Stoppable {
	const database: DocumentDatabase<AccountDocument> = openDatabase<AccountDocument>(folder);
	const revisions = new Map<string, string>();

	return {
		async all() {
			const { rows } = await database.allDocs({ include_docs: true });
			return rows.flatMap((row) => {
				if (!('doc' in row) || row.doc?.kind !== 'account') return [];
				const { _id, _rev, kind: _kind, ...account } = row.doc;
				revisions.set(_id, _rev);
				// Accounts of a version without tenants and grants.
				return [{ ...account, tenantId: account.tenantId ?? DEFAULT_TENANT, granted: account.granted ?? [] }];
			});
		},
		async save(account) {
			const revision = revisions.get(account.id);
			const { rev } = await database.put({
				...account,
				kind: 'account',
				_id: account.id,
				...(revision !== undefined && { _rev: revision }),
			});
			revisions.set(account.id, rev);
		},
		async stop() {
			await database.close();
		},
	};
}
