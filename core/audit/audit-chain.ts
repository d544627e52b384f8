import { type AuditLine, CHAIN_START, type ChainHead, lineHash } from './audit-line.ts';
import type { AuditSegment, ReadLine } from './audit-segments.ts';

/** Action of the entry that says which oldest lines the quota has removed. */
export const QUOTA_ACTION = 'audit-quota';

/** A place where the log is not what was written. */
export interface ChainBreak {
	/** Number of the first line after the break; `null` where it cannot be read. */
	readonly seq: number | null;
	readonly segment: string;
	/** A sentence: what is wrong there. */
	readonly rule: string;
}

export interface ChainReport {
	readonly isIntact: boolean;
	/** Lines looked at. */
	readonly lines: number;
	/** The newest line; to be written down elsewhere by whoever wants to prove later that none was cut from the end. */
	readonly head: ChainHead;
	/** The first ones, at most `MAX_BREAKS`. */
	readonly breaks: readonly ChainBreak[];
}

const MAX_BREAKS = 100;

/** What an `audit-quota` entry says of the lines that are gone. */
interface Dropped {
	readonly through_seq: number;
	readonly last_hash: string;
}

function droppedOf({ action, after }: AuditLine): Dropped | null {
	if (action !== QUOTA_ACTION || after === null) return null;
	const { through_seq, last_hash }: { through_seq?: unknown; last_hash?: unknown } = after;
	return typeof through_seq === 'number' && typeof last_hash === 'string' ? { through_seq, last_hash } : null;
}

/** Follows the chain segment by segment, oldest first. */
export function createChainWalk() {
	const breaks: ChainBreak[] = [];
	const dropped: Dropped[] = [];
	let beginning: { readonly line: AuditLine; readonly segment: string } | null = null;
	/** `null`: nothing is known of the line before. */
	let head: ChainHead | null = null;
	let wasReadable = true;
	let lines = 0;

	function broken(segment: AuditSegment, seq: number | null, rule: string): void {
		if (breaks.length < MAX_BREAKS) breaks.push({ seq, segment: segment.path, rule });
	}

	function check(segment: AuditSegment, line: AuditLine): void {
		if (head === null) beginning ??= { line, segment: segment.path };
		else if (wasReadable && line.prev !== head.hash)
			broken(segment, line.seq, 'the line before was changed or removed');
		else if (line.seq !== head.seq + 1) broken(segment, line.seq, `line ${head.seq + 1} was expected`);
		const drop = droppedOf(line);
		if (drop !== null) dropped.push(drop);
	}

	function follow(segment: AuditSegment, { text, line }: ReadLine): void {
		lines += 1;
		if (line === null) broken(segment, null, 'a line is no entry');
		else check(segment, line);
		wasReadable = line !== null;
		head = { seq: line?.seq ?? (head?.seq ?? 0) + 1, hash: lineHash(text) };
	}

	/** The oldest line follows nothing, or lines whose removal was written down. */
	function checkBeginning(): void {
		if (beginning === null) return;
		const { line, segment } = beginning;
		const isFirst = line.seq === 1 && line.prev === CHAIN_START.hash;
		const isExplained = dropped.some((drop) => drop.through_seq === line.seq - 1 && drop.last_hash === line.prev);
		if (!isFirst && !isExplained)
			breaks.unshift({ seq: line.seq, segment, rule: 'the lines before it are gone, and no quota has removed them' });
	}

	return {
		segment(segment: AuditSegment, read: readonly ReadLine[]): void {
			for (const one of read) follow(segment, one);
		},
		missing: (segment: AuditSegment): void => broken(segment, segment.firstSeq, 'the file is gone'),
		/** The quota has removed what was walked so far. */
		restart(): void {
			head = null;
			beginning = null;
		},
		/** @param expected the newest line as it was written */
		report(expected: ChainHead): ChainReport {
			checkBeginning();
			if ((head?.hash ?? CHAIN_START.hash) !== expected.hash)
				breaks.push({ seq: expected.seq, segment: '', rule: 'the newest lines were changed or removed' });
			return { isIntact: breaks.length === 0, lines, head: expected, breaks: breaks.slice(0, MAX_BREAKS) };
		},
	};
}
