import { createRangeSet, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import type { EpochRanges } from '../../core/ledger/range-set.ts';

/** Sequence numbers of one epoch of this gateway. */
export interface EpochRange extends Range {
	readonly epoch: number;
}

/** Ranges as one list. */
export const listed = (epochs: readonly EpochRanges[]): readonly EpochRange[] =>
	epochs.flatMap(({ epoch, ranges }) => ranges.map(({ first, last }) => ({ epoch, first, last })));

/**
 * Of what the hub lacks of earlier boots, the part that the journal does not hold: later values of that boot went to the hub live,
 * and the power failed before these were on disk. Nobody has them, so they are declared lost.
 */
export function notJournalled(owed: readonly EpochRanges[], held: readonly EpochRange[]): readonly EpochRange[] {
	return owed.flatMap(({ epoch, ranges }) => {
		const here = createRangeSet();
		for (const { first, last, epoch: of } of held) if (of === epoch) here.add(first, last);
		return ranges.flatMap(({ first, last }) =>
			here.missing(first, last).map((part) => ({ epoch, first: part.first, last: part.last })),
		);
	});
}

function setsOf(ranges: readonly EpochRange[]): ReadonlyMap<number, RangeSet> {
	const sets = new Map<number, RangeSet>();
	for (const { epoch, first, last } of ranges) {
		const set = sets.get(epoch) ?? createRangeSet();
		sets.set(epoch, set);
		set.add(first, last);
	}
	return sets;
}

/** The parts of some ranges that others leave. */
export function without(ranges: readonly EpochRange[], others: readonly EpochRange[]): readonly EpochRange[] {
	const sets = setsOf(others);
	return ranges.flatMap(({ epoch, first, last }) =>
		(sets.get(epoch)?.missing(first, last) ?? [{ first, last }]).map((part) => ({
			epoch,
			first: part.first,
			last: part.last,
		})),
	);
}

/** Ranges of each boot as few as they can be, oldest boot first. */
export function journalled(ranges: readonly EpochRange[]): readonly EpochRange[] {
	const sets = setsOf(ranges);
	return [...sets]
		.toSorted(([one], [other]) => one - other)
		.flatMap(([epoch, set]) => set.ranges().map(({ first, last }) => ({ epoch, first, last })));
}

/** The parts of some ranges that others have too. */
export const within = (ranges: readonly EpochRange[], others: readonly EpochRange[]): readonly EpochRange[] =>
	without(ranges, without(ranges, others));
