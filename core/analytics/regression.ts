import type { TrendAnalysis, TrendDirection } from './analytics.ts';

const HOUR_MS = 3_600_000;

/** A slope of this size per hour, or more, is a trend. */
const STABLE_BELOW = 0.01;

const EMPTY: TrendAnalysis = { count: 0, mean: null, std: null, min: null, max: null, slope: null, trend: null };

function directionOf(slope: number): TrendDirection {
	if (Math.abs(slope) < STABLE_BELOW) return 'stable';
	return slope > 0 ? 'increasing' : 'decreasing';
}

/** Sums beyond the range of a double are no numbers that JSON knows. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Mean, spread and linear regression of samples in any order, in one pass and constant memory. */
export interface Regression {
	add(atMs: number, value: number): void;
	analysis(): TrendAnalysis;
}

/**
 * Sums around the running means (Welford), so that neither an instant of 13 digits nor a counter far from zero costs digits of the
 * differences.
 */
export function createRegression(): Regression {
	let count = 0;
	let firstMs = 0;
	let meanH = 0;
	let mean = 0;
	let squaresH = 0;
	let squares = 0;
	let products = 0;
	let min = Number.POSITIVE_INFINITY;
	let max = Number.NEGATIVE_INFINITY;

	return {
		add(atMs, value) {
			if (count === 0) firstMs = atMs;
			count += 1;
			const hours = (atMs - firstMs) / HOUR_MS;
			const aheadH = hours - meanH;
			const above = value - mean;
			meanH += aheadH / count;
			mean += above / count;
			squaresH += aheadH * (hours - meanH);
			squares += above * (value - mean);
			products += aheadH * (value - mean);
			min = Math.min(min, value);
			max = Math.max(max, value);
		},
		analysis() {
			if (count === 0) return EMPTY;
			const slope = squaresH > 0 ? finite(products / squaresH) : null;
			return {
				count,
				mean: finite(mean),
				std: finite(Math.sqrt(Math.max(0, squares) / count)),
				min,
				max,
				slope,
				trend: slope === null ? null : directionOf(slope),
			};
		},
	};
}
