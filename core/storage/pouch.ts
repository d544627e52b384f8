import { mkdirSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

import leveldown from 'leveldown';
import PouchDB from 'pouchdb';

import { diskFault } from './disk-fault.ts';

/** How often LevelDB writes what it is given: into its log, into a table, and when tables are merged. */
const COPIES = 3;
/** Its log grows with each write, so inode and journal of the file system are written too. */
const BLOCKS_PER_WRITE = 4;
const BLOCK_BYTES = 4096;

/** About how many bytes each database has made the file system write, by its folder. */
const writtenBytes = new Map<string, number>();

/** Of all databases below a folder since the start; an estimate, because LevelDB does not tell. */
export function documentBytesBelow(folder: string): number {
	let bytes = 0;
	for (const [location, count] of writtenBytes) if (location.startsWith(`${folder}${sep}`)) bytes += count;
	return bytes;
}

const lengthOf = (value: unknown): number => (typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 0);

/** What the arguments of a write carry: keys and values, alone or in the operations of a batch. */
function payloadOf(given: readonly unknown[]): number {
	let bytes = 0;
	for (const argument of given)
		if (!Array.isArray(argument)) bytes += lengthOf(argument);
		else
			for (const { key, value } of argument as readonly { key?: unknown; value?: unknown }[])
				bytes += lengthOf(key) + lengthOf(value);
	return bytes;
}

function countWrite(location: string, given: readonly unknown[]): void {
	const blocks = Math.ceil((payloadOf(given) * COPIES) / BLOCK_BYTES) + BLOCKS_PER_WRITE;
	writtenBytes.set(location, (writtenBytes.get(location) ?? 0) + blocks * BLOCK_BYTES);
}

/**
 * A log of so many bytes is made a table. LevelDB replays what is in the log when it is opened, which takes as much room: the four megabytes that
 * are usual would be too many on a full disk, and are for databases much larger than these.
 */
export const WRITE_BUFFER_BYTES = 1024 * 1024;

/**
 * LevelDOWN with `sync: true` on every write. PouchDB passes no options to its store, so as shipped the last seconds of
 * acknowledged writes are gone after a power cut. PouchDB keys its map of open stores by this function's name.
 *
 * After a write that failed, every further one is refused: LevelDB goes on behind the torn record, which hides from the next start all that
 * follows it. Only opening the store again cuts it off.
 */
function syncedLevelDown(location: string): object {
	const down = leveldown(location);
	let failure: unknown = null;
	const plainOpen: unknown = Reflect.get(down, '_open');
	if (typeof plainOpen !== 'function')
		throw new TypeError('leveldown has no _open; its version is not the one this wrapper knows');
	Reflect.set(down, '_open', (options: object, done: unknown) =>
		Reflect.apply(plainOpen, down, [{ ...options, writeBufferSize: WRITE_BUFFER_BYTES }, done]),
	);
	for (const method of ['_batch', '_put', '_del'] as const) {
		const plain: unknown = Reflect.get(down, method);
		if (typeof plain !== 'function')
			throw new TypeError(`leveldown has no ${method}; its version is not the one this wrapper knows`);
		Reflect.set(down, method, (...given: unknown[]) => {
			// (…, options, callback): the options come last but one.
			const options: unknown = given.at(-2);
			const done: unknown = given.at(-1);
			if (typeof done !== 'function') throw new TypeError(`leveldown calls ${method} without a callback`);
			if (failure !== null) {
				process.nextTick(done, failure);
				return;
			}
			countWrite(location, given.slice(0, -2));
			Reflect.apply(plain, down, [
				...given.slice(0, -2),
				{ ...(typeof options === 'object' ? options : {}), sync: true },
				(error: unknown) => {
					failure ??= error ?? null;
					Reflect.apply(done, undefined, [error]);
				},
			]);
		});
	}
	return down;
}
Object.assign(syncedLevelDown, leveldown);

const READS = ['allDocs', 'get', 'info'] as const;
const WRITES = ['bulkDocs', 'put', 'remove'] as const;

/**
 * A document database. What a promise of it confirms is on disk. A write that the disk does not take rejects with Fault `unavailable`;
 * reads go on, and so do writes as soon as there is room.
 */
export type DocumentDatabase<T extends object = Record<string, unknown>> = Pick<
	PouchDB.Database<T>,
	(typeof READS)[number] | (typeof WRITES)[number] | 'close'
>;

function openPouch<T extends object>(folder: string): PouchDB.Database<T> {
	const options = { adapter: 'leveldb', db: syncedLevelDown, revs_limit: 5, auto_compaction: true };
	return new PouchDB<T>(folder, options);
}

/** What opening writes anew at most: the log, and the table that is made of it. */
const ROOM_PER_LOG_BYTE = 2;
const LEAST_ROOM_BYTES = 65_536;

async function roomToOpen(folder: string): Promise<number> {
	let bytes = LEAST_ROOM_BYTES;
	for (const name of await readdir(folder))
		if (name.endsWith('.log')) bytes += ROOM_PER_LOG_BYTE * (await stat(join(folder, name))).size;
	return bytes;
}

/** Rejects unless the disk takes what opening the database needs: one that is closed and cannot be opened again could not even be read. */
async function assertOpenable(folder: string): Promise<void> {
	const probe = await mkdtemp(`${folder}.probe-`);
	try {
		const file = await open(join(probe, 'room'), 'wx');
		try {
			await file.writeFile(new Uint8Array(await roomToOpen(folder)));
			await file.sync();
		} finally {
			await file.close();
		}
	} finally {
		await rm(probe, { recursive: true, force: true });
	}
}

/** An answer of PouchDB itself, such as a conflict: its store is all right. */
const isAnswer = (error: unknown): boolean =>
	typeof error === 'object' &&
	error !== null &&
	'status' in error &&
	typeof error.status === 'number' &&
	error.status < 500;

/** Opens (and makes) a document database in a folder. */
export function openDatabase<T extends object>(folder: string): DocumentDatabase<T> {
	mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
	let database = openPouch<T>(folder);
	/** A write has failed: this database has to be opened again before the next one. */
	let isSpoilt = false;
	let reopening: Promise<void> | null = null;
	let isClosed = false;
	const running = new Set<Promise<unknown>>();

	async function reopen(): Promise<void> {
		await assertOpenable(folder);
		await Promise.allSettled(running);
		await database.close().catch(() => undefined);
		database = openPouch<T>(folder);
		await database.info();
		isSpoilt = false;
	}

	async function use(method: string, given: readonly unknown[]): Promise<unknown> {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of the methods above
		const task = Reflect.apply(Reflect.get(database, method) as () => Promise<unknown>, database, given);
		running.add(task);
		try {
			return await task;
		} finally {
			running.delete(task);
		}
	}

	async function read(method: string, given: readonly unknown[]): Promise<unknown> {
		await reopening?.catch(() => undefined);
		return use(method, given);
	}

	async function write(method: string, given: readonly unknown[]): Promise<unknown> {
		try {
			if (isSpoilt && !isClosed) await (reopening ??= reopen().finally(() => (reopening = null)));
			return await use(method, given);
		} catch (error) {
			if (isAnswer(error) || isClosed) throw error;
			isSpoilt = true;
			throw diskFault(folder, error);
		}
	}

	async function close(): Promise<void> {
		isClosed = true;
		await reopening?.catch(() => undefined);
		await database.close();
	}

	const methods = {
		...Object.fromEntries(READS.map((name) => [name, (...given: unknown[]) => read(name, given)])),
		...Object.fromEntries(WRITES.map((name) => [name, (...given: unknown[]) => write(name, given)])),
		close,
	};
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method hands on to the one of its name
	return methods as unknown as DocumentDatabase<T>;
}
