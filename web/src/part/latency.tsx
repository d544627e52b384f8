import { NONE } from '../format.ts';
import { tf } from '../text-field.ts';
import type { LatencyBucketView, LineView } from '../wire-field.ts';

const ms = (value: number | null): string => (value === null ? NONE : value.toFixed(value < 100 ? 1 : 0));

/** Half of the answers come within the first, all but a hundredth within the second. */
export const latencyText = (of: Pick<LineView, 'latency_p50_ms' | 'latency_p99_ms'>): string =>
	`${ms(of.latency_p50_ms)} / ${ms(of.latency_p99_ms)} ms`;

const order = (upTo: number | null): number => upTo ?? Number.POSITIVE_INFINITY;

/** The answers of several units in the same steps. */
export function sumOf(
	units: readonly { readonly latency: readonly LatencyBucketView[] }[],
): readonly LatencyBucketView[] {
	const counts = new Map<number | null, number>();
	for (const { latency } of units) {
		for (const { up_to_ms: upTo, count } of latency) counts.set(upTo, (counts.get(upTo) ?? 0) + count);
	}
	return Array.from(counts, ([upTo, count]) => ({ up_to_ms: upTo, count })).toSorted(
		(one, other) => order(one.up_to_ms) - order(other.up_to_ms),
	);
}

const textOf = ({ up_to_ms: upTo, count }: LatencyBucketView): string =>
	upTo === null ? tf('line.latencyRest', { n: count }) : tf('line.latencyBar', { ms: upTo, n: count });

/** How long answers took, bar by bar; empty steps at both ends are left out. */
export function LatencyBars({ buckets }: { readonly buckets: readonly LatencyBucketView[] }) {
	const first = buckets.findIndex(({ count }) => count > 0);
	const last = buckets.findLastIndex(({ count }) => count > 0);
	if (first === -1) return <p class="quiet">{tf('line.latencyNone')}</p>;
	const shown = buckets.slice(Math.max(0, first - 1), last + 2);
	const top = Math.max(...shown.map(({ count }) => count));
	return (
		<ol class="bars latency-bars">
			{shown.map((bucket) => (
				<li key={bucket.up_to_ms} title={textOf(bucket)}>
					<span class="unseen">{textOf(bucket)}</span>
					<span class="bar-room" aria-hidden="true">
						<span
							class={bucket.count === 0 ? 'bar-none' : 'bar-fill'}
							style={{ blockSize: `${((bucket.count / top) * 100).toFixed(2)}%` }}
						/>
					</span>
					<span class="bar-name" aria-hidden="true">
						{bucket.up_to_ms === null ? '…' : bucket.up_to_ms}
					</span>
				</li>
			))}
		</ol>
	);
}
