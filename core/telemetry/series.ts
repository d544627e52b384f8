import type { Quality, SampleValue } from './reading.ts';
import { largestTriangles } from './series-lttb.ts';

const DOTS_PER_LTTB_POINT = 4;

/**
 * How points are thinned. `minmax`: no peak disappears. `lttb`: fewer points for the same shape (largest triangle three buckets), from what
 * `minmax` keeps of four times as many.
 */
export const SERIES_METHODS = ['minmax', 'lttb'] as const;
export type SeriesMethod = (typeof SERIES_METHODS)[number];

/** One point's values for a chart: parallel arrays in order of time. `q` is there only when a value is not good. */
export interface Series {
	readonly t: readonly number[];
	readonly v: readonly (number | null)[];
	readonly q?: readonly Quality[];
}

/** One value in a chart. */
export interface Dot {
	readonly t: number;
	readonly v: number | null;
	readonly q: Quality;
}

interface Bucket {
	least: Dot;
	most: Dot;
}

/** The number of a value that can be drawn; `null` is a gap, `undefined` cannot be drawn at all (texts, structures). */
function drawable(value: SampleValue): number | null | undefined {
	if (value === null || typeof value === 'number') return value;
	if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
	return undefined;
}

/**
 * Collects the samples of one point and answers at most `maxPoints` of them: all while they are few enough, else the least and
 * the greatest of each of `maxPoints / 2` equal spans of time, so that no peak disappears. Memory is bounded by `maxPoints`
 * whatever comes in.
 */
export interface SeriesBuilder {
	/** In order of time. */
	add(t: number, value: SampleValue, quality: Quality): void;
	series(): Series;
}

function widen(bucket: Bucket | undefined, dot: Dot): Bucket {
	if (bucket === undefined || bucket.least.v === null || bucket.most.v === null) return { least: dot, most: dot };
	if (dot.v === null) return bucket;
	if (dot.v < bucket.least.v) bucket.least = dot;
	if (dot.v > bucket.most.v) bucket.most = dot;
	return bucket;
}

const dotsOf = ({ least, most }: Bucket): readonly Dot[] => {
	if (least === most) return [least];
	return least.t <= most.t ? [least, most] : [most, least];
};

export function createSeriesBuilder(
	from: number,
	to: number,
	maxPoints: number,
	method: SeriesMethod = 'minmax',
): SeriesBuilder {
	const collected = createCollector(from, to, method === 'lttb' ? maxPoints * DOTS_PER_LTTB_POINT : maxPoints);
	return {
		add: collected.add,
		series() {
			const dots = collected.dots();
			const shown =
				method === 'lttb' ? (largestTriangles(dots, maxPoints) ?? thinned(dots, from, to, maxPoints)) : dots;
			const t = shown.map((dot) => dot.t);
			const v = shown.map((dot) => dot.v);
			return shown.every(({ q }) => q === 'good') ? { t, v } : { t, v, q: shown.map((dot) => dot.q) };
		},
	};
}

interface Collector {
	readonly add: SeriesBuilder['add'];
	readonly dots: () => readonly Dot[];
}

function createCollector(from: number, to: number, maxPoints: number): Collector {
	const spans = Math.floor(maxPoints / 2);
	const spanMs = Math.max((to - from) / spans, 1);
	let few: Dot[] | null = [];
	const buckets = new Map<number, Bucket>();

	function put(dot: Dot): void {
		const index = Math.min(Math.floor((dot.t - from) / spanMs), spans - 1);
		buckets.set(index, widen(buckets.get(index), dot));
	}

	return {
		add(t, value, q) {
			const v = drawable(value);
			if (v === undefined) return;
			const dot: Dot = { t, v, q };
			if (few !== null) {
				few.push(dot);
				if (few.length <= maxPoints) return;
				for (const early of few) put(early);
				few = null;
			} else put(dot);
		},
		dots: () => few ?? [...buckets].toSorted(([a], [b]) => a - b).flatMap(([, bucket]) => dotsOf(bucket)),
	};
}

function thinned(dots: readonly Dot[], from: number, to: number, maxPoints: number): readonly Dot[] {
	const collector = createCollector(from, to, maxPoints);
	for (const { t, v, q } of dots) collector.add(t, v, q);
	return collector.dots();
}
