/** Sums over minutes, hours, days and months, all of UTC. */
export const ROLLUP_LEVELS = ['minute', 'hour', 'day', 'month'] as const;
export type RollupLevel = (typeof ROLLUP_LEVELS)[number];

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The first and the last instant that anything is summed up for: years of four digits. */
export const FIRST_MS = 0;
export const END_MS = Date.UTC(9999, 11, 31);

interface LevelFacts {
	/** The first instant of the slot that an instant is in. */
	readonly start: (ms: number) => number;
	/** The first instant after the slot that begins at an instant. */
	readonly end: (startMs: number) => number;
	/** Slots of one record: the minutes of an hour, the hours of a day, the days of a month, the months of a year. */
	readonly groupStart: (ms: number) => number;
	readonly groupEnd: (startMs: number) => number;
	/** The first instant of a slot of a group, by its index. */
	readonly slotStart: (groupMs: number, index: number) => number;
	readonly slotIndex: (ms: number) => number;
	/** Name of the file that a group is in. */
	readonly period: (ms: number) => string;
}

const fixed = (widthMs: number) => ({
	start: (ms: number) => Math.floor(ms / widthMs) * widthMs,
	end: (startMs: number) => startMs + widthMs,
	slotStart: (groupMs: number, index: number) => groupMs + index * widthMs,
});

const monthsFrom = (ms: number, more: number): number => {
	const at = new Date(ms);
	return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + more, 1);
};
const yearsFrom = (ms: number, more: number): number => Date.UTC(new Date(ms).getUTCFullYear() + more, 0, 1);

const month = { start: (ms: number) => monthsFrom(ms, 0), end: (startMs: number) => monthsFrom(startMs, 1) };
const iso = (ms: number): string => new Date(ms).toISOString();
const hours = fixed(HOUR_MS);
const days = fixed(DAY_MS);

export const LEVEL_FACTS: Readonly<Record<RollupLevel, LevelFacts>> = {
	minute: {
		...fixed(MINUTE_MS),
		groupStart: hours.start,
		groupEnd: hours.end,
		slotIndex: (ms) => new Date(ms).getUTCMinutes(),
		period: (ms) => iso(ms).slice(0, 10),
	},
	hour: {
		...hours,
		groupStart: days.start,
		groupEnd: days.end,
		slotIndex: (ms) => new Date(ms).getUTCHours(),
		period: (ms) => iso(ms).slice(0, 7),
	},
	day: {
		...days,
		groupStart: month.start,
		groupEnd: month.end,
		slotIndex: (ms) => new Date(ms).getUTCDate() - 1,
		period: (ms) => iso(ms).slice(0, 4),
	},
	month: {
		...month,
		groupStart: (ms) => yearsFrom(ms, 0),
		groupEnd: (ms) => yearsFrom(ms, 1),
		slotStart: monthsFrom,
		slotIndex: (ms) => new Date(ms).getUTCMonth(),
		period: (ms) => iso(ms).slice(0, 4),
	},
};

/** The time that a period is about, by its name; `null` for a name that is none. */
export function spanOfPeriod(
	level: RollupLevel,
	period: string,
): { readonly from: number; readonly to: number } | null {
	const from = Date.parse(`${period}${'-01-01'.slice(period.length - 4)}T00:00:00Z`);
	if (Number.isNaN(from) || LEVEL_FACTS[level].period(from) !== period) return null;
	if (level === 'minute') return { from, to: from + DAY_MS };
	return { from, to: level === 'hour' ? monthsFrom(from, 1) : yearsFrom(from, 1) };
}
