import type { Account } from './account.ts';

/** Where accounts are kept. What a promise confirms is on disk. */
export interface AccountRepository {
	all(): Promise<readonly Account[]>;
	/** Inserts the account or replaces the one with its id. */
	save(account: Account): Promise<void>;
}
