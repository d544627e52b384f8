import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';

/**
 * What opening all databases of a box writes at most: each replays its log, of `WRITE_BUFFER_BYTES` at most, into a table of as much, and begins
 * another log and manifest; a dozen databases at a hub, and the small files beside them.
 */
const RESERVE_BYTES = 24 * 1024 * 1024;
/** A smaller one is kept where there is not room for all of it. */
const LEAST_BYTES = 4 * 1024 * 1024;
/** Looked at so often: it is given up at a start, and made again when there is room. */
const CHECK_MS = 60_000;

const CHUNK_BYTES = 65_536;

/** So many times what is added to the reserve has to be free. */
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

	let timer: NodeJS.Timeout | null = null;

	async function keptBytes(): Promise<number> {
		const found = await stat(path).catch(() => null);
		return found?.size ?? 0;
	}

	/** Makes it longer, up to so many bytes. */
	async function write(from: number, to: number): Promise<void> {
		const file = await open(path, 'a', 0o600);
		try {
			const chunk = new Uint8Array(CHUNK_BYTES);
			for (let left = to - from; left > 0; left -= CHUNK_BYTES) await file.write(chunk, 0, Math.min(left, CHUNK_BYTES));
			await file.sync();
		} finally {
			await file.close();
		}
	}

	async function fill(): Promise<void> {
		try {
			const kept = await keptBytes();
			const room = kept + (await freeBytes()) / WHILE_FREE_TIMES;
			const step = Math.min(bytes, LEAST_BYTES);
			const wanted = Math.floor(Math.min(bytes, room) / step) * step;
			if (wanted > kept) await write(kept, wanted);
		} catch (error) {
			log.warn('reserve-not-kept', { reason: messageOf(error) });
			await rm(path, { force: true }).catch(() => undefined);
		}
	}

	return {
		/** Gives the reserve up when there is less room than it holds. To be called before anything is opened. */
		async release(): Promise<void> {
			const free = await freeBytes();
			if (free >= bytes || (await keptBytes()) === 0) {
				if (free < LEAST_BYTES) log.error('disk-full', { path: folder, freeBytes: free });
				return;
			}
			await rm(path, { force: true });
			log.error('disk-full', { path: folder, freeBytes: free });
		},
		/** Makes the reserve, as far as room is not scarce, now and whenever there is more. Never rejects. */
		async keep(): Promise<void> {
			timer ??= setInterval(() => void fill(), CHECK_MS).unref();
			await fill();
		},
	};
}
