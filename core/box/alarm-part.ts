import { join } from 'node:path';

import { createAlertAudience } from '../alarm/alert-audience.ts';
import { openAlertRuleStore } from '../alarm/alert-rule-store.ts';
import { openAlertStore } from '../alarm/alert-store.ts';
import { createAlertStamps } from '../alarm/alert-stamps.ts';
import { createAlarmTail } from '../alarm/alarm-tail.ts';
import { openAlarmService } from '../alarm/alarm-service.ts';
import { conflictEvent } from '../alarm/rule-conflict.ts';
import type { AuditLog } from '../audit/audit.ts';
import type { AccountDirectory } from '../identity/account-directory.ts';
import { systemTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createNotificationService } from '../notification/notification-service.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import type { TimeKeeper } from '../time/time-keeper.ts';
import type { TelemetryPart } from './telemetry-part.ts';

export interface AlarmPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	/** This box. */
	readonly node: GatewayId;
	/** This gateway; `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	/** Whether a gateway has a hub. */
	readonly hasHub: () => boolean;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'listeners' | 'journal' | 'telemetry'>;
	readonly time: Pick<TimeKeeper, 'settleInstant' | 'listen'>;
	readonly accounts: Pick<AccountDirectory, 'all' | 'byId'>;
	readonly audit: Pick<AuditLog, 'record'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Alert rules on the way of each reading, alerts, and the news of them: the same on gateway and hub. */
export async function openAlarms(deps: AlarmPartDeps) {
	const { data, node, gatewayId, telemetry, accounts, audit, lifecycle, clock, log } = deps;
	const { devices, listeners, journal } = telemetry;
	const notifications = createNotificationService();
	const audience = createAlertAudience({ accounts, clock });
	const folders = { rules: join(data, 'alert-rules'), alerts: join(data, 'alerts') };
	for (const folder of Object.values(folders)) await ensureSound(folder, log);
	const rules = lifecycle.own('alert rules', await openAlertRuleStore({ folder: folders.rules, node, gatewayId, log }));
	const alerts = lifecycle.own('alert documents', await openAlertStore(folders.alerts, node, log));
	const alarms = lifecycle.own(
		'alarms',
		await openAlarmService({
			rules,
			alerts,
			devices,
			node,
			gatewayId,
			hasHub: deps.hasHub,
			notify: ({ id, tenantId, severity, message, title }, device) =>
				notifications.notify(audience(tenantId, device?.ownerId ?? null), {
					title,
					message,
					type: severity,
					alertId: id,
					...(device !== null && { deviceUid: device.uid }),
				}),
			onConflict: (conflict) => void audit.record(conflictEvent(conflict)),
			stamps: createAlertStamps({
				settle: deps.time.settleInstant,
				next: () => ({ epoch: journal.epoch, seq: telemetry.telemetry.lastSeq() + 1 }),
			}),
			clock,
			setTimer: systemTimer,
			log,
		}),
	);
	alarms.settle();
	const tail = await createAlarmTail({ path: join(data, 'alarm-tail.json'), journal, alarms, log });
	await tail.replay();
	lifecycle.own('alarm tail', tail);
	deps.time.listen(alarms.settle);
	listeners.push(alarms.reading);
	devices.listen(alarms.device);
	return { alarms, notifications, feeds: { alerts: alerts.feed, rules: rules.feed } };
}
