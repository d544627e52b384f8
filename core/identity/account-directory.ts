import { duplicate, Fault, notFound } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import { type Account, normalEmail } from './account.ts';
import type { AccountRepository } from './account-repository.ts';

/** All accounts in memory over their repository, so that each request sees a change at once and without the disk. Deleted ones are not seen. */
export interface AccountDirectory {
	byId(id: string): Account | undefined;
	/** Case does not count. */
	byEmail(email: string): Account | undefined;
	/** Case does not count. */
	byUsername(username: string): Account | undefined;
	/** Newest first, ties by id. */
	all(): readonly Account[];
	count(): number;
	/** @throws Fault `duplicate` when the email or the username is taken, `rule-violation` when there are too many accounts. */
	add(account: Account): Promise<void>;
	/** As `add`; `make` runs when no other change does, and sees the newest state of all. */
	create(make: () => Account): Promise<Account>;
	/**
	 * Replaces an account by what `change` makes of its newest state; changes happen one after the other, so that it sees the newest
	 * state of all others too. What `change` throws is passed on and nothing changes. @throws Fault `not-found` | `duplicate`
	 */
	change(id: string, change: (current: Account) => Account): Promise<Account>;
	/** Adds a listener for accounts that have changed, deleted ones included. It must not throw. */
	listen(listener: (account: Account) => void): void;
}

/** Most changes that may wait for the disk. */
const MAX_WAITING = 256;

/** All of them are kept in memory: about 1 kB each. */
export const MAX_ACCOUNTS = 10_000;

/** Most records of deleted accounts; the oldest give way. */
const MAX_DELETED = 1_000;

const nameKey = (username: string): string => username.toLowerCase();

/** Newest first, ties by id. */
const inListOrder = (one: Account, other: Account): number =>
	other.createdAt - one.createdAt || (one.id < other.id ? -1 : 1);

export async function openAccountDirectory(
	repository: AccountRepository,
	{ maxAccounts = MAX_ACCOUNTS, maxDeleted = MAX_DELETED } = {},
): Promise<AccountDirectory> {
	const byId = new Map<string, Account>();
	const idByEmail = new Map<string, string>();
	const idByName = new Map<string, string>();
	/** Oldest first. */
	const deleted: string[] = [];
	const gate = createGate({ what: 'changes of accounts', parallel: 1, waiting: MAX_WAITING });
	const listeners: ((account: Account) => void)[] = [];
	let ordered: readonly Account[] | null = null;

	function keep(account: Account): void {
		const before = byId.get(account.id);
		if (before !== undefined) {
			idByEmail.delete(before.email);
			idByName.delete(nameKey(before.username));
		}
		ordered = null;
		if (account.deletedAt !== null) {
			byId.delete(account.id);
			deleted.push(account.id);
			return;
		}
		byId.set(account.id, account);
		idByEmail.set(account.email, account.id);
		idByName.set(nameKey(account.username), account.id);
	}

	function refuseTaken({ id, email, username }: Account): void {
		if ((idByEmail.get(email) ?? id) !== id) throw duplicate('email', email);
		if ((idByName.get(nameKey(username)) ?? id) !== id) throw duplicate('username', username);
	}

	async function forgetOldest(): Promise<void> {
		while (deleted.length > maxDeleted) {
			const [oldest = ''] = deleted;
			await repository.forget(oldest);
			deleted.shift();
		}
	}

	async function save(account: Account): Promise<void> {
		if (account.deletedAt === null) refuseTaken(account);
		await repository.save(account);
		keep(account);
		for (const listener of listeners) listener(account);
		if (account.deletedAt !== null) await forgetOldest();
	}

	const found = (id: string | undefined): Account | undefined => (id === undefined ? undefined : byId.get(id));

	function create(make: () => Account): Promise<Account> {
		return gate.run(async () => {
			if (byId.size >= maxAccounts)
				throw new Fault('rule-violation', `there are ${byId.size} accounts; no more than ${maxAccounts} are kept`);
			const account = make();
			await save(account);
			return account;
		});
	}

	const kept = await repository.all();
	for (const account of kept.toSorted((a, b) => (a.deletedAt ?? 0) - (b.deletedAt ?? 0))) keep(account);
	await forgetOldest();

	return {
		byId: (id) => byId.get(id),
		byEmail: (email) => found(idByEmail.get(normalEmail(email))),
		byUsername: (username) => found(idByName.get(nameKey(username))),
		all: () => (ordered ??= [...byId.values()].toSorted(inListOrder)),
		count: () => byId.size,
		add: async (account) => void (await create(() => account)),
		create,
		change: (id, change) =>
			gate.run(async () => {
				const current = byId.get(id);
				if (current === undefined) throw notFound('user', id);
				const changed = change(current);
				if (changed !== current) await save(changed);
				return changed;
			}),
		listen: (listener) => void listeners.push(listener),
	};
}
