import { t } from './text.ts';

/** What stands where there is nothing to say. */
export const NONE = '–';

const LANGUAGE = document.documentElement.lang;
const days = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium' });
const times = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

/** Digits after the point by size: about what a meter of class 0.5 can mean, and the same width from second to second. */
const DIGITS = [
	{ from: 1_000, digits: 1 },
	{ from: 10, digits: 2 },
	{ from: 0, digits: 3 },
] as const;
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const fractions = new Map(
	[1, 2, 3].map((digits) => [
		digits,
		new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
	]),
);

function formatNumber(value: number): string {
	const size = Math.abs(value);
	const digits = DIGITS.find(({ from }) => size >= from)?.digits ?? 3;
	return (Number.isInteger(value) ? whole : (fractions.get(digits) ?? whole)).format(value);
}

export function formatValue(value: unknown): string {
	if (typeof value === 'number') return formatNumber(value);
	if (value === null || value === undefined) return NONE;
	return typeof value === 'string' ? value : JSON.stringify(value);
}

export const formatCount = (count: number | null): string => (count === null ? NONE : whole.format(count));

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function formatBytes(bytes: number): string {
	const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), BYTE_UNITS.length - 1);
	return `${Number((bytes / 1024 ** step).toPrecision(3)).toLocaleString(LANGUAGE)} ${BYTE_UNITS[step] ?? 'B'}`;
}

export const formatShare = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

export function formatTime(iso: string | null): string {
	const at = iso === null ? Number.NaN : Date.parse(iso);
	return Number.isNaN(at) ? NONE : times.format(at);
}

export const formatDay = (iso: string): string => days.format(Date.parse(iso));

const AGE_STEPS = [
	{ belowMs: 60_000, unitMs: 1_000, key: 'age.seconds' },
	{ belowMs: 3_600_000, unitMs: 60_000, key: 'age.minutes' },
	{ belowMs: 172_800_000, unitMs: 3_600_000, key: 'age.hours' },
	{ belowMs: Number.POSITIVE_INFINITY, unitMs: 86_400_000, key: 'age.days' },
] as const;

/** "2 s ago". Negative ages come from a clock that was set meanwhile; they read as now. */
export function formatAge(ageMs: number): string {
	if (ageMs < 1_000) return t('age.now');
	const step = AGE_STEPS.find(({ belowMs }) => ageMs < belowMs) ?? AGE_STEPS[3];
	return t(step.key, { n: Math.floor(ageMs / step.unitMs) });
}

/** `voltage_l1` reads as "Voltage L1". Phases and directions of the meters' vocabulary keep their case. */
export function pointName(key: string): string {
	const words = key
		.split(/[_.]/)
		.map((word) => (/^(?:l\d+|n|thd|co2|pm\d+|rms)$/.test(word) ? word.toLocaleUpperCase('en') : word));
	const text = words.join(' ');
	return text.charAt(0).toLocaleUpperCase('en') + text.slice(1);
}

/** Programs and systems by their mark in a user agent; the first match counts, because browsers name others as well. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
	[/Edg\//, 'Edge'],
	[/OPR\//, 'Opera'],
	[/Firefox\/|FxiOS\//, 'Firefox'],
	[/Chrom(?:e|ium)\/|CriOS\//, 'Chrome'],
	[/Safari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
	[/Android/, 'Android'],
	[/iPhone|iPad/, 'iOS'],
	[/Windows/, 'Windows'],
	[/Mac OS X/, 'macOS'],
	[/Linux|X11/, 'Linux'],
];

const markOf = (text: string, marks: readonly (readonly [RegExp, string])[]): string | undefined =>
	marks.find(([mark]) => mark.test(text))?.[1];

/** "Firefox, Linux" of a user agent; its first word where no browser is known; `null` of none at all. */
export function programName(userAgent: string): string | null {
	if (userAgent === '') return null;
	const program = markOf(userAgent, PROGRAMS);
	const system = markOf(userAgent, SYSTEMS);
	if (program === undefined) return userAgent.split(' ')[0] ?? null;
	return system === undefined ? program : `${program}, ${system}`;
}
