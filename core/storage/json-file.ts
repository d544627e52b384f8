import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Adapter } from 'lowdb';

/** Makes a rename or a new name durable: the folder itself is flushed. */
export async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

/** Writes a whole file so that after a power cut either the old or the new content is there: tmp, fsync, rename, fsync of the folder. */
export async function writeFileDurably(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
	const folder = dirname(path);
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const temporary = join(folder, `.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
	try {
		const handle = await open(temporary, 'wx', mode);
		try {
			await handle.writeFile(content);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(temporary, path);
	} catch (error) {
		// A disk that is full must not fill up with beginnings.
		await rm(temporary, { force: true });
		throw error;
	}
	await syncFolder(folder);
}

/** The text of a file; `null` when there is none. */
export async function readTextIfThere(path: string): Promise<string | null> {
	try {
		return await readFile(path, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
		throw error;
	}
}

/** lowdb adapter over `writeFileDurably`. A missing file reads as `null`; a damaged one rejects with its path. */
export function durableJsonFile<T>(path: string): Adapter<T> {
	return {
		async read() {
			const text = await readTextIfThere(path);
			if (text === null) return null;
			try {
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names what it wrote itself
				return JSON.parse(text) as T;
			} catch (error) {
				throw new Error(`${path} is not valid JSON`, { cause: error });
			}
		},
		write: (data) => writeFileDurably(path, `${JSON.stringify(data, null, '\t')}\n`),
	};
}
