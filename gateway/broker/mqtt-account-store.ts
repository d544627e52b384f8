import type { Logger } from '../../core/kernel/log.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';
import type { MqttAccountRepository } from './mqtt-account-repository.ts';
import type { StoredAccount } from './mqtt-account.ts';

interface AccountFile {
	readonly accounts: readonly StoredAccount[];
}

const byUsername = ({ accounts }: AccountFile): Map<string, StoredAccount> =>
	new Map(accounts.map((account) => [account.username, account]));

/**
 * Opens the logins of a JSON file; a missing file has none. A damaged one is put aside and logged: the devices need new logins then,
 * and the rest of the box works.
 */
export async function createMqttAccountStore(path: string, log: Logger): Promise<MqttAccountRepository> {
	const file = await openSettingsStore<AccountFile>({ path, defaults: { accounts: [] }, log });
	let byName = byUsername(file.get());

	/** Memory follows the disk, not the other way round: a password that was not stored is not valid. */
	async function change<T>(apply: (accounts: Map<string, StoredAccount>) => T): Promise<T> {
		const results: T[] = [];
		const stored = await file.update((current) => {
			const changed = byUsername(current);
			results.push(apply(changed));
			return { accounts: [...changed.values()] };
		});
		byName = byUsername(stored);
		const [result] = results;
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `update` has called the function, or has thrown
		return result as T;
	}

	return {
		find: (username) => byName.get(username) ?? null,
		all: () => [...byName.values()],
		put: (account) => change((changed) => void changed.set(account.username, account)),
		remove: (username) => change((changed) => changed.delete(username)),
	};
}
