import { duplicate, notFound } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import { type Account, normalEmail } from './account.ts';
import type { AccountRepository } from './account-repository.ts';

/** All accounts in memory over their repository, so that each request sees a change at once and without the disk. */
export interface AccountDirectory {
	byId(id: string): Account | undefined;
	/** Case does not count. */
	byEmail(email: string): Account | undefined;
	count(): number;
	/** In no particular order. */
	all(): Iterable<Account>;
	/** @throws Fault `duplicate` when the email or the username is taken. */
	add(account: Account): Promise<void>;
	/**
	 * Replaces an account by what `change` makes of its newest state; changes happen one after the other. What `change` throws is
	 * passed on and nothing changes. @throws Fault `not-found`
	 */
	change(id: string, change: (current: Account) => Account): Promise<Account>;
}

/** Most changes that may wait for the disk. */
const MAX_WAITING = 256;

export async function openAccountDirectory(repository: AccountRepository): Promise<AccountDirectory> {
	const byId = new Map<string, Account>();
	const idByEmail = new Map<string, string>();
	const gate = createGate({ what: 'changes of accounts', parallel: 1, waiting: MAX_WAITING });

	function keep(account: Account): void {
		const before = byId.get(account.id);
		if (before !== undefined) idByEmail.delete(before.email);
		byId.set(account.id, account);
		idByEmail.set(account.email, account.id);
	}

	function refuseTaken(account: Account): void {
		if (idByEmail.has(account.email)) throw duplicate('email', account.email);
		for (const { username } of byId.values()) if (username === account.username) throw duplicate('username', username);
	}

	for (const account of await repository.all()) keep(account);

	return {
		byId: (id) => byId.get(id),
		byEmail(email) {
			const id = idByEmail.get(normalEmail(email));
			return id === undefined ? undefined : byId.get(id);
		},
		count: () => byId.size,
		all: () => byId.values(),
		add: (account) =>
			gate.run(async () => {
				refuseTaken(account);
				await repository.save(account);
				keep(account);
			}),
		change: (id, change) =>
			gate.run(async () => {
				const current = byId.get(id);
				if (current === undefined) throw notFound('user', id);
				const changed = change(current);
				await repository.save(changed);
				keep(changed);
				return changed;
			}),
	};
}
