import { randomUUID } from 'node:crypto';

import type { Device } from '../device/device.ts';
import type { Clock, EpochMs } from '../kernel/clock.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { AlertBook } from './alert-book.ts';
import { type Alert, alertSentence, type Signal } from './alert.ts';

export interface AlertRaiserDeps {
	readonly book: AlertBook;
	readonly deviceOf: (id: DeviceId) => Device | null;
	/** This box. */
	readonly node: GatewayId;
	readonly notify: (alert: Alert, device: Device | null) => void;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

const keyOf = ({ ruleId, deviceId }: Pick<Alert, 'ruleId' | 'deviceId'>): string => `${ruleId} ${deviceId}`;

/** What the signals of the engine become: alerts of this box. */
export function createAlertRaiser({ book, deviceOf, node, notify, clock, log }: AlertRaiserDeps) {
	/** While readings of before the start are compared once more: up to when each rule and device has its alerts already. */
	let toldUntil: ReadonlyMap<string, EpochMs> | null = null;

	/** A rule says nothing of before it was made. */
	const isTold = ({ rule, deviceId, at }: Signal): boolean =>
		toldUntil !== null && at <= (toldUntil.get(keyOf({ ruleId: rule.id, deviceId })) ?? rule.createdAt);

	function change(open: Alert, facts: Partial<Alert>): void {
		book.put({ ...open, ...facts, revision: open.revision + 1 }, 'soon');
	}

	function tell(alert: Alert, device: Device | null): void {
		book.put(alert, 'now');
		log.info('alert-raised', {
			alert: alert.id,
			rule: alert.ruleId,
			device: alert.deviceId,
			severity: alert.severity,
		});
		notify(alert, device);
	}

	function raise(signal: Signal): void {
		const { rule, deviceId, value, at } = signal;
		const device = deviceOf(deviceId);
		if (device === null || isTold(signal)) return;
		const said = {
			title: rule.name,
			severity: rule.severity,
			message: alertSentence(rule, device, value),
			value: String(value),
		};
		const open = book.openOf(rule.id, deviceId);
		if (open !== null) {
			// Nobody has seen the first yet: a value that comes and goes is one alert.
			change(open, { ...said, raisedAt: at, clearedAt: null, occurrences: open.occurrences + 1 });
			return;
		}
		const alert: Alert = {
			id: randomUUID(),
			ruleId: rule.id,
			deviceId,
			tenantId: rule.tenantId,
			origin: node,
			revision: 1,
			...said,
			metric: rule.metric,
			createdAt: clock.now(),
			raisedAt: at,
			clearedAt: null,
			occurrences: 1,
			acknowledgedBy: null,
			acknowledgedAt: null,
			acknowledgedOccurrences: null,
		};
		tell(alert, device);
	}

	function clear({ rule, deviceId, at }: Signal): void {
		const open = book.openOf(rule.id, deviceId);
		if (open !== null && open.clearedAt === null) change(open, { clearedAt: at });
	}

	/** When each rule and device has said something last. */
	function told(): ReadonlyMap<string, EpochMs> {
		const latest = new Map<string, EpochMs>();
		for (const alert of book.newestFirst(({ origin }) => origin === node)) {
			const at = alert.clearedAt === null || alert.clearedAt < alert.raisedAt ? alert.raisedAt : alert.clearedAt;
			const known = latest.get(keyOf(alert));
			if (known === undefined || known < at) latest.set(keyOf(alert), at);
		}
		return latest;
	}

	return {
		raise,
		clear,
		/** Keeps an alert that is new here and tells people. */
		tell,
		/** It holds no longer, whatever its value is. */
		end(alert: Alert): void {
			if (alert.clearedAt === null) change(alert, { clearedAt: clock.now() });
		},
		/** Does something that may raise again what was raised before the start, and is not to. */
		async replaying(work: () => Promise<void>): Promise<void> {
			toldUntil = told();
			try {
				await work();
			} finally {
				toldUntil = null;
			}
		},
	};
}

export type AlertRaiser = ReturnType<typeof createAlertRaiser>;
