/** `10m`: 10 minutes. s, m, h, d, w; 1 to 9999 of them. */
export const INTERVAL = /^([1-9]\d{0,3})([smhdw])$/;

const DAY_MS = 86_400_000;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

/** The first Monday after the epoch, which was a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

/** Equal steps of UTC time. Days are 24 hours everywhere: no clock is changed in UTC. */
export interface Interval {
	readonly stepMs: number;
	/** Where a step begins: multiples of the step since the epoch; weeks since a Monday. */
	readonly originMs: number;
}

/** @throws RangeError for a text that is none */
export function interval(text: string): Interval {
	const [, count, unit = ''] = INTERVAL.exec(text) ?? [];
	const unitMs = UNIT_MS[unit];
	if (count === undefined || unitMs === undefined) throw new RangeError(`not an interval: ${text}`);
	return { stepMs: Number(count) * unitMs, originMs: unit === 'w' ? MONDAY_MS : 0 };
}

/** The first instant of the interval that an instant lies in. */
export const intervalStart = ({ stepMs, originMs }: Interval, atMs: number): number =>
	Math.floor((atMs - originMs) / stepMs) * stepMs + originMs;
