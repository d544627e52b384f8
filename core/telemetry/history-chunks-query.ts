import { decodeBlock } from '../journal/block-codec.ts';
import { epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import type { DocumentDatabase } from '../storage/pouch.ts';
import {
	type ChunkDocument,
	type ChunkId,
	chunkIdsBetween,
	hourStart,
	monthOf,
	parseChunkId,
} from './history-chunk.ts';
import type { HistoryMonths } from './history-months.ts';
import { firstOf, matches } from './history-order.ts';
import type { HistoryQuery } from './history-repository.ts';
import type { Reading } from './reading.ts';

const IDS_PER_PAGE = 200;
const MOST_CHUNKS_AT_ONCE = 8;

type ChunkDatabase = DocumentDatabase<ChunkDocument>;

/** The part of the time line that a query can still want, its cursor considered. */
function spanOf({ from, to, order, after }: HistoryQuery): { readonly from: number; readonly to: number } {
	if (after === undefined) return { from, to };
	return order === 'oldest-first'
		? { from: Math.max(from, after.readAt), to }
		: { from, to: Math.min(to, after.readAt + 1) };
}

/** Ids of the chunks that may matter, hour by hour in the order of the query; nothing is loaded but ids. */
async function* idsByHour(database: ChunkDatabase, query: HistoryQuery): AsyncGenerator<readonly ChunkId[]> {
	const { from, to } = spanOf(query);
	// A chunk stays within an hour: what reaches into the span began in the hour of its start.
	const { lowest, highest } = chunkIdsBetween(query.device, hourStart(from), to);
	const descending = query.order === 'newest-first';
	const [first, last] = descending ? [highest, lowest] : [lowest, highest];
	let startkey = first;
	let hour: ChunkId[] = [];
	for (let skip = 0; ; skip = 1) {
		const page = await database.allDocs({ startkey, endkey: last, descending, limit: IDS_PER_PAGE, skip });
		for (const { id } of page.rows) {
			startkey = id;
			const chunk = parseChunkId(id);
			if (chunk === null) continue;
			if (hour[0] !== undefined && hourStart(hour[0].firstMs) !== hourStart(chunk.firstMs)) {
				yield hour;
				hour = [];
			}
			if (chunk.lastMs >= from || from < 0) hour.push(chunk);
		}
		if (page.rows.length < IDS_PER_PAGE) break;
	}
	if (hour.length > 0) yield hour;
}

async function load(database: ChunkDatabase, ids: readonly ChunkId[], log: Logger): Promise<readonly Reading[]> {
	const { rows } = await database.allDocs({ keys: ids.map(({ id }) => id), include_docs: true });
	return rows.flatMap((row) => {
		if (!('doc' in row) || row.doc === undefined || row.doc === null) return [];
		try {
			return decodeBlock(Buffer.from(row.doc.data, 'base64'));
		} catch (error) {
			log.warn('history-chunk-damaged', { chunk: row.id, reason: messageOf(error) });
			return [];
		}
	});
}

/** Whether `limit` readings were found that no chunk from `next` on can come before. */
function isSettled(found: readonly Reading[], next: ChunkId, { order, limit }: HistoryQuery): boolean {
	if (found.length < limit) return false;
	const last = found[limit - 1];
	if (last === undefined) return false;
	return order === 'oldest-first' ? last.readAt < next.firstMs : last.readAt > next.lastMs;
}

/** Adds what one month has; `true` when no other month can matter. */
async function collect(database: ChunkDatabase, query: HistoryQuery, found: Reading[], log: Logger): Promise<boolean> {
	const sign = query.order === 'oldest-first' ? 1 : -1;
	for await (const hour of idsByHour(database, query)) {
		const ids = hour.toSorted((one, other) => (sign > 0 ? one.firstMs - other.firstMs : other.lastMs - one.lastMs));
		let chunks = 1;
		for (let index = 0; index < ids.length; index += chunks, chunks = Math.min(MOST_CHUNKS_AT_ONCE, chunks * 2)) {
			const next = ids[index];
			if (next !== undefined && isSettled(found, next, query)) return true;
			const loaded = await load(database, ids.slice(index, index + chunks), log);
			const better = firstOf([...found, ...loaded.filter((reading) => matches(query, reading))], query);
			found.splice(0, found.length, ...better);
		}
	}
	return false;
}

/** The first `limit` sealed readings of a query, in its order. Loads no more chunks than it takes to be sure of them. */
export async function queryChunks(
	months: HistoryMonths,
	query: HistoryQuery,
	log: Logger,
): Promise<readonly Reading[]> {
	const { from, to } = spanOf(query);
	if (from >= to) return [];
	const first = monthOf(epochMs(from));
	const last = monthOf(epochMs(to - 1));
	const wanted = months.list().filter((month) => month >= first && month <= last);
	const found: Reading[] = [];
	for (const month of query.order === 'oldest-first' ? wanted : wanted.toReversed()) {
		const isEnough = await months.use(month, (database) => collect(database, query, found, log));
		if (isEnough || found.length >= query.limit) break;
	}
	return found;
}
