import { DAY_MS } from './rollup-level.ts';

/** Clocks are set at whole seconds everywhere. */
const EXACT_MS = 1_000;

const WEEK_MS = 7 * DAY_MS;
/** Zones that are kept in mind, and weeks of each: to ask the system takes microseconds, and a question about decades asks thousands of times. */
const MOST_ZONES = 32;
const MOST_WEEKS = 4_000;

/** Local times of one zone, within a span of time. Local instants are written like UTC ones: ms that `Date` shows in UTC. */
export interface LocalClock {
	/** What the zone's clocks are ahead of UTC at an instant, ms. */
	offsetAt(ms: number): number;
	/** The first instant after another one at which clocks show this local time, or a later one where it is skipped. */
	firstAfter(ms: number, localMs: number): number;
	/** The first instant within `(from, to)` at which clocks are set back; `null` when they are not. */
	setBackWithin(from: number, to: number): number | null;
}

interface Stretch {
	/** First instant. */
	readonly from: number;
	readonly offsetMs: number;
}

type OffsetOf = (ms: number) => number;

/** The offsets of a zone, asked of the system. @throws RangeError for a zone that it does not know */
function offsetsOf(timeZone: string): OffsetOf {
	const format = new Intl.DateTimeFormat('en-US', {
		timeZone,
		calendar: 'gregory',
		numberingSystem: 'latn',
		hourCycle: 'h23',
		year: 'numeric',
		month: 'numeric',
		day: 'numeric',
		hour: 'numeric',
		minute: 'numeric',
		second: 'numeric',
	});
	return (ms) => {
		const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
		const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
		const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
		return local - Math.floor(ms / EXACT_MS) * EXACT_MS;
	};
}

const week = (ms: number): number => Math.floor(ms / WEEK_MS) * WEEK_MS;

const weeksOfZones = new Map<string, { readonly offsetOf: OffsetOf; readonly weeks: Map<number, number> }>();

/** The same, remembered at the beginnings of weeks. */
function rememberedOffsets(timeZone: string): OffsetOf {
	const known = weeksOfZones.get(timeZone) ?? { offsetOf: offsetsOf(timeZone), weeks: new Map<number, number>() };
	weeksOfZones.delete(timeZone);
	weeksOfZones.set(timeZone, known);
	for (const oldest of weeksOfZones.keys()) if (weeksOfZones.size > MOST_ZONES) weeksOfZones.delete(oldest);
	const { offsetOf, weeks } = known;
	return (ms) => {
		if (ms % WEEK_MS !== 0) return offsetOf(ms);
		const remembered = weeks.get(ms);
		if (remembered !== undefined) return remembered;
		if (weeks.size >= MOST_WEEKS) weeks.clear();
		const offsetMs = offsetOf(ms);
		weeks.set(ms, offsetMs);
		return offsetMs;
	};
}

/** Whether the system knows an IANA time zone. */
export function isTimeZone(timeZone: string): boolean {
	try {
		return offsetsOf(timeZone)(0) >= -DAY_MS;
	} catch {
		return false;
	}
}

/** The first instant after `before` with the offset of `after`; the clock is set once in between. */
function changeBetween(offsetOf: OffsetOf, before: number, after: number): number {
	const changed = offsetOf(after);
	let low = Math.floor(before / EXACT_MS);
	let high = Math.ceil(after / EXACT_MS);
	while (high - low > 1) {
		const middle = Math.floor((low + high) / 2);
		if (offsetOf(middle * EXACT_MS) === changed) high = middle;
		else low = middle;
	}
	return high * EXACT_MS;
}

function stretchesOf(offsetOf: OffsetOf, from: number, to: number): readonly [Stretch, ...Stretch[]] {
	let last: Stretch = { from: Number.NEGATIVE_INFINITY, offsetMs: offsetOf(from) };
	const stretches: [Stretch, ...Stretch[]] = [last];
	// No clock is set twice within a week.
	for (let at = from; at < to; at += WEEK_MS) {
		const next = Math.min(at + WEEK_MS, to);
		const offsetMs = offsetOf(next);
		if (offsetMs === last.offsetMs) continue;
		last = { from: changeBetween(offsetOf, at, next), offsetMs };
		stretches.push(last);
	}
	return stretches;
}

/**
 * @param timeZone an IANA name
 * @param from what is asked is within a week of `[from, to]`
 * @throws RangeError for a zone that the system does not know
 */
export function localClock(timeZone: string, from: number, to: number): LocalClock {
	const offsetOf = rememberedOffsets(timeZone);
	const stretches =
		timeZone === 'UTC'
			? ([{ from: Number.NEGATIVE_INFINITY, offsetMs: 0 }] as const)
			: stretchesOf(offsetOf, week(from - 8 * DAY_MS), week(to + 407 * DAY_MS));

	function indexAt(ms: number): number {
		let low = 0;
		let high = stretches.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >>> 1;
			if ((stretches[middle]?.from ?? 0) <= ms) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	const offsetAt = (ms: number): number => stretches[indexAt(ms)]?.offsetMs ?? 0;

	return {
		offsetAt,
		firstAfter(ms, localMs) {
			for (let index = indexAt(ms); ; index += 1) {
				const offsetMs = stretches[index]?.offsetMs ?? 0;
				// A local time that is skipped counts from the instant of the change on.
				const at = Math.max(localMs - offsetMs, stretches[index]?.from ?? 0);
				const next = stretches[index + 1];
				if (next === undefined || at < next.from) return at;
			}
		},
		setBackWithin(after, before) {
			for (let index = indexAt(after) + 1; index < stretches.length; index += 1) {
				const stretch = stretches[index];
				if (stretch === undefined || stretch.from >= before) return null;
				if (stretch.offsetMs < (stretches[index - 1]?.offsetMs ?? 0)) return stretch.from;
			}
			return null;
		},
	};
}
