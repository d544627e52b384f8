import type { GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import { openSyncedSet, type SyncedSet } from '../sync/synced-set.ts';
import { firstVersion } from '../sync/version.ts';
import type { AlertRuleRepository } from './alert-rule-repository.ts';
import type { AlertRule } from './alert-rule.ts';

export interface AlertRuleStoreDeps {
	readonly folder: string;
	/** This box. */
	readonly node: GatewayId;
	/** This gateway; `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	readonly log: Logger;
}

type SyncedRules = AlertRuleRepository & Pick<SyncedSet<AlertRule>, 'feed' | 'stop'>;

/** Rules as documents of a database of their own, with their feed. */
export async function openAlertRuleStore({ folder, node, gatewayId, log }: AlertRuleStoreDeps): Promise<SyncedRules> {
	/** Rules of a version without revisions, or without what two boxes need. */
	const current = (rule: AlertRule): AlertRule =>
		Object.assign({ gatewayId, deletedAt: null, revision: 1, version: firstVersion(node, rule.revision ?? 1) }, rule);
	const rules = await openSyncedSet<AlertRule>({ folder, kind: 'alert-rule', log, current });
	return {
		all: () => rules.all(),
		save: (rule) => rules.write([rule]),
		remove: (id) => rules.write([], [id]),
		feed: rules.feed,
		stop: () => rules.stop(),
	};
}
