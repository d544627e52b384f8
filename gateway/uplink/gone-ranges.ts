import type { Range } from '../../core/ledger/range-set.ts';
import { type EpochRange, without } from './not-journalled.ts';

export interface GoneRangesDeps {
	/** What the journal holds of this gateway. */
	readonly held: readonly EpochRange[];
	/** What was ever on disk here and may be owed. */
	readonly known: readonly EpochRange[];
	/** The parts of a range that the hub has not acknowledged. */
	readonly owed: (epoch: number, first: number, last: number) => readonly Range[];
	/** Losses that the hub is told with a better reason. */
	readonly declared: readonly EpochRange[];
	/** The boot that runs: what it has not committed may be on its way to the disk. */
	readonly running: number;
}

/**
 * Samples that the hub lacks and that the journal cannot give: numbers up to the highest of an epoch that no commit in it has. Commits keep
 * the order of numbers, so a hole is never filled later. The journal gave them up for its space, or they were read before this gateway was enrolled,
 * or their loss was forgotten: of a boot that is over, the losses that are known tell how far it came.
 */
export function goneRanges({ held, known, owed, declared, running }: GoneRangesDeps): readonly EpochRange[] {
	const highest = new Map<number, number>();
	const over = declared.filter(({ epoch }) => epoch !== running);
	for (const { epoch, last } of [...known, ...held, ...over])
		highest.set(epoch, Math.max(highest.get(epoch) ?? 0, last));
	const all = [...highest]
		.toSorted(([one], [other]) => one - other)
		.map(([epoch, last]) => ({ epoch, first: 1, last }));
	const gone = without(all, [...held, ...declared]);
	return gone.flatMap(({ epoch, first, last }) =>
		owed(epoch, first, last).map((part) => ({ epoch, first: part.first, last: part.last })),
	);
}
