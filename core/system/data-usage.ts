import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../kernel/clock.ts';

/** What the data folder takes, and what is left. Bytes. */
export interface DataUsage {
	readonly usedBytes: number;
	readonly freeBytes: number;
	readonly totalBytes: number;
}

/** Looked at again after this time. */
const FRESH_MS = 60_000;

/** Most files counted; a box has some hundreds. */
const MAX_FILES = 20_000;

async function bytesOf(folder: string): Promise<number> {
	const entries = await readdir(folder, { withFileTypes: true, recursive: true });
	let bytes = 0;
	for (const entry of entries.slice(0, MAX_FILES)) {
		if (!entry.isFile()) continue;
		// A file may be gone since the folder was read.
		const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
		bytes += found === null ? 0 : found.size;
	}
	return bytes;
}

/** Answers the usage of a folder, at most a minute old. */
export function createDataUsage({
	folder,
	clock,
}: {
	readonly folder: string;
	readonly clock: Clock;
}): () => Promise<DataUsage> {
	let last: { readonly atMs: number; readonly usage: Promise<DataUsage> } | null = null;

	async function look(): Promise<DataUsage> {
		const [usedBytes, { bavail, blocks, bsize }] = await Promise.all([bytesOf(folder), statfs(folder)]);
		return { usedBytes, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
	}

	return () => {
		const nowMs = clock.monotonicMs();
		if (last === null || nowMs - last.atMs >= FRESH_MS) last = { atMs: nowMs, usage: look() };
		last.usage.catch(() => (last = null));
		return last.usage;
	};
}
