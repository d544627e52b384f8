import type { Span } from './period.ts';

/** A day on the wall; months count from 1. Days and months beyond their ends mean those after or before. */
export interface WallDay {
	readonly year: number;
	readonly month: number;
	readonly day: number;
}

/** What the bars of a chart are together. */
export type BarSpan = 'day' | 'month' | 'year';

/** Length of one bar, as the API names it. */
export const BUCKETS: Readonly<Record<BarSpan, string>> = { day: '1h', month: '1d', year: '1M' };

const LANGUAGE = document.documentElement.lang;

export const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What a clock on the wall shows, as if it were UTC, ms. */
function wallMs(atMs: number, zone: string): number {
	const parts = new Intl.DateTimeFormat('en', {
		timeZone: zone,
		hourCycle: 'h23',
		year: 'numeric',
		month: 'numeric',
		day: 'numeric',
		hour: 'numeric',
		minute: 'numeric',
		second: 'numeric',
	}).formatToParts(atMs);
	const of = (type: Intl.DateTimeFormatPartTypes): number =>
		Number(parts.find((part) => part.type === type)?.value ?? Number.NaN);
	return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
}

export function wallDay(atMs: number, zone: string): WallDay {
	const wall = new Date(wallMs(atMs, zone));
	return { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
}

/** The first instant of a day. */
export function startOf({ year, month, day }: WallDay, zone: string): number {
	const wanted = Date.UTC(year, month - 1, day);
	let atMs = wanted;
	// The offset at a guess need not be that at the instant looked for, so it is looked at again. Where a clock leaps over midnight two
	// instants take turns; the third is the one after the leap.
	for (let look = 0; look < 3; look += 1) atMs += wanted - wallMs(atMs, zone);
	return atMs;
}

/** @param back so many before the present one */
export function barSpan(span: BarSpan, back: number, nowMs: number, zone: string): Span {
	const { year, month, day } = wallDay(nowMs, zone);
	const edge = (later: number): WallDay => {
		if (span === 'day') return { year, month, day: day - back + later };
		return span === 'month'
			? { year, month: month - back + later, day: 1 }
			: { year: year - back + later, month: 1, day: 1 };
	};
	return { fromMs: startOf(edge(0), zone), toMs: startOf(edge(1), zone) };
}

const TITLES: Readonly<Record<BarSpan, Intl.DateTimeFormatOptions>> = {
	day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
	month: { month: 'long', year: 'numeric' },
	year: { year: 'numeric' },
};
const LABELS: Readonly<Record<BarSpan, Intl.DateTimeFormatOptions>> = {
	day: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
	month: { day: 'numeric', month: 'short' },
	year: { month: 'short', year: 'numeric' },
};
const SHORT: Readonly<Record<BarSpan, Intl.DateTimeFormatOptions>> = {
	day: { hour: '2-digit', hourCycle: 'h23' },
	month: { day: 'numeric' },
	year: { month: 'narrow' },
};

const inZone =
	(options: Readonly<Record<BarSpan, Intl.DateTimeFormatOptions>>) =>
	(span: BarSpan, zone: string): ((atMs: number) => string) => {
		const format = new Intl.DateTimeFormat(LANGUAGE, { ...options[span], timeZone: zone });
		return (atMs) => format.format(atMs);
	};

/** Names all bars together, e.g. "November 2026". */
export const titleOf = inZone(TITLES);
/** Names one bar for who hears it or reads a table. */
export const labelOf = inZone(LABELS);
/** Names one bar below it, where there is little room. */
export const shortOf = inZone(SHORT);
