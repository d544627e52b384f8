import { createRangeSet, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import type { EpochRange } from './not-journalled.ts';

export interface GoneRangesDeps {
	/** What the journal holds of this gateway. */
	readonly held: readonly EpochRange[];
	/** The parts of a range that the hub has not acknowledged. */
	readonly owed: (epoch: number, first: number, last: number) => readonly Range[];
	/** Losses that the hub is told with a better reason. */
	readonly declared: readonly EpochRange[];
	/** The boot that runs: what it has not committed may be on its way to the disk. */
	readonly running: number;
}

/**
 * Samples that the hub lacks and that the journal cannot give: numbers of a boot below its highest that no commit has. Commits keep
 * the order of numbers, so a hole is never filled later. They were read before this gateway was enrolled, or their loss was forgotten: of a boot
 * that is over, the losses that are known tell how far it came, also where the journal has nothing of it any more.
 */
export function goneRanges({ held, owed, declared, running }: GoneRangesDeps): readonly EpochRange[] {
	const settled = new Map<number, RangeSet>();
	function add({ epoch, first, last }: EpochRange): void {
		const numbers = settled.get(epoch) ?? createRangeSet();
		settled.set(epoch, numbers);
		numbers.add(first, last);
	}
	for (const range of held) add(range);
	for (const range of declared) if (range.epoch !== running) add(range);
	const highest = new Map([...settled].map(([epoch, numbers]) => [epoch, numbers.ranges().at(-1)?.last ?? 0]));
	for (const { epoch, first, last } of declared) settled.get(epoch)?.add(first, last);
	return [...settled].flatMap(([epoch, numbers]) =>
		numbers
			.missing(1, highest.get(epoch) ?? 1)
			.flatMap(({ first, last }) => owed(epoch, first, last))
			.map(({ first, last }) => ({ epoch, first, last })),
	);
}
