import type { Aggregate, AggregateQuery } from '../history/aggregate.ts';
import { type Rollup, totalOf } from '../history/rollup.ts';
import { epochMs } from '../kernel/clock.ts';
import type { IntervalRecord, IntervalSeries, Span } from './analytics.ts';
import { type Interval, intervalStart } from './interval.ts';
import { MAX_MEANS, tooManyMeans } from './interval-means.ts';

export interface IntervalQuery extends Span, Pick<AggregateQuery, 'device' | 'isWanted'> {
	readonly interval: Interval;
}

function edgesOf({ from, to, interval }: IntervalQuery): readonly number[] {
	const edges: number[] = [from];
	for (let edge = intervalStart(interval, from) + interval.stepMs; edge < to; edge += interval.stepMs) edges.push(edge);
	return [...edges, to];
}

/** Of points with numbers. */
function meansOf(bucket: ReadonlyMap<string, Rollup>): ReadonlyMap<string, number> {
	const means = new Map<string, number>();
	for (const [metric, { numbers }] of bucket) if (numbers !== null) means.set(metric, totalOf(numbers) / numbers.count);
	return means;
}

const finite = (means: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
	new Map([...means].filter(([, mean]) => Number.isFinite(mean)));

/** Means per interval from aggregates. @throws Fault `rule-violation` when the answer would be too large, or too much would have to be read */
export async function intervalAggregates(aggregate: Aggregate, query: IntervalQuery): Promise<IntervalSeries> {
	const edges = edgesOf(query);
	let entries = 0;
	const { buckets } = await aggregate({
		device: query.device,
		points: null,
		edges,
		isWanted: query.isWanted,
		grown() {
			entries += 1;
			if (entries > MAX_MEANS) throw tooManyMeans();
		},
	});
	const metrics = new Set<string>();
	const records: IntervalRecord[] = [];
	for (const [index, bucket] of buckets.entries()) {
		const means = meansOf(bucket);
		for (const metric of means.keys()) metrics.add(metric);
		const at = epochMs(intervalStart(query.interval, edges[index] ?? query.from));
		if (means.size > 0) records.push({ at, means: finite(means) });
	}
	return { metrics: [...metrics].toSorted(), records };
}
