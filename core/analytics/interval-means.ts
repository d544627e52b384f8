import { epochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { IntervalRecord, IntervalSeries } from './analytics.ts';
import { type Interval, intervalStart } from './interval.ts';

/** Most numbers of one answer: 10 000 intervals of 20 metrics. */
export const MAX_MEANS = 200_000;

export const tooManyMeans = (): Fault =>
	new Fault(
		'rule-violation',
		`the answer has more than ${MAX_MEANS} numbers; ask for a shorter range or a longer interval`,
	);

interface Mean {
	value: number;
	count: number;
}

/** Collects the mean of each metric per interval. Samples come in order of time. */
export interface IntervalMeans {
	/** @throws Fault `rule-violation` when the answer would be too large */
	add(atMs: number, metric: string, value: number): void;
	series(): IntervalSeries;
}

export function createIntervalMeans(interval: Interval): IntervalMeans {
	const metrics = new Set<string>();
	const records: IntervalRecord[] = [];
	let atMs = Number.NEGATIVE_INFINITY;
	let endMs = Number.NEGATIVE_INFINITY;
	let means = new Map<string, Mean>();
	let answered = 0;

	function close(): void {
		if (means.size === 0) return;
		answered += means.size;
		const finite = [...means].flatMap(([metric, { value }]) =>
			Number.isFinite(value) ? [[metric, value] as const] : [],
		);
		records.push({ at: epochMs(atMs), means: new Map(finite) });
		means = new Map();
	}

	function meanOf(metric: string): Mean {
		let mean = means.get(metric);
		if (mean === undefined) {
			if (answered + means.size >= MAX_MEANS) throw tooManyMeans();
			means.set(metric, (mean = { value: 0, count: 0 }));
			metrics.add(metric);
		}
		return mean;
	}

	return {
		add(sampleMs, metric, value) {
			if (sampleMs >= endMs) {
				close();
				atMs = intervalStart(interval, sampleMs);
				endMs = atMs + interval.stepMs;
			}
			const mean = meanOf(metric);
			mean.count += 1;
			mean.value += (value - mean.value) / mean.count;
		},
		series() {
			close();
			return { metrics: [...metrics].toSorted(), records };
		},
	};
}
