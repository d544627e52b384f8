import type { Aggregate } from '../history/aggregate.ts';
import { createRawScan } from '../history/aggregate-raw.ts';
import type { NumberRollup, Rollup } from '../history/rollup.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../history/rollup-level.ts';
import type { Clock } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { HistoryRepository } from './history-repository.ts';
import { createSeriesBuilder, type Series, type SeriesBuilder, type SeriesMethod } from './series.ts';

/** What rollups can stand in for samples, the longest first: none longer than what one dot of the chart stands for. */
const WIDTHS_MS = [DAY_MS, HOUR_MS, MINUTE_MS];

export interface SeriesQuery {
	readonly device: DeviceId;
	readonly points: readonly string[];
	readonly from: number;
	/** Exclusive. */
	readonly to: number;
	readonly maxPoints: number;
	readonly method: SeriesMethod;
	/** False as soon as nobody waits for the outcome. */
	readonly isWanted: () => boolean;
}

export interface SeriesSourceDeps {
	readonly history: Pick<HistoryRepository, 'range'> & Partial<Pick<HistoryRepository, 'column'>>;
	/** `null` where nothing is summed up: then samples are read. */
	readonly aggregate: Aggregate | null;
	readonly clock: Clock;
}

/** Points over time for a chart. Rejects with a Fault `rule-violation` when too many samples would have to be read. */
export type SeriesSource = (query: SeriesQuery) => Promise<ReadonlyMap<string, Series>>;

/** Edges at whole widths, and the two ends. */
function edgesOf(from: number, to: number, widthMs: number): readonly number[] {
	const edges = [from];
	for (let edge = (Math.floor(from / widthMs) + 1) * widthMs; edge < to; edge += widthMs) edges.push(edge);
	return [...edges, to];
}

/** The least and the greatest of a span, in the order that fits how it went. */
function addExtremes(builder: SeriesBuilder, { count, min, max, first, last, firstAt, lastAt }: NumberRollup): void {
	if (count === 1) {
		builder.add(firstAt, first, 'good');
		return;
	}
	const isFalling = last < first;
	builder.add(firstAt, isFalling ? max : min, 'good');
	builder.add(lastAt, isFalling ? min : max, 'good');
}

function addRollup(builder: SeriesBuilder, startMs: number, { bad, numbers, truths, texts, other }: Rollup): void {
	if (numbers !== null) addExtremes(builder, numbers);
	else if (truths !== null) {
		builder.add(truths.firstAt, truths.first, 'good');
		if (truths.count > 1) builder.add(truths.lastAt, truths.last, 'good');
	} else if (bad > 0 && texts === null && other === 0) builder.add(startMs, null, 'comm_error');
}

async function addRollups(
	query: SeriesQuery,
	builders: ReadonlyMap<string, SeriesBuilder>,
	edges: readonly number[],
	from: Aggregate,
) {
	const { device, points, isWanted } = query;
	const { buckets } = await from({ device, points: new Set(points), edges, isWanted });
	for (const [index, bucket] of buckets.entries())
		for (const [point, rollup] of bucket) {
			const builder = builders.get(point);
			if (builder !== undefined) addRollup(builder, edges[index] ?? query.from, rollup);
		}
}

export function createSeriesSource({ history, aggregate, clock }: SeriesSourceDeps): SeriesSource {
	return async (query) => {
		const { device, points, from, to, maxPoints, method, isWanted } = query;
		const builders = new Map(points.map((point) => [point, createSeriesBuilder(from, to, maxPoints, method)]));
		// Two dots stand for one part of the span.
		const widthMs = WIDTHS_MS.find((width) => width <= ((to - from) * 2) / maxPoints);
		if (aggregate !== null && widthMs !== undefined)
			await addRollups(query, builders, edgesOf(from, to, widthMs), aggregate);
		else {
			const scan = createRawScan({ history, clock, isWanted });
			await scan({ device, from, to, points: new Set(points) }, (point, at, value, quality) =>
				builders.get(point)?.add(at, value, quality),
			);
		}
		return new Map([...builders].map(([point, builder]) => [point, builder.series()]));
	};
}
