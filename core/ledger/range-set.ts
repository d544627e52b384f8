/** Whole numbers from `first` to `last`, both included. */
export interface Range {
	readonly first: number;
	readonly last: number;
}

/** Ranges of one epoch. */
export interface EpochRanges {
	readonly epoch: number;
	readonly ranges: readonly Range[];
}

/**
 * A set of sequence numbers, kept as sorted ranges that neither overlap nor touch. The ledger's only data structure: what was
 * received, acknowledged or declared lost. Mutable on purpose; a stream adds to its own set thousands of times.
 */
export interface RangeSet {
	/** Adds a range; answers how many numbers of it were new. */
	add(first: number, last: number): number;
	/** Takes a range out; answers how many numbers of it were in the set. */
	remove(first: number, last: number): number;
	/** True when every number of the range is in the set. */
	covers(first: number, last: number): boolean;
	/** The parts of the range that are not in the set, in order. */
	missing(first: number, last: number): readonly Range[];
	/** The parts of the range that are in the set, in order. */
	within(first: number, last: number): readonly Range[];
	ranges(): readonly Range[];
	/** How many ranges the set takes to hold them. */
	pieces(): number;
	/** How many numbers the set holds. */
	size(): number;
}

/** How many numbers some ranges hold together. */
export const countOf = (ranges: readonly Range[]): number =>
	ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** The parts of some ranges that others leave open; both in order, in one pass over both. */
export function withoutRanges(ranges: readonly Range[], taken: readonly Range[]): readonly Range[] {
	const open: Range[] = [];
	let next = 0;
	for (const { first, last } of ranges) {
		let from = first;
		while ((taken[next]?.last ?? Number.POSITIVE_INFINITY) < first) next += 1;
		for (let at = next; from <= last; at += 1) {
			const other = taken[at];
			if (other === undefined || other.first > last) {
				open.push({ first: from, last });
				break;
			}
			if (other.first > from) open.push({ first: from, last: other.first - 1 });
			from = other.last + 1;
		}
	}
	return open;
}

/** Some lists of ranges as one, in order, without overlaps. */
export function joinedRanges(lists: readonly (readonly Range[])[]): readonly Range[] {
	const joined: Range[] = [];
	for (const range of lists.flat().toSorted((one, other) => one.first - other.first)) {
		const before = joined.at(-1);
		if (before === undefined || range.first > before.last + 1) joined.push(range);
		else if (range.last > before.last) joined[joined.length - 1] = { first: before.first, last: range.last };
	}
	return joined;
}

/** Index of the first range whose `last` is at or after `value`. */
function lowerBound(ranges: readonly Range[], value: number): number {
	let low = 0;
	let high = ranges.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const range = ranges[middle];
		if (range !== undefined && range.last < value) low = middle + 1;
		else high = middle;
	}
	return low;
}

function assertRange(first: number, last: number): void {
	if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last < first) {
		throw new RangeError(`not a range: ${first}..${last}`);
	}
}

export function createRangeSet(initial: readonly Range[] = []): RangeSet {
	const ranges: Range[] = [];
	let size = 0;

	function missing(first: number, last: number): readonly Range[] {
		assertRange(first, last);
		const holes: Range[] = [];
		let from = first;
		for (let index = lowerBound(ranges, first); from <= last; index += 1) {
			const range = ranges[index];
			if (range === undefined || range.first > last) {
				holes.push({ first: from, last });
				break;
			}
			if (range.first > from) holes.push({ first: from, last: range.first - 1 });
			from = Math.max(from, range.last + 1);
		}
		return holes;
	}

	function within(first: number, last: number): readonly Range[] {
		assertRange(first, last);
		const parts: Range[] = [];
		for (let index = lowerBound(ranges, first); ; index += 1) {
			const range = ranges[index];
			if (range === undefined || range.first > last) return parts;
			parts.push({ first: Math.max(first, range.first), last: Math.min(last, range.last) });
		}
	}

	function add(first: number, last: number): number {
		assertRange(first, last);
		const start = lowerBound(ranges, first - 1);
		let end = start;
		let mergedFirst = first;
		let mergedLast = last;
		let replaced = 0;
		for (let range = ranges[end]; range !== undefined && range.first <= last + 1; range = ranges[end]) {
			mergedFirst = Math.min(mergedFirst, range.first);
			mergedLast = Math.max(mergedLast, range.last);
			replaced += range.last - range.first + 1;
			end += 1;
		}
		ranges.splice(start, end - start, { first: mergedFirst, last: mergedLast });
		const added = mergedLast - mergedFirst + 1 - replaced;
		size += added;
		return added;
	}

	function remove(first: number, last: number): number {
		assertRange(first, last);
		const start = lowerBound(ranges, first);
		const kept: Range[] = [];
		let end = start;
		let removed = 0;
		for (let range = ranges[end]; range !== undefined && range.first <= last; range = ranges[end]) {
			removed += Math.min(range.last, last) - Math.max(range.first, first) + 1;
			if (range.first < first) kept.push({ first: range.first, last: first - 1 });
			if (range.last > last) kept.push({ first: last + 1, last: range.last });
			end += 1;
		}
		ranges.splice(start, end - start, ...kept);
		size -= removed;
		return removed;
	}

	for (const { first, last } of initial) add(first, last);

	return {
		add,
		remove,
		missing,
		within,
		covers(first, last) {
			assertRange(first, last);
			const range = ranges[lowerBound(ranges, first)];
			return range !== undefined && range.first <= first && range.last >= last;
		},
		ranges: () => [...ranges],
		pieces: () => ranges.length,
		size: () => size,
	};
}
