import type { HistoryQuery } from '../telemetry/history-repository.ts';
import type { Reading } from '../telemetry/reading.ts';
import { createChunkReader } from './chunk-reader.ts';
import type { DayFile } from './day-file.ts';
import { DAY_MS, type DayFolder } from './day-folder.ts';
import type { ChunkEntry } from './day-index.ts';
import type { NoteLoss } from './history-loss.ts';
import { firstOf, matches } from './reading-order.ts';

/** Chunks in memory at a time: each is some megabytes when it is decoded. */
const MOST_CHUNKS_AT_ONCE = 4;

/** From the first instant to the last, both included. */
interface Extent {
	readonly from: number;
	readonly through: number;
}

export interface SealedQueryDeps {
	readonly days: DayFolder;
	readonly noteLoss: NoteLoss;
}

/** The part of the time line that a query can still want, its cursor considered. */
function spanOf({ from, to, order, after }: HistoryQuery): { readonly from: number; readonly to: number } {
	if (after === undefined) return { from, to };
	return order === 'oldest-first'
		? { from: Math.max(from, after.readAt), to }
		: { from, to: Math.min(to, after.readAt + 1) };
}

/** Whether `limit` readings were found that nothing from within `next` can come before. */
function isSettled(found: readonly Reading[], next: Extent, { order, limit }: HistoryQuery): boolean {
	const last = found[limit - 1];
	if (last === undefined) return false;
	return order === 'oldest-first' ? last.readAt < next.from : last.readAt > next.through;
}

/** Where a day's readings can lie; those of no plausible date anywhere. */
export const extentOf = ({ day }: DayFile): Extent =>
	day === null
		? { from: Number.NEGATIVE_INFINITY, through: Number.POSITIVE_INFINITY }
		: { from: day, through: day + DAY_MS - 1 };

const extentOfChunk = ({ first, last }: ChunkEntry): Extent => ({ from: first.readAt, through: last.readAt });

/** A device's chunks that reach into `[from, to)`, as a list of its own. */
export const chunksWithin = (entries: readonly ChunkEntry[], from: number, to: number): ChunkEntry[] =>
	entries.filter(({ first, last }) => last.readAt >= from && first.readAt < to);

/** The first `limit` sealed readings of a query, in its order. Loads no more chunks than it takes to be sure of them. */
export async function queryRange(
	{ days, noteLoss }: SealedQueryDeps,
	query: HistoryQuery,
): Promise<readonly Reading[]> {
	const { from, to } = spanOf(query);
	if (from >= to) return [];
	const isOldestFirst = query.order === 'oldest-first';
	let found: readonly Reading[] = [];

	async function collect(file: DayFile): Promise<void> {
		await file.use(async (index, opened) => {
			const chunks = chunksWithin(index.of(query.device), from, to);
			chunks.sort((one, other) =>
				isOldestFirst ? one.first.readAt - other.first.readAt : other.last.readAt - one.last.readAt,
			);
			const reader = createChunkReader(file.name, index, opened, noteLoss);
			let count = 1;
			for (let at = 0; at < chunks.length; at += count, count = Math.min(MOST_CHUNKS_AT_ONCE, count * 2)) {
				const next = chunks[at];
				if (next !== undefined && isSettled(found, extentOfChunk(next), query)) return;
				const loaded = await Promise.all(chunks.slice(at, at + count).map((entry) => reader.readings(entry)));
				const better = loaded.flatMap((readings) => readings?.filter((reading) => matches(query, reading)) ?? []);
				found = firstOf([...found, ...better], query);
			}
		});
		days.touch(file);
	}

	const [strays, ...dated] = days.all().filter((file) => file.bytes() > 0 || file.day === null);
	if (strays !== undefined && strays.bytes() > 0) await collect(strays);
	for (const file of isOldestFirst ? dated : dated.toReversed()) {
		const extent = extentOf(file);
		if (extent.through < from || extent.from >= to) continue;
		if (isSettled(found, extent, query)) break;
		await collect(file);
	}
	return found;
}
