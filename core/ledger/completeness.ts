import type { EpochMs } from '../kernel/clock.ts';
import type { LedgerEpoch } from './ledger.ts';
import { countOf, type EpochRanges, type Range, withoutRanges } from './range-set.ts';
import { FINAL_REASONS, type FinalReason, type HoleReason } from './stream-range.ts';

/** A hole, why it is there, and between which instants its samples were read; `null` where nobody can know. */
export interface LedgerHole extends Range {
	readonly epoch: number;
	readonly reason: HoleReason;
	readonly from: EpochMs | null;
	readonly to: EpochMs | null;
}

export interface GatewayCompleteness {
	readonly receivedSamples: number;
	/** Below the highest number known and neither received nor declared lost. */
	readonly missingSamples: number;
	readonly declaredLostSamples: number;
	/** The declared ones by their reason. */
	readonly lostByReason: Readonly<Record<FinalReason, number>>;
	readonly received: readonly EpochRanges[];
	/** The first of them, oldest epoch first. */
	readonly holes: readonly LedgerHole[];
}

/** Most holes named in one answer. */
const MAX_HOLES = 1_000;

/** The holes of one epoch in the order of their numbers. */
export function holesOf(
	epoch: number,
	{ committed, lost, marks, highest }: Pick<LedgerEpoch, 'committed' | 'lost' | 'marks' | 'highest'>,
): readonly LedgerHole[] {
	const holes: LedgerHole[] = [];
	function add(part: Range, reason: HoleReason): void {
		const around = marks.around(part);
		holes.push({
			epoch,
			first: part.first,
			last: part.last,
			reason,
			from: around?.from ?? null,
			to: around?.to ?? null,
		});
	}
	for (const [reason, ranges] of lost) {
		for (const { first, last } of ranges.ranges()) {
			// Not what was received all the same.
			for (const part of committed.missing(first, last)) add(part, reason);
		}
	}
	let owed = highest === 0 ? [] : committed.missing(1, highest);
	for (const ranges of lost.values()) owed = withoutRanges(owed, ranges.ranges());
	for (const part of owed) add(part, 'in-transit');
	return holes.toSorted((one, other) => one.first - other.first);
}

/** A gateway's epochs, oldest first, in numbers. */
export function summaryOf(epochs: readonly (readonly [number, LedgerEpoch])[]): GatewayCompleteness {
	const received = epochs.map(([epoch, { committed }]) => ({ epoch, ranges: committed.ranges() }));
	const holes = epochs.flatMap((entry) => holesOf(...entry));
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each reason of the list
	const lostByReason = Object.fromEntries(FINAL_REASONS.map((reason) => [reason, 0])) as Record<FinalReason, number>;
	let missingSamples = 0;
	let declaredLostSamples = 0;
	for (const { reason, first, last } of holes) {
		const samples = last - first + 1;
		if (reason === 'in-transit') {
			missingSamples += samples;
			continue;
		}
		declaredLostSamples += samples;
		lostByReason[reason] += samples;
	}
	return {
		receivedSamples: countOf(received.flatMap(({ ranges }) => ranges)),
		missingSamples,
		declaredLostSamples,
		lostByReason,
		received,
		holes: holes.slice(0, MAX_HOLES),
	};
}
