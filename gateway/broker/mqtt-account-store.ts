import { durableJsonFile } from '../../core/storage/json-file.ts';
import type { MqttAccountRepository } from './mqtt-account-repository.ts';
import type { StoredAccount } from './mqtt-account.ts';

interface AccountFile {
	readonly accounts: readonly StoredAccount[];
}

/** Opens the logins of a JSON file; a missing file has none. Writes go one after the other. */
export async function createMqttAccountStore(path: string): Promise<MqttAccountRepository> {
	const file = durableJsonFile<AccountFile>(path);
	let byName = new Map((await file.read())?.accounts.map((account) => [account.username, account]));
	let last: Promise<unknown> = Promise.resolve();

	/** Memory follows the disk, not the other way round: a password that was not stored is not valid. */
	function change<T>(apply: (accounts: Map<string, StoredAccount>) => T): Promise<T> {
		async function write(): Promise<T> {
			const changed = new Map(byName);
			const result = apply(changed);
			await file.write({ accounts: [...changed.values()] });
			byName = changed;
			return result;
		}
		const turn = last.then(write);
		last = turn.catch(() => undefined);
		return turn;
	}

	return {
		find: (username) => byName.get(username) ?? null,
		all: () => [...byName.values()],
		put: (account) => change((changed) => void changed.set(account.username, account)),
		remove: (username) => change((changed) => changed.delete(username)),
	};
}
