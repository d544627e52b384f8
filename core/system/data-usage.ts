import { readdir, stat, statfs } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

import type { Clock } from '../kernel/clock.ts';

/** What the data folder takes, and what is left. Bytes. */
export interface DataUsage {
	readonly usedBytes: number;
	readonly freeBytes: number;
	readonly totalBytes: number;
	/** What is directly below the folder: a folder with all that is in it, or a file. */
	readonly byFolder: Readonly<Record<string, number>>;
}

/** Looked at again after this time. */
const FRESH_MS = 60_000;

/** Most files counted; a box has some hundreds. */
const MAX_FILES = 20_000;

async function bytesOf(folder: string): Promise<Readonly<Record<string, number>>> {
	const entries = await readdir(folder, { withFileTypes: true, recursive: true });
	const bytes = new Map<string, number>();
	for (const entry of entries.slice(0, MAX_FILES)) {
		if (!entry.isFile()) continue;
		// A file may be gone since the folder was read.
		const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
		if (found === null) continue;
		const [name = entry.name] = relative(folder, join(entry.parentPath, entry.name)).split(sep);
		bytes.set(name, (bytes.get(name) ?? 0) + found.size);
	}
	return Object.fromEntries(bytes);
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
		const [byFolder, { bavail, blocks, bsize }] = await Promise.all([bytesOf(folder), statfs(folder)]);
		const usedBytes = Object.values(byFolder).reduce((sum, bytes) => sum + bytes, 0);
		return { usedBytes, freeBytes: bavail * bsize, totalBytes: blocks * bsize, byFolder };
	}

	return () => {
		const nowMs = clock.monotonicMs();
		if (last === null || nowMs - last.atMs >= FRESH_MS) last = { atMs: nowMs, usage: look() };
		last.usage.catch(() => (last = null));
		return last.usage;
	};
}
