import { listenerComponent, telemetryComponent } from '../core/box/box-components.ts';
import type { ListenState } from '../core/http/listen.ts';
import type { JournalStats } from '../core/journal/journal.ts';
import type { GatewayId } from '../core/kernel/id.ts';
import type { Component } from '../core/system/health.ts';
import type { Metrics } from '../core/system/metrics.ts';
import type { IngestCounts } from './ingest/hub-ingest.ts';
import type { GatewayPresence, GatewayRecord } from './fleet/gateway-record.ts';
import type { GatewayCompleteness } from '../core/ledger/completeness.ts';

/** What `/health` says of a hub. */
export function hubComponents({
	journal,
	link,
}: {
	readonly journal: () => JournalStats;
	readonly link: () => ListenState;
}): readonly Component[] {
	return [telemetryComponent(journal), listenerComponent('link', true, link)];
}

/** Numbers that only a hub has. */
export function addHubMetrics(
	metrics: Metrics,
	{
		gateways,
		presence,
		completeness,
		blocks,
	}: {
		readonly gateways: () => readonly GatewayRecord[];
		readonly presence: (id: GatewayId) => GatewayPresence;
		readonly completeness: (id: GatewayId) => GatewayCompleteness;
		/** Blocks of readings that gateways have sent. */
		readonly blocks: () => IngestCounts;
	},
): void {
	metrics.add({
		name: 'gateways_enrolled',
		help: 'Gateways that may connect',
		kind: 'gauge',
		read: () => [{ value: gateways().filter(({ revokedAt }) => revokedAt === null).length }],
	});
	const ofBlocks = (name: string, help: string, of: (counts: IngestCounts) => number): void =>
		metrics.add({ name, help, kind: 'counter', read: () => [{ value: of(blocks()) }] });
	ofBlocks('link_blocks_total', 'Blocks of readings that gateways have sent', (counts) => counts.blocks);
	ofBlocks('link_damaged_blocks_total', 'Blocks that arrived damaged', (counts) => counts.damagedBlocks);
	ofBlocks('link_refused_blocks_total', 'Blocks that could not be stored', (counts) => counts.refusedBlocks);
	const perGateway = (name: string, help: string, of: (id: GatewayId) => number): void =>
		metrics.add({
			name,
			help,
			kind: 'gauge',
			labels: ['gateway'],
			read: () => gateways().map(({ id }) => ({ value: of(id), labels: { gateway: id } })),
		});
	perGateway('gateway_connected', '1 while the gateway is connected', (id) => (presence(id).online ? 1 : 0));
	perGateway(
		'gateway_received_samples',
		'Samples of the gateway that are stored here',
		(id) => completeness(id).receivedSamples,
	);
	perGateway('gateway_missing_samples', 'Samples that the gateway owes', (id) => completeness(id).missingSamples);
	perGateway(
		'gateway_lost_samples',
		'Samples that the gateway has declared lost',
		(id) => completeness(id).declaredLostSamples,
	);
}
