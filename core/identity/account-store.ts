import { DEFAULT_TENANT } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import { type DocumentDatabase, openDatabase } from '../storage/pouch.ts';
import type { Account } from './account.ts';
import type { AccountRepository } from './account-repository.ts';

export type AccountDocument = Account & { readonly kind: 'account'; readonly tokenGeneration?: number };

/** What a document of an older version lacks. */
const OLDER: Pick<Account, 'tenantId' | 'granted' | 'mustChangePassword' | 'knownNetworks' | 'revision' | 'deletedAt'> =
	{
		tenantId: DEFAULT_TENANT,
		granted: [],
		mustChangePassword: false,
		knownNetworks: [],
		revision: 1,
		deletedAt: null,
	};

/** The account of a document of any version. */
function toAccount(document: AccountDocument): Account {
	const { kind: _kind, tokenGeneration: _generation, ...account } = document;
	const beganAt = account.lastLoginAt ?? account.createdAt;
	const unknown = { createdAt: beganAt, lastUsedAt: beganAt, address: '', userAgent: '' };
	return {
		...OLDER,
		...account,
		sessions: account.sessions.map((session) => Object.assign({}, unknown, session)),
	};
}

/** Accounts as documents of a database of their own, one document per account. */
export function createAccountStore(folder: string): AccountRepository & Stoppable {
	const database: DocumentDatabase<AccountDocument> = openDatabase<AccountDocument>(folder);
	const revisions = new Map<string, string>();

	return {
		async all() {
			const { rows } = await database.allDocs({ include_docs: true });
			return rows.flatMap((row) => {
				if (!('doc' in row) || row.doc?.kind !== 'account') return [];
				const { _id, _rev, ...document } = row.doc;
				revisions.set(_id, _rev);
				return [toAccount(document)];
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
		async forget(id) {
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
