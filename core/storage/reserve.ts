import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';

/** What opening all databases of a box writes at most in practice. */
const RESERVE_BYTES = 8 * 1024 * 1024;

const CHUNK_BYTES = 65_536;

/** The reserve is kept while so many times its size is free besides. */
const WHILE_FREE_TIMES = 4;

/**
 * Room that nobody else takes: a file that does nothing. A box that starts on a full disk gives it up, because databases write when they are
 * opened; then it can be used, and somebody can make room.
 */
export function createReserve({
	folder,
	log,
	bytes = RESERVE_BYTES,
}: {
	readonly folder: string;
	readonly log: Logger;
	readonly bytes?: number;
}) {
	const path = join(folder, 'reserve');

	async function freeBytes(): Promise<number> {
		const { bavail, bsize } = await statfs(folder);
		return bavail * bsize;
	}

	/** @returns whether it is there in full */
	async function isKept(): Promise<boolean> {
		const found = await stat(path).catch(() => null);
		return found !== null && found.size >= bytes;
	}

	async function write(): Promise<void> {
		const file = await open(path, 'w', 0o600);
		try {
			const chunk = new Uint8Array(CHUNK_BYTES);
			for (let left = bytes; left > 0; left -= CHUNK_BYTES) await file.write(chunk, 0, Math.min(left, CHUNK_BYTES));
			await file.sync();
		} finally {
			await file.close();
		}
	}

	return {
		/** Gives the reserve up when there is less room than it holds. To be called before anything is opened. */
		async release(): Promise<void> {
			const free = await freeBytes();
			if (free >= bytes) return;
			await rm(path, { force: true });
			log.error('disk-full', { path: folder, freeBytes: free });
		},
		/** Makes the reserve, unless it is there or room is scarce. Never rejects. */
		async keep(): Promise<void> {
			try {
				if (!(await isKept()) && (await freeBytes()) >= WHILE_FREE_TIMES * bytes) await write();
			} catch (error) {
				log.warn('reserve-not-kept', { reason: messageOf(error) });
				await rm(path, { force: true }).catch(() => undefined);
			}
		},
	};
}
