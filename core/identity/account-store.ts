import { DEFAULT_TENANT } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import { openDocumentSet } from '../storage/document-set.ts';
import type { Account } from './account.ts';
import type { AccountRepository } from './account-repository.ts';

type AccountDocument = Account & { readonly tokenGeneration?: number };

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
	const { tokenGeneration: _generation, ...account } = document;
	const beganAt = account.lastLoginAt ?? account.createdAt;
	const unknown = { createdAt: beganAt, lastUsedAt: beganAt, address: '', userAgent: '' };
	return {
		...OLDER,
		...account,
		sessions: account.sessions.map((session) => Object.assign({}, unknown, session)),
	};
}

/** Accounts as documents of a database of their own. */
export function createAccountStore(folder: string): AccountRepository & Stoppable {
	const documents = openDocumentSet<AccountDocument>(folder, 'account');
	return {
		all: async () => (await documents.all()).map(toAccount),
		save: (account) => documents.write([account]),
		forget: (id) => documents.write([], [id]),
		stop: () => documents.stop(),
	};
}
