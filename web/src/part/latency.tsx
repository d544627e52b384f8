import { NONE, formatCount } from '../format.ts';
import { tf } from '../text-field.ts';
import type { LatencyBucketView, LineView } from '../wire-field.ts';

const ms = (value: number | null): string => (value === null ? NONE : value.toFixed(value < 100 ? 1 : 0));

/** Half of the answers come within the first, all but a hundredth within the second. */
export const latencyText = (of: Pick<LineView, 'latency_p50_ms' | 'latency_p99_ms'>): string =>
	`${ms(of.latency_p50_ms)} / ${ms(of.latency_p99_ms)} ms`;

const order = (upTo: number | null): number => upTo ?? Number.POSITIVE_INFINITY;

/** Answers between this time and the one before. */
interface Step {
	readonly upToMs: number | null;
	readonly count: number;
}

/** The answers of several units in the same steps. The server counts in each step those of the steps before as well. */
export function stepsOf(units: readonly { readonly latency: readonly LatencyBucketView[] }[]): readonly Step[] {
	const within = new Map<number | null, number>();
	for (const { latency } of units) {
		for (const { up_to_ms: upTo, count } of latency) within.set(upTo, (within.get(upTo) ?? 0) + count);
	}
	let before = 0;
	return [...within]
		.toSorted(([one], [other]) => order(one) - order(other))
		.map(([upToMs, all]) => {
			const count = all - before;
			before = all;
			return { upToMs, count };
		});
}

/** Names that stand below the bars without touching each other. */
const MOST_NAMES = 8;

const textOf = ({ upToMs, count }: Step): string =>
	upToMs === null
		? tf('line.latencyRest', { n: formatCount(count) })
		: tf('line.latencyBar', { ms: upToMs, n: formatCount(count) });

const nameOf = ({ upToMs }: Step): string => {
	if (upToMs === null) return '…';
	return upToMs < 1_000 ? String(upToMs) : `${Number((upToMs / 1_000).toFixed(1))} s`;
};

/** How long answers took, bar by bar; empty steps at both ends are left out. */
export function LatencyBars({ steps }: { readonly steps: readonly Step[] }) {
	const first = steps.findIndex(({ count }) => count > 0);
	const last = steps.findLastIndex(({ count }) => count > 0);
	if (first === -1) return <p class="quiet">{tf('line.latencyNone')}</p>;
	const shown = steps.slice(Math.max(0, first - 1), last + 2);
	const each = Math.ceil(shown.length / MOST_NAMES);
	const top = Math.max(...shown.map(({ count }) => count));
	return (
		<ol class="bars latency-bars">
			{shown.map((step, index) => (
				<li key={step.upToMs} title={textOf(step)}>
					<span class="unseen">{textOf(step)}</span>
					<span class="bar-room" aria-hidden="true">
						<span
							class={step.count === 0 ? 'bar-none' : 'bar-fill'}
							style={{ blockSize: `${((step.count / top) * 100).toFixed(2)}%` }}
						/>
					</span>
					<span class="bar-name" aria-hidden="true">
						{index % each === 0 ? nameOf(step) : ''}
					</span>
				</li>
			))}
		</ol>
	);
}
