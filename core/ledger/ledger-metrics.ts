import type { Metrics } from '../system/metrics.ts';
import type { GatewayCompleteness } from './completeness.ts';
import { FINAL_REASONS } from './stream-range.ts';

/** Numbers of a ledger, all gateways together. */
export function addLedgerMetrics(
	metrics: Metrics,
	{
		completeness,
		missingSamples,
	}: {
		readonly completeness: () => readonly Pick<GatewayCompleteness, 'lostByReason'>[];
		readonly missingSamples: () => number;
	},
): void {
	metrics.add({
		name: 'ledger_missing_samples',
		help: 'Samples that are owed to the hub and not declared lost',
		kind: 'gauge',
		read: () => [{ value: missingSamples() }],
	});
	metrics.add({
		name: 'ledger_declared_lost_samples',
		help: 'Samples that will not be at the hub, by reason',
		kind: 'gauge',
		labels: ['reason'],
		read: () => {
			const all = completeness();
			return FINAL_REASONS.map((reason) => ({
				labels: { reason },
				value: all.reduce((sum, { lostByReason }) => sum + lostByReason[reason], 0),
			}));
		},
	});
}
