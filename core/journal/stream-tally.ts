import { createRangeSet, type RangeSet } from '../ledger/range-set.ts';
import type { StreamRange } from '../ledger/stream-range.ts';

/** Which samples something holds, stream by stream. */
export interface StreamTally {
	add(range: StreamRange): void;
	ranges(): readonly StreamRange[];
}

export function createStreamTally(): StreamTally {
	const streams = new Map<string, Pick<StreamRange, 'origin' | 'epoch'> & { readonly numbers: RangeSet }>();
	return {
		add({ origin, epoch, first, last }) {
			const key = `${origin}${epoch}`;
			let stream = streams.get(key);
			if (stream === undefined) streams.set(key, (stream = { origin, epoch, numbers: createRangeSet() }));
			stream.numbers.add(first, last);
		},
		ranges: () =>
			[...streams.values()].flatMap(({ origin, epoch, numbers }) =>
				numbers.ranges().map(({ first, last }) => ({ origin, epoch, first, last })),
			),
	};
}
