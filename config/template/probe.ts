import { factsOfType } from './register-types.ts';
import type { Probe, RegisterType, TemplatePoint } from './template.ts';

/** What a point answered: its decoded value; `null`: no value; `undefined`: the device refused the read or was silent. */
export type ProbedValue = number | bigint | string | boolean | null | undefined;

const BITS_PER_LETTER = 8;
/** Unscaled limits are whole numbers but for the noise of the division. */
const ROUNDING = 1e-6;
/** Nothing speaks for a model with more certainty than this. */
const MAX_BITS = 64;

const isOneOf = (value: number | bigint | string, allowed: readonly (number | string)[]): boolean =>
	allowed.some((each) =>
		typeof each === 'string' ? String(value).toLowerCase().startsWith(each.toLowerCase()) : Number(value) === each,
	);

/** Whether a value is what the probe expects. No value is never. */
export function keepsProbe(probe: Probe, value: ProbedValue): boolean {
	if (value === null || value === undefined || typeof value === 'boolean') return false;
	if ('is' in probe) return isOneOf(value, probe.is);
	return typeof value !== 'string' && value >= probe.min && value <= probe.max;
}

/** The place of a float32 among all of them, in order: neighbours differ by 1. */
function floatPlace(value: number): number {
	const view = new DataView(new ArrayBuffer(4));
	view.setFloat32(0, value);
	const place = view.getInt32(0);
	return place < 0 ? -(place & 0x7fff_ffff) : place;
}

const widths: Readonly<Partial<Record<RegisterType, number>>> = { bit: 1, int8h: 8, int8l: 8, uint8h: 8, uint8l: 8 };

const rawBits = ({ type, count }: TemplatePoint): number => widths[type] ?? 16 * count;

/** Raw patterns between two values after scaling, inclusive. */
function patternsBetween(point: TemplatePoint, min: number, max: number): number {
	const raw = (value: number): number => (value - point.offset) / point.scale;
	const [low = 0, high = 0] = [raw(min), raw(max)].toSorted((left, right) => left - right);
	// A 64-bit float has 2^32 patterns for each of 32 bits: the share of the range is the same.
	if (factsOfType(point.type).nature === 'float')
		return (floatPlace(high) - floatPlace(low) + 1) * 2 ** (rawBits(point) - 32);
	return Math.floor(high + ROUNDING) - Math.ceil(low - ROUNDING) + 1;
}

function acceptedPatterns(point: TemplatePoint, probe: Probe): number {
	if (!('is' in probe)) return patternsBetween(point, probe.min, probe.max);
	return probe.is.length;
}

/**
 * How much a kept probe says, in bits: by as many powers of two it is rarer among random registers than any answer at all. A range
 * that holds half of all numbers says 1 bit, a text of eight letters 64.
 */
export function probeBits(point: TemplatePoint, probe: Probe): number {
	if ('is' in probe && typeof probe.is[0] === 'string') {
		const shortest = Math.min(...probe.is.map((each) => String(each).length));
		return Math.min(MAX_BITS, BITS_PER_LETTER * shortest - Math.log2(probe.is.length));
	}
	const accepted = Math.max(1, acceptedPatterns(point, probe));
	return Math.max(0, Math.min(MAX_BITS, rawBits(point) - Math.log2(accepted)));
}

/** What a device looks like to one template. */
export interface ProbeVerdict {
	/** Every probe was kept, and there is at least one. */
	readonly isKept: boolean;
	/** Sum over the kept probes, bits. Of several templates that are kept, the one with the most is the likeliest. */
	readonly bits: number;
}

/**
 * Holds the answers of a device against the probes of a template. Pure; who asks the device reads each probe's point by itself, as
 * some devices identify themselves only to a read of one register.
 */
export function probeVerdict(
	template: { readonly points: readonly TemplatePoint[]; readonly probe: readonly Probe[] },
	valueOf: (point: TemplatePoint) => ProbedValue,
): ProbeVerdict {
	let isKept = template.probe.length > 0;
	let bits = 0;
	for (const probe of template.probe) {
		const point = template.points.find(({ key }) => key === probe.key);
		if (point !== undefined && keepsProbe(probe, valueOf(point))) bits += probeBits(point, probe);
		else isKept = false;
	}
	return { isKept, bits };
}
