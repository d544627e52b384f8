import { setImmediate } from 'node:timers/promises';

import type { FileLayer } from '../journal/file-layer.ts';
import { type ChainReport, createChainWalk } from './audit-chain.ts';
import type { AuditLine } from './audit-line.ts';
import { type AuditSegment, type ReadLine, readSegment } from './audit-segments.ts';
import type { AuditWriter } from './audit-writer.ts';

/** Which entries are wanted. */
export type AuditFilter = (entry: AuditLine) => boolean;

export interface AuditPage {
	/** Newest first. */
	readonly entries: readonly AuditLine[];
	/** Where the next page goes on: lines before this one; `null` at the end. */
	readonly before: number | null;
}

/** Most segments looked at for one page; a filter that matches little answers fewer entries, and where to go on. */
const MAX_SEGMENTS_PER_PAGE = 16;

const entriesOf = (read: readonly ReadLine[] | null): readonly AuditLine[] =>
	(read ?? []).flatMap(({ line }) => line ?? []);

export function createAuditReader({
	files,
	writer,
}: {
	readonly files: FileLayer;
	readonly writer: Pick<AuditWriter, 'segments' | 'head'>;
}) {
	const isKept = ({ path }: AuditSegment): boolean => writer.segments().some((segment) => segment.path === path);

	/** The lines of a segment; `null` when its file is gone. */
	async function linesOf(segment: AuditSegment): Promise<readonly ReadLine[] | null> {
		// Files are read in a thread; what is done with their lines must not keep the others waiting either.
		await setImmediate();
		return readSegment(files, segment).catch(() => null);
	}

	/** Walks back from the line `before`; `null`: from the newest. */
	async function page(before: number | null, limit: number, filter: AuditFilter): Promise<AuditPage> {
		const end = before ?? Number.MAX_SAFE_INTEGER;
		const found: AuditLine[] = [];
		const wanted = writer
			.segments()
			.filter(({ firstSeq }) => firstSeq < end)
			.toReversed();
		for (const segment of wanted.slice(0, MAX_SEGMENTS_PER_PAGE)) {
			for (const entry of entriesOf(await linesOf(segment)).toReversed()) {
				if (entry.seq >= end || !filter(entry)) continue;
				if (found.length === limit) return { entries: found, before: found.at(-1)?.seq ?? null };
				found.push(entry);
			}
		}
		const last = wanted[MAX_SEGMENTS_PER_PAGE - 1];
		return {
			entries: found,
			before: wanted.length > MAX_SEGMENTS_PER_PAGE && last !== undefined ? last.firstSeq : null,
		};
	}

	/** Everything that matches, oldest first, a segment at a time; at most `limit` entries. */
	async function* all(limit: number, filter: AuditFilter): AsyncGenerator<readonly AuditLine[]> {
		let left = limit;
		for (const segment of writer.segments()) {
			const entries = entriesOf(await linesOf(segment))
				.filter(filter)
				.slice(0, left);
			left -= entries.length;
			if (entries.length > 0) yield entries;
			if (left === 0) return;
		}
	}

	/** Walks the whole chain, as long as somebody wants to know. What is written meanwhile is not looked at. */
	async function verify(isWanted: () => boolean = () => true): Promise<ChainReport> {
		const head = writer.head();
		const walk = createChainWalk();
		for (const segment of writer.segments()) {
			if (!isWanted()) break;
			const read = await linesOf(segment);
			if (read !== null) walk.segment(segment, read);
			else if (isKept(segment)) walk.missing(segment);
			else walk.restart();
		}
		return walk.report(head);
	}

	return { page, all, verify };
}

export type AuditReader = ReturnType<typeof createAuditReader>;
