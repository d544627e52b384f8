import { randomUUID } from 'node:crypto';

import type { Device } from '../device/device.ts';
import type { Clock } from '../kernel/clock.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { AlertBook } from './alert-book.ts';
import type { AlertStamps, StampMarks } from './alert-stamps.ts';
import { type Alert, alertSentence, type Signal } from './alert.ts';
import { createToldUntil } from './told-until.ts';

export interface AlertRaiserDeps {
	readonly book: AlertBook;
	readonly deviceOf: (id: DeviceId) => Device | null;
	/** This box. */
	readonly node: GatewayId;
	readonly notify: (alert: Alert, device: Device | null) => void;
	readonly stamps: AlertStamps;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

/** What the signals of the engine become: alerts of this box. */
export function createAlertRaiser({ book, deviceOf, node, notify, stamps, clock, log }: AlertRaiserDeps) {
	/** While readings of before the start are compared once more: what each rule and device has said already. */
	let toldUntil: ReturnType<typeof createToldUntil> | null = null;

	const isTold = (signal: Signal): boolean => toldUntil?.(signal, stamps.ofReading()) ?? false;

	function change(open: Alert, facts: Partial<Alert>, marks: StampMarks): void {
		book.put(stamps.stamped({ ...open, ...facts, revision: open.revision + 1 }, marks), 'soon');
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
			const again = { ...said, raisedAt: at, clearedAt: null, occurrences: open.occurrences + 1 };
			change(open, again, { raisedAt: stamps.ofReading(), clearedAt: stamps.ofReading() });
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
			acknowledgedEmail: null,
			acknowledgedAt: null,
			acknowledgedOccurrences: null,
		};
		tell(stamps.stamped(alert, { createdAt: stamps.next(), raisedAt: stamps.ofReading() }), device);
	}

	function clear({ rule, deviceId, at }: Signal): void {
		const open = book.openOf(rule.id, deviceId);
		if (open !== null && open.clearedAt === null) change(open, { clearedAt: at }, { clearedAt: stamps.ofReading() });
	}

	return {
		raise,
		clear,
		/** Keeps an alert that is new here and tells people. */
		tell,
		/** It holds no longer, whatever its value is. */
		end(alert: Alert): void {
			if (alert.clearedAt === null) change(alert, { clearedAt: clock.now() }, { clearedAt: stamps.next() });
		},
		/** Does something that may raise again what was raised before the start, and is not to. */
		async replaying(work: () => Promise<void>): Promise<void> {
			const own = book.newestFirst(({ origin }) => origin === node);
			toldUntil = createToldUntil(own, stamps, () => clock.now());
			try {
				await work();
			} finally {
				toldUntil = null;
			}
		},
	};
}

export type AlertRaiser = ReturnType<typeof createAlertRaiser>;
