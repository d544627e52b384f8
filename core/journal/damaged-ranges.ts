import type { StreamRange } from '../ledger/stream-range.ts';
import { readBlockRanges } from './block-codec.ts';
import { createBlockDictionary } from './block-dictionary.ts';
import type { FileLayer } from './file-layer.ts';
import type { Segment } from './segment.ts';
import { FRAMES_START } from './segment-format.ts';
import { walkFrames, withFile } from './segment-walk.ts';
import { createStreamTally } from './stream-tally.ts';

/** Which samples of a segment no intact commit holds, of those that its summary names. They are taken out of its tally. */
export async function takeDamaged(files: FileLayer, segment: Segment): Promise<readonly StreamRange[]> {
	const { end } = segment;
	const named = segment.tally.ranges();
	const intact = createStreamTally();
	const shapes = createBlockDictionary();
	await withFile(files, segment.path, async (file) => {
		for await (const { body } of walkFrames(file, segment, FRAMES_START, end)) {
			try {
				for (const range of readBlockRanges(body, shapes)) intact.add(range);
			} catch {
				// What it needs was defined in a commit that is damaged.
			}
		}
	}).catch(() => undefined);
	// Its file is another's by now: what was read says nothing of it.
	if (segment.isDropped) return [];
	const lost = named.flatMap((range) => intact.missing(range));
	for (const range of lost) segment.tally.remove(range);
	return lost;
}

/** A place in the journal whose commits cannot be read, while its neighbours are looked at. */
interface Gap {
	readonly ranges: StreamRange[];
}

/**
 * What damaged places can have held where no summary tells: numbers of a stream go up, so what is missing between the last number before such a
 * place and the first one behind it may have been there. It may be elsewhere too, or have come never.
 */
export function createNeighbours() {
	/** Last number of each stream, and how many gaps there were by then. */
	const seen = new Map<string, { last: number; gaps: number }>();
	const gaps: Gap[] = [];

	return {
		/** The next intact commit, or a segment as a whole. */
		saw(ranges: readonly StreamRange[]): void {
			for (const { origin, epoch, first, last } of ranges) {
				const key = `${origin}${epoch}`;
				const before = seen.get(key);
				const gap = gaps.at(-1);
				if (gap !== undefined && before !== undefined && before.gaps < gaps.length && first > before.last + 1)
					gap.ranges.push({ origin, epoch, first: before.last + 1, last: first - 1 });
				seen.set(key, { last: Math.max(before?.last ?? 0, last), gaps: gaps.length });
			}
		},
		/** The place that comes next cannot be read. Answers what it may have held; complete when everything was seen. */
		gap(): readonly StreamRange[] {
			const gap: Gap = { ranges: [] };
			gaps.push(gap);
			return gap.ranges;
		},
	};
}

export type Neighbours = ReturnType<typeof createNeighbours>;
