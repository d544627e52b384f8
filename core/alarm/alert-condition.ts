import type { SampleValue } from '../telemetry/reading.ts';
import type { AlertRule, Condition } from './alert-rule.ts';

/** A value that can be compared: numbers, exact integers beyond 2^53, and booleans as 0 and 1. */
export type Comparable = number | bigint;

/** The value as it is compared; `null` when it cannot be: text, objects, nothing, NaN and infinities. */
export function comparable(value: SampleValue): Comparable | null {
	if (typeof value === 'number') return Number.isFinite(value) ? value : null;
	if (typeof value === 'bigint') return value;
	return typeof value === 'boolean' ? Number(value) : null;
}

type Test = (value: Comparable, threshold: number, hysteresis: number) => boolean;

/** JavaScript compares a bigint with a number exactly; only thresholds are computed with, never values. */
const RAISES: Readonly<Record<Condition, Test>> = {
	gt: (value, threshold) => value > threshold,
	gte: (value, threshold) => value >= threshold,
	lt: (value, threshold) => value < threshold,
	lte: (value, threshold) => value <= threshold,
	eq: (value, threshold, hysteresis) => value >= threshold - hysteresis && value <= threshold + hysteresis,
	ne: (value, threshold, hysteresis) => value < threshold - hysteresis || value > threshold + hysteresis,
};

/** The same comparison with the threshold moved back, so that a value that wavers around the threshold keeps its state. */
const KEEPS: Readonly<Record<Condition, Test>> = {
	gt: (value, threshold, hysteresis) => value > threshold - hysteresis,
	gte: (value, threshold, hysteresis) => value >= threshold - hysteresis,
	lt: (value, threshold, hysteresis) => value < threshold + hysteresis,
	lte: (value, threshold, hysteresis) => value <= threshold + hysteresis,
	eq: RAISES.eq,
	ne: RAISES.ne,
};

/** Whether the condition of a rule holds for a value. @param isHolding whether it held for the value before */
export const holds = (
	{ condition, threshold, hysteresis }: Pick<AlertRule, 'condition' | 'threshold' | 'hysteresis'>,
	value: Comparable,
	isHolding: boolean,
): boolean => (isHolding ? KEEPS : RAISES)[condition](value, threshold, hysteresis);
