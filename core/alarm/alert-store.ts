import type { GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import { openSyncedSet, type SyncedSet } from '../sync/synced-set.ts';
import type { Alert } from './alert.ts';

/** Alerts as documents of a database of their own, with their feed. @param node this box, which has raised those that name no origin */
export function openAlertStore(folder: string, node: GatewayId, log: Logger): Promise<SyncedSet<Alert>> {
	/** Alerts of a version that had no other box. */
	const current = (alert: Alert): Alert =>
		Object.assign(
			{
				origin: node,
				revision: 1,
				title: '',
				acknowledgedEmail: null,
				acknowledgedOccurrences: alert.acknowledgedAt === null ? null : alert.occurrences,
			},
			alert,
		);
	return openSyncedSet<Alert>({ folder, kind: 'alert', log, current });
}
