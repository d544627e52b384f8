import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import leveldown from 'leveldown';
import PouchDB from 'pouchdb';

/**
 * LevelDOWN with `sync: true` on every write. PouchDB passes no options to its store, so as shipped the last seconds of
 * acknowledged writes are gone after a power cut. PouchDB keys its map of open stores by this function's name.
 */
function syncedLevelDown(location: string): object {
	const down = leveldown(location);
	for (const method of ['_batch', '_put', '_del'] as const) {
		const plain: unknown = Reflect.get(down, method);
		if (typeof plain !== 'function')
			throw new TypeError(`leveldown has no ${method}; its version is not the one this wrapper knows`);
		Reflect.set(down, method, (...given: unknown[]) => {
			// (…, options, callback): the options come last but one.
			const options: unknown = given.at(-2);
			given[given.length - 2] = { ...(typeof options === 'object' ? options : {}), sync: true };
			return Reflect.apply(plain, down, given) as unknown;
		});
	}
	return down;
}
Object.assign(syncedLevelDown, leveldown);

export type DocumentDatabase<T extends object = Record<string, unknown>> = PouchDB.Database<T>;

/** Opens (and makes) a document database in a folder; what a promise of it confirms is on disk. */
export function openDatabase<T extends object>(folder: string): DocumentDatabase<T> {
	mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
	const options = { adapter: 'leveldb', db: syncedLevelDown, revs_limit: 5, auto_compaction: true };
	return new PouchDB<T>(folder, options);
}
