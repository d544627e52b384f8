import type { AlarmService } from '../alarm/alarm-service.ts';
import type { AlertRule } from '../alarm/alert-rule.ts';
import type { Alert } from '../alarm/alert.ts';
import type { TenantId } from '../kernel/id.ts';
import { type AlertRecord, parseAlertRecord, parseRuleRecord, type RuleRecord } from '../link/record-messages.ts';
import type { RecordKind } from './record-kind.ts';
import type { RecordFeed } from './record-feed.ts';
import { revisionOf } from './version.ts';

/** Who may say and hear what. */
export interface AlarmRecordPolicy {
	/** The tenant here that records of the other box belong to. @throws Fault `not-found` */
	readonly tenantOf: (peer: string) => TenantId;
	/** @throws Fault `forbidden` with the reason when the other box may not say it. @param known the rule of this id that is here */
	readonly assertRule: (rule: RuleRecord, known: AlertRule | null, peer: string) => void;
	/** @throws Fault `forbidden`, as above */
	readonly assertAlert: (alert: AlertRecord, known: Alert | null, peer: string) => void;
	readonly hearsRule: (rule: AlertRule, peer: string) => boolean;
	readonly hearsAlert: (alert: Alert, peer: string) => boolean;
}

export interface AlarmRecordsDeps {
	readonly alarms: Pick<AlarmService, 'takeRule' | 'takeAlert' | 'findRule' | 'findAlert' | 'flush'>;
	readonly feeds: { readonly alerts: RecordFeed<Alert>; readonly rules: RecordFeed<AlertRule> };
	readonly policy: AlarmRecordPolicy;
}

/** Alerts and their rules as another box has them too; alerts first. */
export function createAlarmRecords({ alarms, feeds, policy }: AlarmRecordsDeps): readonly RecordKind[] {
	const alerts: RecordKind = {
		name: 'alert',
		feed: feeds.alerts,
		changes: (after, limit, peer) =>
			feeds.alerts.since(after, limit, ({ record: alert, source }) => {
				// Under an instant that nobody knows it would be wrong for ever.
				if (source === peer || alert.unsettled !== undefined || !policy.hearsAlert(alert, peer)) return null;
				const { tenantId: _tenantId, ...record } = alert;
				return record;
			}),
		async take(raw, peer) {
			const record = parseAlertRecord(raw);
			policy.assertAlert(record, alarms.findAlert(record.id), peer);
			const alert: Alert = { ...record, tenantId: policy.tenantOf(peer) };
			feeds.alerts.cameFrom(alert, peer);
			alarms.takeAlert(alert);
		},
		stored: alarms.flush,
	};
	const rules: RecordKind = {
		name: 'alert-rule',
		feed: feeds.rules,
		changes: (after, limit, peer) =>
			feeds.rules.since(after, limit, ({ record: rule, source }) => {
				if (source === peer || !policy.hearsRule(rule, peer)) return null;
				const { tenantId: _tenantId, revision: _revision, ...record } = rule;
				return record;
			}),
		async take(raw, peer) {
			const record = parseRuleRecord(raw);
			policy.assertRule(record, alarms.findRule(record.id), peer);
			const rule: AlertRule = { ...record, tenantId: policy.tenantOf(peer), revision: revisionOf(record.version) };
			feeds.rules.cameFrom(rule, peer);
			await alarms.takeRule(rule);
		},
		stored: async () => undefined,
	};
	return [alerts, rules];
}
