import { createRangeSet, type RangeSet } from '../ledger/range-set.ts';
import type { StreamRange } from '../ledger/stream-range.ts';

/** Which samples something holds, stream by stream. */
export interface StreamTally {
	add(range: StreamRange): void;
	remove(range: StreamRange): void;
	/** The parts of a range that are not in it. */
	missing(range: StreamRange): readonly StreamRange[];
	ranges(): readonly StreamRange[];
}

const keyOf = ({ origin, epoch }: StreamRange): string => `${origin}${epoch}`;

export function createStreamTally(): StreamTally {
	const streams = new Map<string, Pick<StreamRange, 'origin' | 'epoch'> & { readonly numbers: RangeSet }>();
	return {
		add(range) {
			const { origin, epoch, first, last } = range;
			const key = keyOf(range);
			let stream = streams.get(key);
			if (stream === undefined) streams.set(key, (stream = { origin, epoch, numbers: createRangeSet() }));
			stream.numbers.add(first, last);
		},
		remove: (range) => void streams.get(keyOf(range))?.numbers.remove(range.first, range.last),
		missing(range) {
			const { origin, epoch } = range;
			const holes = streams.get(keyOf(range))?.numbers.missing(range.first, range.last);
			return holes?.map(({ first, last }) => ({ origin, epoch, first, last })) ?? [range];
		},
		ranges: () =>
			[...streams.values()].flatMap(({ origin, epoch, numbers }) =>
				numbers.ranges().map(({ first, last }) => ({ origin, epoch, first, last })),
			),
	};
}
