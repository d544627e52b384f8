import { randomUUID } from 'node:crypto';

import type { Device } from '../device/device.ts';
import type { Clock } from '../kernel/clock.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { AlertBook } from './alert-book.ts';
import { mergeAlerts, splitUnseen } from './alert-merge.ts';
import type { AlertRaiser } from './alert-raiser.ts';
import type { AlertStamps } from './alert-stamps.ts';
import type { AlertRuleBook } from './alert-rule-book.ts';
import { mergeRules } from './alert-rule-merge.ts';
import type { AlertRule } from './alert-rule.ts';
import { type Alert, isAcknowledged } from './alert.ts';

/** Two boxes have changed a rule, and neither knew of the other's change. */
export interface RuleConflict {
	readonly kept: AlertRule;
	readonly loser: AlertRule;
}

export interface AlarmExchangeDeps {
	readonly rules: Pick<AlertRuleBook, 'find' | 'assertRoom'>;
	readonly book: AlertBook;
	readonly raiser: AlertRaiser;
	/** This box. */
	readonly node: GatewayId;
	readonly deviceOf: (id: DeviceId) => Device | null;
	/** Stores a state of a rule and watches by it. */
	readonly apply: (after: AlertRule, before: AlertRule | null) => Promise<void>;
	readonly notify: (alert: Alert, device: Device | null) => void;
	readonly onConflict: (conflict: RuleConflict) => void;
	/** An alert of this box is here again, that this box had lost. */
	readonly restored: (device: DeviceId) => void;
	readonly stamps: Pick<AlertStamps, 'stamped' | 'next'>;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

/** What this box makes of rules and alerts as another box knows them. Who may say what, the caller has checked. */
export function createAlarmExchange(deps: AlarmExchangeDeps) {
	const { rules, book, raiser, node, deviceOf, apply, notify, onConflict, restored, stamps, clock, log } = deps;

	async function takeRule(theirs: AlertRule): Promise<AlertRule> {
		const mine = rules.find(theirs.id);
		if (mine === null) {
			if (theirs.deletedAt === null) rules.assertRoom(theirs.gatewayId);
			await apply(theirs, null);
			return theirs;
		}
		const { rule, loser } = mergeRules(mine, theirs);
		if (rule === mine) return mine;
		if (loser !== null) {
			log.warn('rule-conflict', { rule: rule.id, kept: rule.revision, loser: loser.revision });
			onConflict({ kept: rule, loser });
		}
		await apply(rule, mine);
		return rule;
	}

	/** An alert of this box that this box has lost: it is ended when the condition has been told of anew. */
	function takeBack(theirs: Alert): Alert {
		const again = book.openOf(theirs.ruleId, theirs.deviceId);
		const isSuperseded = again !== null && theirs.clearedAt === null;
		const ended = { ...theirs, clearedAt: clock.now(), revision: theirs.revision + 1 };
		const alert = isSuperseded ? stamps.stamped(ended, { clearedAt: stamps.next() }) : theirs;
		book.put(alert, 'now');
		if (again !== null) book.put(again, 'soon');
		restored(alert.deviceId);
		return alert;
	}

	function takeNew(theirs: Alert): Alert {
		if (theirs.origin === node) return takeBack(theirs);
		book.put(theirs, 'now');
		if (!isAcknowledged(theirs)) notify(theirs, deviceOf(theirs.deviceId));
		return theirs;
	}

	function takeAlert(theirs: Alert): Alert {
		const mine = book.find(theirs.id);
		if (mine === null) return takeNew(theirs);
		const merged = mergeAlerts(mine, theirs);
		if (merged === mine) return mine;
		const split =
			mine.origin === node && !isAcknowledged(mine)
				? splitUnseen(merged, { id: randomUUID(), createdAt: clock.now() })
				: null;
		if (split === null) {
			book.put(merged, 'now');
			return merged;
		}
		const [ended, unseen] = split;
		book.put(ended, 'now');
		raiser.tell(stamps.stamped(unseen, { createdAt: stamps.next() }), deviceOf(unseen.deviceId));
		return ended;
	}

	return { takeRule, takeAlert };
}
