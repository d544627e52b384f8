import { isScalable, isWhole } from '../../config/template/register-types.ts';
import type { RegisterType } from '../../config/template/template.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';

/** What a decoded value looks like to somebody who knows what field devices measure. */
export interface ValueHint {
	/** 0: cannot be a measured value, 1: nothing else is likely. */
	readonly plausibility: number;
	/** The factor the hint supposes, by which a whole number is to be multiplied; 1 mostly. */
	readonly scale: number;
	/** e.g. `230.1 looks like a phase voltage in V`; `null` when there is nothing to say. */
	readonly sentence: string | null;
}

/** A quantity by the values it usually has. */
interface Quantity {
	readonly looksLike: string;
	readonly plausibility: number;
	readonly isUsual: (value: number) => boolean;
}

const near =
	(nominals: readonly number[], share: number) =>
	(value: number): boolean =>
		nominals.some((nominal) => Math.abs(value - nominal) <= share * nominal);

const between =
	(least: number, most: number) =>
	(value: number): boolean =>
		value >= least && value <= most;

const isBroken = (value: number): boolean => !Number.isInteger(value);

/** In the order in which they are tried: the first that fits speaks. */
const quantities: readonly Quantity[] = [
	{
		looksLike: 'looks like a mains frequency in Hz',
		plausibility: 0.95,
		isUsual: (value) => near([50, 60], 0.015)(value),
	},
	{
		looksLike: 'looks like a phase voltage in V',
		plausibility: 0.95,
		isUsual: near([110, 115, 120, 127, 220, 230, 240, 277], 0.045),
	},
	{
		looksLike: 'looks like a voltage between phases in V',
		plausibility: 0.8,
		isUsual: near([208, 380, 400, 415, 480, 690], 0.045),
	},
	{
		looksLike: 'could be a power factor',
		plausibility: 0.6,
		isUsual: (value) => isBroken(value) && between(0.4, 1)(Math.abs(value)),
	},
	{
		looksLike: 'could be a temperature in °C',
		plausibility: 0.6,
		isUsual: (value) => isBroken(value) && between(10, 45)(value),
	},
	{ looksLike: 'could be a percentage', plausibility: 0.35, isUsual: (value) => value > 0 && between(1, 100)(value) },
];

/** Factors that makers store decimals with, and how usual each is. */
const SCALES: readonly (readonly [scale: number, isUsual: number])[] = [
	[1, 1],
	[0.1, 0.95],
	[0.01, 0.85],
	[0.001, 0.3],
];

/** Whole numbers that are scaled; a device with floating point has no need to. */
const isScaled = (type: RegisterType): boolean => isWhole(type) && isScalable(type);

const ZERO: ValueHint = { plausibility: 0.15, scale: 1, sentence: null };
const NONE: ValueHint = { plausibility: 0, scale: 1, sentence: null };

/** Beyond these a number on a field device is the bits of something else. */
const LEAST = 1e-6;
const MOST = 1e10;

/** Least plausibility of a scaled reading that is worth a sentence: "a percentage" fits too many numbers. */
const SCALED_FROM = 0.5;

/** value x scale without the noise of binary fractions. */
export const scaledBy = (value: number, scale: number): number =>
	scale < 1 ? value / Math.round(1 / scale) : value * scale;

function hintAt(value: number, scale: number): ValueHint | null {
	const scaled = scaledBy(value, scale);
	const quantity = quantities.find(({ isUsual }) => isUsual(scaled));
	if (quantity === undefined || (scale !== 1 && quantity.plausibility < SCALED_FROM)) return null;
	const shown = Number(scaled.toPrecision(6));
	const times = scale === 1 ? '' : `x ${scale} = ${shown}, `;
	const sentence = scale === 1 ? `${shown} ${quantity.looksLike}` : `${times}which ${quantity.looksLike}`;
	return { plausibility: quantity.plausibility, scale, sentence };
}

function numberHint(value: number, type: RegisterType): ValueHint {
	if (value === 0) return ZERO;
	const size = Math.abs(value);
	if (size < LEAST) return { plausibility: 0.01, scale: 1, sentence: 'too small to be a measured value' };
	if (size > MOST) return { plausibility: 0.02, scale: 1, sentence: 'too large to be a measured value' };
	let best: ValueHint = { plausibility: size > 1e6 || size < 1e-3 ? 0.15 : 0.3, scale: 1, sentence: null };
	for (const [scale, isUsual] of isScaled(type) ? SCALES : SCALES.slice(0, 1)) {
		const hint = hintAt(value, scale);
		if (hint !== null && hint.plausibility * isUsual > best.plausibility)
			best = { ...hint, plausibility: hint.plausibility * isUsual };
	}
	return best;
}

const READABLE = /^[\x20-\x7e]+$/;
const LEAST_TEXT = 3;

function textHint(text: string): ValueHint {
	if (text.trim().length < LEAST_TEXT || !READABLE.test(text)) return NONE;
	const words = text.replaceAll(/[^A-Za-z0-9]/g, '').length / text.length;
	return words < 0.6
		? { plausibility: 0.2, scale: 1, sentence: null }
		: { plausibility: 0.9, scale: 1, sentence: 'readable text' };
}

/** Years a clock on a working device may show. */
const FIRST_YEAR = 2018;
const LAST_YEAR = 2035;

function timeHint(text: string): ValueHint {
	const year = Number(text.slice(0, 4));
	if (!between(FIRST_YEAR, LAST_YEAR)(year)) return { plausibility: 0.02, scale: 1, sentence: null };
	return { plausibility: 0.6, scale: 1, sentence: 'a date of our time' };
}

/** How plausible it is that a decoded value is what the device means. */
export function valueHint(value: SampleValue, type: RegisterType): ValueHint {
	if (typeof value === 'string') return type.startsWith('time_') ? timeHint(value) : textHint(value);
	if (typeof value === 'bigint') return { plausibility: 0.02, scale: 1, sentence: 'too large to be a measured value' };
	if (typeof value === 'number' && Number.isFinite(value)) return numberHint(value, type);
	return NONE;
}
