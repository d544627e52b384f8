import { formatCount } from './format.ts';
import { th } from './text-history.ts';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** "1 h 20 min". Below ten seconds with a digit behind the point, where half a second matters. */
export function formatDuration(ms: number): string {
	const s = ms / 1_000;
	if (s < MINUTE_S) return th('span.seconds', { n: s < 10 ? Number(s.toFixed(1)) : Math.round(s) });
	if (s < HOUR_S - MINUTE_S / 2) return th('span.minutes', { n: Math.round(s / MINUTE_S) });
	const minutes = Math.round(s / MINUTE_S);
	const rest = { h: Math.floor(minutes / 60), m: minutes % 60 };
	if (s < DAY_S * 2) return th(rest.m === 0 ? 'span.wholeHours' : 'span.hours', rest);
	const hours = Math.round(s / HOUR_S);
	return th('span.days', { d: Math.floor(hours / 24), h: hours % 24 });
}

export const gapsText = (count: number): string =>
	count === 1 ? th('gaps.one') : th('gaps.many', { n: formatCount(count) });
