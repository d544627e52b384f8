import type { Account } from './account.ts';

/** Where accounts are kept. What a promise confirms is on disk. */
export interface AccountRepository {
	/** With deleted ones. */
	all(): Promise<readonly Account[]>;
	/** Inserts the account or replaces the one with its id. */
	save(account: Account): Promise<void>;
	/** Removes the record of an account for good; no error when there is none. */
	forget(id: string): Promise<void>;
}
