import { Fault } from '../kernel/fault.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { TrendAnalysis } from './analytics.ts';
import { eachNumber } from './reading-scan.ts';
import { createRegression, type Regression } from './regression.ts';

/** Metrics told apart while it is not known which one has most samples. */
const MAX_METRICS = 5_000;

/** A trend, and whose; `metric` is `null` when there was none. */
export interface MetricTrend {
	readonly metric: string | null;
	readonly trend: TrendAnalysis;
}

/** The trend of a metric; `null`: of the one with most samples, of equals the first by name. */
export function createTrendScan(wanted: string | null) {
	const regressions = new Map<string, Regression>();
	const counts = new Map<string, number>();

	function take(atMs: number, metric: string, value: number): void {
		if (wanted !== null && metric !== wanted) return;
		let regression = regressions.get(metric);
		if (regression === undefined) {
			if (regressions.size >= MAX_METRICS)
				throw new Fault('rule-violation', `the range has more than ${MAX_METRICS} metrics; name one`);
			regressions.set(metric, (regression = createRegression()));
		}
		regression.add(atMs, value);
		counts.set(metric, (counts.get(metric) ?? 0) + 1);
	}

	function chosen(): string | null {
		let best: string | null = null;
		for (const [metric, count] of counts) {
			const most = best === null ? 0 : (counts.get(best) ?? 0);
			if (best === null || count > most || (count === most && metric < best)) best = metric;
		}
		return best;
	}

	return {
		add: (reading: Reading): void => eachNumber(reading, take),
		result(): MetricTrend {
			const metric = wanted ?? chosen();
			const regression = metric === null ? undefined : regressions.get(metric);
			return { metric, trend: (regression ?? createRegression()).analysis() };
		},
	};
}
