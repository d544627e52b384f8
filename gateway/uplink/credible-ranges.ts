import type { EpochRanges } from '../../core/ledger/range-set.ts';

/** The boot that this gateway is in, and the last number that it has given to a sample in it. */
export interface OwnEnd {
	readonly epoch: number;
	readonly lastSeq: number;
}

/**
 * What a hub can hold of this gateway. It cannot hold what was not read yet: believed, it would keep samples of the future from ever being
 * sent.
 */
export function credibleRanges(told: readonly EpochRanges[], { epoch, lastSeq }: OwnEnd): readonly EpochRanges[] {
	return told.flatMap((one) => {
		if (one.epoch > epoch) return [];
		if (one.epoch < epoch) return [one];
		const ranges = one.ranges.flatMap(({ first, last }) =>
			first > lastSeq ? [] : [{ first, last: Math.min(last, lastSeq) }],
		);
		return [{ epoch, ranges }];
	});
}
