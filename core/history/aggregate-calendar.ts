import { Fault } from '../kernel/fault.ts';
import { localClock } from './aggregate-zone.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './rollup-level.ts';

/** `15m`: s, m, h, d, w, M (months) or y; 1 to 999 of them. */
export const BUCKET = /^([1-9]\d{0,2})([smhdwMy])$/;

/** The first Monday after the epoch, which was a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

/** Local times of one kind of bucket. */
interface Ruler {
	/** Number of the bucket of a local time; grows by one from bucket to bucket. */
	readonly index: (localMs: number) => number;
	/** The first local time of a bucket. */
	readonly start: (index: number) => number;
	/** Buckets no longer than an hour tell the hour that a clock shows twice apart. */
	readonly isShort: boolean;
}

const fixed = (widthMs: number, originMs: number): Ruler => ({
	index: (localMs) => Math.floor((localMs - originMs) / widthMs),
	start: (index) => index * widthMs + originMs,
	isShort: widthMs <= HOUR_MS,
});

const months = (count: number): Ruler => ({
	index(localMs) {
		const at = new Date(localMs);
		return Math.floor((at.getUTCFullYear() * 12 + at.getUTCMonth()) / count);
	},
	start: (index) => Date.UTC(Math.floor((index * count) / 12), (index * count) % 12),
	isShort: false,
});

const RULERS: Readonly<Record<string, (count: number) => Ruler>> = {
	s: (count) => fixed(count * 1_000, 0),
	m: (count) => fixed(count * MINUTE_MS, 0),
	h: (count) => fixed(count * HOUR_MS, 0),
	d: (count) => fixed(count * DAY_MS, 0),
	w: (count) => fixed(count * 7 * DAY_MS, MONDAY_MS),
	M: months,
	y: (count) => months(count * 12),
};

export interface BucketRequest {
	readonly from: number;
	/** Exclusive; later than `from`. */
	readonly to: number;
	/** `15m`, `1d`, ...: begins where a clock on the wall begins it; weeks begin on Mondays. */
	readonly bucket: string;
	/** IANA name, e.g. `Europe/Istanbul`. */
	readonly timeZone: string;
	readonly maxBuckets: number;
}

/**
 * The edges of the buckets that a span is cut into: the first is `from`, the last `to`, so that the first and the last bucket may be parts. A day
 * on which clocks are set has 23 or 25 hours, or whatever its zone makes of it.
 * @throws Fault `rule-violation` for too many of them
 * @throws RangeError for a bucket or a zone that is none
 */
export function bucketEdges({ from, to, bucket, timeZone, maxBuckets }: BucketRequest): readonly number[] {
	const [, count, unit = ''] = BUCKET.exec(bucket) ?? [];
	const ruler = RULERS[unit]?.(Number(count));
	if (ruler === undefined) throw new RangeError(`not a bucket: ${bucket}`);
	const clock = localClock(timeZone, from, to);
	const edges = [from];
	for (let at = from; at < to;) {
		if (edges.length > maxBuckets)
			throw new Fault(
				'rule-violation',
				`bucket: from and to are more than ${maxBuckets} buckets apart; choose a longer one or a shorter span`,
				{ field: 'bucket' },
			);
		const next = clock.firstAfter(at, ruler.start(ruler.index(at + clock.offsetAt(at)) + 1));
		const setBack = ruler.isShort ? clock.setBackWithin(at, next) : null;
		// A clock that is set back shows the same hour again: another bucket.
		at = Math.min(to, setBack ?? next);
		edges.push(at);
	}
	return edges;
}
