import { listenerComponent, telemetryComponent } from '../core/box/box-components.ts';
import type { ListenState } from '../core/http/listen.ts';
import type { JournalStats } from '../core/journal/journal.ts';
import type { BrokerStats } from '../core/mqtt/mqtt.ts';
import type { Component } from '../core/system/health.ts';
import type { PipelineCounts, ProbedComponent } from '../core/system/monitoring-health.ts';
import type { Metrics, MetricValue } from '../core/system/metrics.ts';
import type { LineStats } from './driver/driver.ts';
import type { UplinkStatus } from './uplink/uplink-deps.ts';

export interface GatewayStatusDeps {
	readonly journal: () => JournalStats;
	readonly mqtt: () => ListenState;
	readonly uplink: () => UplinkStatus;
	readonly lines: () => readonly LineStats[];
	/** Mistakes in template files that were found at start. */
	readonly templateMistakes: number;
}

function uplinkReason({ enrolled, state, lastError }: UplinkStatus): string | null {
	if (!enrolled) return lastError === null ? null : `not enrolled with a hub: ${lastError}`;
	if (state === 'online') return null;
	return lastError === null ? 'connecting to the hub' : `the hub is not reached: ${lastError}`;
}

/** What `/health` says of an appliance. Only what is kept and served is essential: lines and the hub may fail and come back. */
export function gatewayComponents({
	journal,
	mqtt,
	uplink,
	lines,
	templateMistakes,
}: GatewayStatusDeps): readonly Component[] {
	return [
		telemetryComponent(journal),
		listenerComponent('mqtt', false, mqtt),
		{
			name: 'uplink',
			isEssential: false,
			state: () => {
				const reason = uplinkReason(uplink());
				return { isConnected: reason === null, reason };
			},
		},
		{
			name: 'lines',
			isEssential: false,
			state: () => {
				const failed = lines().filter(({ state }) => state === 'failed');
				return {
					isConnected: failed.length === 0,
					reason: failed.length === 0 ? null : failed.map(({ line, reason }) => `${line}: ${reason ?? ''}`).join('; '),
				};
			},
		},
		{
			name: 'templates',
			isEssential: false,
			state: () => ({
				isConnected: templateMistakes === 0,
				reason:
					templateMistakes === 0 ? null : `${templateMistakes} mistakes in template files, see the list of templates`,
			}),
		},
	];
}

/** The link to the hub, by its last round trip; not in use while the gateway is not enrolled. */
export const uplinkProbe = (status: () => UplinkStatus, roundTripMs: () => number | null): ProbedComponent => ({
	isInUse: () => status().enrolled,
	async probe() {
		const { state, lastError } = status();
		if (state !== 'online') throw new Error(lastError ?? state);
		return roundTripMs();
	},
});

const PIPELINE_STATE = { open: 'running', opening: 'running', closed: 'stopped', failed: 'error' } as const;

/** Each line that is polled is a collector (type `modbus_collector`). */
export function collectorCounts(lines: readonly LineStats[]): PipelineCounts {
	const counts = { running: 0, stopped: 0, error: 0 };
	for (const { state } of lines) counts[PIPELINE_STATE[state]] += 1;
	return counts;
}

const one = (value: number): readonly MetricValue[] => [{ value }];

/** Numbers that only an appliance has. */
export function addGatewayMetrics(
	metrics: Metrics,
	{
		uplink,
		broker,
		lines,
	}: {
		readonly uplink: () => UplinkStatus;
		readonly broker: () => BrokerStats;
		readonly lines: () => readonly LineStats[];
	},
): void {
	metrics.add({
		name: 'uplink_connected',
		help: '1 while the hub is connected',
		kind: 'gauge',
		read: () => one(uplink().state === 'online' ? 1 : 0),
	});
	metrics.add({
		name: 'uplink_backlog_samples',
		help: 'Samples that the hub has not acknowledged',
		kind: 'gauge',
		read: () => one(uplink().backlogSamples),
	});
	metrics.add({ name: 'mqtt_clients', help: 'MQTT connections', kind: 'gauge', read: () => one(broker().connections) });
	metrics.add({
		name: 'mqtt_messages_total',
		help: 'MQTT messages received',
		kind: 'counter',
		read: () => one(broker().received),
	});
	const perLine = (name: string, help: string, kind: 'counter' | 'gauge', of: (stats: LineStats) => number): void =>
		metrics.add({
			name,
			help,
			kind,
			labels: ['line'],
			read: () => lines().map((stats) => ({ value: of(stats), labels: { line: stats.line } })),
		});
	perLine('modbus_requests_total', 'Modbus requests', 'counter', ({ requests }) => requests);
	perLine('modbus_timeouts_total', 'Modbus requests without an answer', 'counter', ({ timeouts }) => timeouts);
	perLine('modbus_exceptions_total', 'Modbus exceptions', 'counter', ({ exceptions }) => exceptions);
	perLine('modbus_crc_errors_total', 'Frames with a wrong check sum', 'counter', ({ crcErrors }) => crcErrors);
	perLine(
		'modbus_stray_frames_total',
		'Frames that belonged to no open request',
		'counter',
		({ strayFrames }) => strayFrames,
	);
	perLine(
		'modbus_skipped_periods_total',
		'Periods in which a device was not read',
		'counter',
		({ skippedPeriods }) => skippedPeriods,
	);
	perLine(
		'bus_utilisation_ratio',
		'Share of the last 10 s in which the line was in use',
		'gauge',
		({ utilisation }) => utilisation,
	);
}
