import { factsOfType } from '../../config/template/register-types.ts';
import type { Probe, TemplatePoint } from '../../config/template/template.ts';
import { noise } from './day-curve.ts';

/** Where a quantity lives in everyday plants, and how far it wanders. */
interface Quantity {
	readonly middle: number;
	readonly swing: number;
}

/** By unit, as templates write them. Powers may be negative: feed-in. */
const quantities: Readonly<Record<string, Quantity>> = {
	V: { middle: 230, swing: 4 },
	kV: { middle: 20, swing: 0.2 },
	mV: { middle: 3300, swing: 60 },
	A: { middle: 8, swing: 5 },
	mA: { middle: 800, swing: 500 },
	W: { middle: 1500, swing: 1200 },
	kW: { middle: 4, swing: 3 },
	MW: { middle: 1, swing: 0.5 },
	VA: { middle: 1700, swing: 1200 },
	kVA: { middle: 4.4, swing: 3 },
	var: { middle: 300, swing: 250 },
	kvar: { middle: 0.8, swing: 0.6 },
	Hz: { middle: 50, swing: 0.05 },
	'%': { middle: 60, swing: 25 },
	degC: { middle: 32, swing: 9 },
	'°C': { middle: 32, swing: 9 },
	'°F': { middle: 90, swing: 15 },
	K: { middle: 305, swing: 9 },
	deg: { middle: 0, swing: 20 },
	'°': { middle: 0, swing: 20 },
	bar: { middle: 2, swing: 0.4 },
	hPa: { middle: 1013, swing: 8 },
	'm³/h': { middle: 1.2, swing: 0.8 },
	'l/min': { middle: 12, swing: 6 },
	'W/m²': { middle: 450, swing: 350 },
	'm/s': { middle: 4, swing: 3 },
	ppm: { middle: 600, swing: 150 },
	lx: { middle: 400, swing: 200 },
	Ω: { middle: 100, swing: 2 },
	kΩ: { middle: 500, swing: 20 },
	rpm: { middle: 1450, swing: 40 },
};

/** Without a unit: a power factor, a ratio, an index. */
const PLAIN: Quantity = { middle: 0.9, swing: 0.09 };

/** What counters gain in an hour, by unit; others gain 1. */
const perHour: Readonly<Record<string, number>> = {
	kWh: 2.4,
	Wh: 2400,
	MWh: 0.0024,
	kvarh: 0.7,
	varh: 700,
	kVAh: 2.6,
	VAh: 2600,
	Ah: 8,
	h: 1,
	min: 60,
	s: 3600,
	'm³': 0.8,
	l: 800,
};

const HOUR_MS = 3_600_000;
/** Counters stood at zero at the beginning of 2024. */
const INSTALLED_MS = Date.UTC(2024, 0, 1);
/** A drift of half a minute and a tremble of a second. */
const DRIFT_MS = 30_000;
const TREMBLE_MS = 1000;
/** How long a state stays. */
const STATE_MS = 60_000;

/** A small whole number that is always the same for a text. */
function hashOf(text: string): number {
	let hash = 7;
	for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
	return hash & 0xffff;
}

/** -1 to 1, steady from one second to the next. */
function wander(seed: number, channel: number, atMs: number): number {
	const slow = atMs / DRIFT_MS;
	const step = Math.floor(slow);
	const share = slow - step;
	const drift = noise(seed, channel, step) * (1 - share) + noise(seed, channel, step + 1) * share;
	return 1.6 * (drift - 0.5) + 0.4 * (noise(seed, channel + 7, Math.floor(atMs / TREMBLE_MS)) - 0.5);
}

const within = (value: number, { min, max }: Pick<TemplatePoint, 'min' | 'max'>): number =>
	Math.min(max ?? Number.POSITIVE_INFINITY, Math.max(min ?? Number.NEGATIVE_INFINITY, value));

function measured({ unit, min, max }: TemplatePoint, seed: number, channel: number, atMs: number): number {
	const { middle, swing } = quantities[unit] ?? PLAIN;
	const share = wander(seed, channel, atMs);
	const value = middle + swing * share;
	if (min === null || max === null || (value >= min && value <= max)) return value;
	// A device of another size: what its template holds for plausible.
	return (min + max) / 2 + ((max - min) / 8) * share;
}

/** Where a counter of this type starts over, in the unit of the point; a little below, where devices say "no value". */
function endOfType({ type, count, scale }: TemplatePoint): number {
	const { nature, isSigned } = factsOfType(type);
	if (nature !== 'whole') return Number.POSITIVE_INFINITY;
	return type.startsWith('bcd') ? 10 ** (4 * count) * scale : 0.99 * 2 ** (16 * count - (isSigned ? 1 : 0)) * scale;
}

function counted(point: TemplatePoint, seed: number, channel: number, atMs: number): number {
	const rate = (perHour[point.unit] ?? 1) * (0.5 + noise(seed, channel, 1));
	const value = (Math.max(0, atMs - INSTALLED_MS) / HOUR_MS) * rate;
	const end = point.turnsAt ?? point.max ?? endOfType(point);
	return end > 0 ? value % end : value;
}

function state({ enum: texts }: TemplatePoint, seed: number, channel: number, atMs: number): number {
	const numbers = Object.keys(texts ?? {}).map(Number);
	const turn = Math.floor(noise(seed, channel, Math.floor(atMs / STATE_MS)) * Math.max(2, numbers.length));
	return numbers[turn] ?? turn;
}

function setting({ min, max, enum: texts }: TemplatePoint): number {
	const first = Object.keys(texts ?? {})[0];
	if (first !== undefined) return Number(first);
	return min !== null && max !== null ? Math.round((min + max) / 2) : (min ?? 0);
}

const generators: Readonly<
	Record<TemplatePoint['kind'], (point: TemplatePoint, seed: number, channel: number, atMs: number) => number>
> = { measurement: measured, counter: counted, state, setting };

/** What a probe expects of a number, next to what the device would show; text is not its business. */
function probed(value: number, probe: Probe): number {
	if (!('is' in probe)) return within(value, probe);
	const first = probe.is.find((each) => typeof each === 'number');
	return typeof first === 'number' ? first : value;
}

/** The number a simulated device shows at an instant, in the unit of the point. Depends on nothing but its arguments. */
export function numberAt(point: TemplatePoint, probe: Probe | undefined, seed: number, atMs: number): number {
	const channel = hashOf(point.key);
	const value = within(generators[point.kind](point, seed, channel, atMs), point);
	return probe === undefined ? value : probed(value, probe);
}

/** The text a simulated device shows: what its probe expects, else one that names the point. */
export function textOf(point: TemplatePoint, probe: Probe | undefined, seed: number): string {
	const expected = probe !== undefined && 'is' in probe ? probe.is.find((each) => typeof each === 'string') : undefined;
	return typeof expected === 'string' ? expected : `${point.key} ${seed}`;
}
