import { createRangeSet, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import type { EpochRange } from './not-journalled.ts';

export interface GoneRangesDeps {
	/** What the journal holds of this gateway. */
	readonly held: readonly EpochRange[];
	/** The parts of a range that the hub has not acknowledged. */
	readonly owed: (epoch: number, first: number, last: number) => readonly Range[];
	/** Losses that the hub is told with a better reason. */
	readonly declared: readonly EpochRange[];
}

/**
 * Samples that the hub lacks and that the journal cannot give: numbers below the highest of an epoch that no commit has. Commits keep
 * the order of numbers, so a hole is never filled later. They were read before this gateway was enrolled.
 */
export function goneRanges({ held, owed, declared }: GoneRangesDeps): readonly EpochRange[] {
	const settled = new Map<number, RangeSet>();
	for (const { epoch, first, last } of held) {
		const numbers = settled.get(epoch) ?? createRangeSet();
		settled.set(epoch, numbers);
		numbers.add(first, last);
	}
	const highest = new Map([...settled].map(([epoch, numbers]) => [epoch, numbers.ranges().at(-1)?.last ?? 0]));
	for (const { epoch, first, last } of declared) settled.get(epoch)?.add(first, last);
	return [...settled].flatMap(([epoch, numbers]) =>
		numbers
			.missing(1, highest.get(epoch) ?? 1)
			.flatMap(({ first, last }) => owed(epoch, first, last))
			.map(({ first, last }) => ({ epoch, first, last })),
	);
}
