import type { HistoryQuery, HistoryRepository } from './history-repository.ts';
import type { Reading } from './reading.ts';

/** Readings held at a time. */
const PAGE = 2_000;

/** All readings of a device in a span, oldest first, in pages that fit into memory; at least one page, which may be empty. */
export async function* readingPages(
	history: Pick<HistoryRepository, 'range'>,
	{ device, from, to }: Pick<HistoryQuery, 'device' | 'from' | 'to'>,
): AsyncGenerator<readonly Reading[]> {
	const query = { device, from, to, order: 'oldest-first', limit: PAGE } as const;
	let page = await history.range(query);
	yield page;
	for (let last = page.at(-1); last !== undefined && page.length === PAGE; last = page.at(-1)) {
		page = await history.range({ ...query, after: last });
		yield page;
	}
}
