import { join } from 'node:path';

import { type AuditStats, type AuditStore, openAuditStore } from '../audit/audit-store.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { Component } from '../system/health.ts';
import type { Metrics } from '../system/metrics.ts';

/** The audit log of a box. To be opened before anybody changes anything: it then stops last. */
export const openAudit = async ({
	data,
	files,
	lifecycle,
	clock,
	log,
}: {
	readonly data: string;
	readonly files: FileLayer;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}): Promise<AuditStore> =>
	lifecycle.own('audit log', await openAuditStore({ folder: join(data, 'audit'), files, clock, log }));

/** Whether changes are written down. Not essential: a full disk must not take the box out of service. */
export const auditComponent = (stats: () => AuditStats): Component => ({
	name: 'audit',
	isEssential: false,
	state: () => {
		const { writeError } = stats();
		const reason = writeError === null ? null : `the audit log cannot be written: ${writeError}`;
		return { isConnected: reason === null, reason };
	},
});

export function addAuditMetrics(metrics: Metrics, stats: () => AuditStats): void {
	const add = (name: string, help: string, kind: 'counter' | 'gauge', of: (stats: AuditStats) => number): void =>
		metrics.add({ name, help, kind, read: () => [{ value: of(stats()) }] });
	add('audit_bytes', 'Bytes of the audit log', 'gauge', ({ bytes }) => bytes);
	add('audit_queued_entries', 'Audit entries that wait for the disk', 'gauge', ({ queued }) => queued);
	add('audit_lost_entries_total', 'Audit entries that found no place since the start', 'counter', ({ lost }) => lost);
	add('audit_writing', '1 while the audit log can be written', 'gauge', ({ writeError }) =>
		writeError === null ? 1 : 0,
	);
}
