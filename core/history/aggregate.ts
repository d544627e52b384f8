import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Clock } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { createPlanner, type Piece, type RollupSource } from './aggregate-plan.ts';
import { createRawScan, type RawScanDeps } from './aggregate-raw.ts';
import { createRollupBuilder, mergeRollups, type Rollup, type RollupBuilder } from './rollup.ts';
import type { CounterRule } from './rollup-counter.ts';
import type { CounterRuleOf } from './rollup-hour.ts';

/** Others get their turn after so many parts that were found in memory. */
const PIECES_PER_TURN = 500;

export interface AggregateDeps extends RollupSource {
	readonly history: Pick<HistoryRepository, 'range' | 'column'>;
	readonly ruleOf: CounterRuleOf;
	readonly clock: Clock;
}

export interface AggregateQuery extends Pick<RawScanDeps, 'isWanted' | 'limits'> {
	readonly device: DeviceId;
	/** `null`: every point that has samples. */
	readonly points: ReadonlySet<string> | null;
	/** Ascending instants, at least two: one bucket between each and the next. */
	readonly edges: readonly number[];
	/** Called whenever a bucket gets a point that it had not: may throw to end the query. */
	readonly grown?: () => void;
}

export interface AggregateResult {
	/** One for each bucket: rollups by point, of points with samples in it. */
	readonly buckets: readonly ReadonlyMap<string, Rollup>[];
	/**
	 * False where samples and minutes are gone and a bucket's edge lies within an hour: the hour counts whole, in the bucket that it begins in.
	 */
	readonly isExact: boolean;
}

/**
 * Rollups over buckets, composed from the largest rollups that can be trusted, and from samples for the rest.
 * Rejects with a Fault `rule-violation` when too many samples would have to be read, `timeout` when nobody waits any more.
 */
export type Aggregate = (query: AggregateQuery) => Promise<AggregateResult>;

export function createAggregate(deps: AggregateDeps): Aggregate {
	const { history, ruleOf, clock } = deps;

	return async ({ device, points, edges, isWanted, limits, grown }) => {
		const buckets: Map<string, Rollup>[] = edges.slice(1).map(() => new Map());
		const planner = createPlanner(deps, device, points);
		const scan = createRawScan({ history, clock, isWanted, ...(limits === undefined ? {} : { limits }) });
		const rules = new Map<string, CounterRule | null>();
		let isExact = true;

		function ruleFor(point: string): CounterRule | null {
			let rule = rules.get(point);
			if (rule === undefined) rules.set(point, (rule = ruleOf(device, point)));
			return rule;
		}

		function merge(bucket: number, point: string, rollup: Rollup): void {
			const before = buckets[bucket]?.get(point);
			if (before === undefined) grown?.();
			buckets[bucket]?.set(point, before === undefined ? rollup : mergeRollups(before, rollup, ruleFor(point)));
		}

		function close(point: string, bucket: number, builder: RollupBuilder): void {
			const rollup = builder.rollup();
			if (rollup !== null) merge(bucket, point, rollup);
		}

		/** Samples of `[from, to)`, which begins in a bucket and may end in a later one. */
		async function addRaw(firstBucket: number, from: number, to: number): Promise<void> {
			const open = new Map<string, { bucket: number; end: number; builder: RollupBuilder }>();
			await scan({ device, from, to, points }, (point, at, value, quality) => {
				let entry = open.get(point);
				if (entry === undefined || at >= entry.end) {
					let bucket = entry?.bucket ?? firstBucket;
					if (entry !== undefined) close(point, entry.bucket, entry.builder);
					while (at >= (edges[bucket + 1] ?? Number.POSITIVE_INFINITY)) bucket += 1;
					const end = edges[bucket + 1] ?? Number.POSITIVE_INFINITY;
					open.set(point, (entry = { bucket, end, builder: createRollupBuilder(ruleFor(point)) }));
				}
				entry.builder.add(at, value, quality);
			});
			for (const [point, { bucket, builder }] of open) close(point, bucket, builder);
		}

		let raw: { readonly bucket: number; readonly from: number; to: number } | null = null;

		async function flushRaw(): Promise<void> {
			if (raw === null) return;
			const { bucket, from, to } = raw;
			raw = null;
			await addRaw(bucket, from, to);
		}

		async function take(bucket: number, piece: Piece): Promise<void> {
			if (piece.kind === 'raw') {
				if (raw === null) raw = { bucket, from: piece.from, to: piece.to };
				else raw.to = piece.to;
				return;
			}
			await flushRaw();
			if (piece.kind === 'beyond') isExact = false;
			for (const { point, rollup } of piece.rollups) merge(bucket, point, rollup);
		}

		let pieces = 0;
		for (let bucket = 0; bucket < buckets.length; bucket += 1) {
			const end = edges[bucket + 1] ?? 0;
			for (let at = edges[bucket] ?? end; at < end; pieces += 1) {
				const piece = await planner.piece(at, end);
				await take(bucket, piece);
				at = piece.to;
				if (pieces % PIECES_PER_TURN === PIECES_PER_TURN - 1) await nextTurn();
			}
		}
		await flushRaw();
		return { buckets, isExact };
	};
}
