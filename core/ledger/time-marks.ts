import { type EpochMs, epochMs } from '../kernel/clock.ts';
import type { Range } from './range-set.ts';

/** Marks are at least so far apart, in time or in numbers. */
const SPACING_MS = 60_000;
const SPACING_SAMPLES = 4_096;

/** A sequence number of an epoch and the instant at which it was read. */
export interface TimeMark {
	readonly seq: number;
	readonly at: EpochMs;
}

/** A stretch of time; `from` is not later than `to`. */
export interface Span {
	readonly from: EpochMs;
	readonly to: EpochMs;
}

/**
 * When the numbers of one epoch were read: sparse pairs of number and instant, the first and the last number always among them. Clocks jump, so
 * instants need not ascend with the numbers.
 */
export interface TimeMarks {
	/** Notes when a number was read; answers the mark that will stay, if this settled one. */
	note(seq: number, at: EpochMs): TimeMark | null;
	/** Between which instants a range was read: those of the marks around it. `null` without a mark on either side. */
	around(range: Range): Span | null;
	/** From the first to the last mark; `null` without any. */
	span(): Span | null;
	marks(): readonly TimeMark[];
	count(): number;
	/** Forgets every second mark, the outer ones aside. */
	thin(): void;
}

const spanOf = (one: EpochMs, other: EpochMs): Span =>
	one <= other ? { from: one, to: other } : { from: other, to: one };

export function createTimeMarks(initial: readonly TimeMark[] = []): TimeMarks {
	// Two arrays of numbers: a tenth of the memory of as many objects.
	let seqs: number[] = [];
	let ats: EpochMs[] = [];

	/** Index of the first mark at or after a number. */
	function lowerBound(seq: number): number {
		let low = 0;
		let high = seqs.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((seqs[middle] ?? Number.POSITIVE_INFINITY) < seq) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	const markAt = (index: number): TimeMark | null => {
		const [seq, at] = [seqs[index], ats[index]];
		return seq === undefined || at === undefined ? null : { seq, at };
	};

	function isNear(index: number, seq: number, at: EpochMs): boolean {
		const known = markAt(index);
		return known !== null && Math.abs(known.seq - seq) < SPACING_SAMPLES && Math.abs(known.at - at) < SPACING_MS;
	}

	function put(index: number, replaced: number, seq: number, at: EpochMs): void {
		seqs.splice(index, replaced, seq);
		ats.splice(index, replaced, at);
	}

	/** Puts a mark at an end; the one that was there moves along, as long as the one next to it is near. */
	function extend(index: number, { seq, at }: TimeMark): TimeMark | null {
		const isLast = index > 0;
		const next = isLast ? seqs.length - 2 : 1;
		const moves = seqs.length >= 2 && isNear(next, seq, at);
		if (moves) put(isLast ? index - 1 : index, 1, seq, at);
		else put(index, 0, seq, at);
		return moves ? null : markAt(isLast ? seqs.length - 2 : 1);
	}

	function note(seq: number, at: EpochMs): TimeMark | null {
		const index = lowerBound(seq);
		if (seqs[index] === seq) return null;
		if (index === 0 || index === seqs.length) return extend(index, { seq, at });
		if (isNear(index - 1, seq, at) || isNear(index, seq, at)) return null;
		put(index, 0, seq, at);
		return { seq, at };
	}

	for (const { seq, at } of initial) note(seq, at);

	return {
		note,
		around({ first, last }) {
			const after = lowerBound(last);
			const atOrBefore = lowerBound(first + 1) - 1;
			const [before, behind] = [ats[atOrBefore] ?? ats[after], ats[after] ?? ats[atOrBefore]];
			return before === undefined || behind === undefined ? null : spanOf(before, behind);
		},
		span() {
			let from = Number.POSITIVE_INFINITY;
			let to = Number.NEGATIVE_INFINITY;
			for (const at of ats) {
				from = Math.min(from, at);
				to = Math.max(to, at);
			}
			return ats.length === 0 ? null : { from: epochMs(from), to: epochMs(to) };
		},
		marks: () => seqs.flatMap((_, index) => markAt(index) ?? []),
		count: () => seqs.length,
		thin() {
			const isKept = (_: number, index: number): boolean => index % 2 === 0 || index === seqs.length - 1;
			const kept = ats.filter(isKept);
			seqs = seqs.filter(isKept);
			ats = kept;
		},
	};
}
