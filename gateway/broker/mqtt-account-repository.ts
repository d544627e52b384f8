import type { StoredAccount } from './mqtt-account.ts';

/** Logins of the local broker; reading is answered from memory, writing resolves when it is on disk. */
export interface MqttAccountRepository {
	find(username: string): StoredAccount | null;
	all(): readonly StoredAccount[];
	/** Adds or replaces. */
	put(account: StoredAccount): Promise<void>;
	/** `false` when there was none. */
	remove(username: string): Promise<boolean>;
}
