import type { Alert } from './alert.ts';

/** Where alerts are kept. What a promise confirms is on disk. */
export interface AlertRepository {
	all(): Promise<readonly Alert[]>;
	/** Inserts these alerts or replaces those with their ids, and removes others. @throws when one of them was not written */
	write(changed: readonly Alert[], removedIds: readonly string[]): Promise<void>;
}
