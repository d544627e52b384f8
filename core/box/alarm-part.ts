import { join } from 'node:path';

import { createAlertAudience } from '../alarm/alert-audience.ts';
import { createAlertRuleStore } from '../alarm/alert-rule-store.ts';
import { createAlertStore } from '../alarm/alert-store.ts';
import { openAlarmService } from '../alarm/alarm-service.ts';
import type { AccountDirectory } from '../identity/account-directory.ts';
import { systemTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createNotificationService } from '../notification/notification-service.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import type { TelemetryPart } from './telemetry-part.ts';

export interface AlarmPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'listeners'>;
	readonly accounts: Pick<AccountDirectory, 'all' | 'byId'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Alert rules on the way of each reading, alerts, and the news of them: the same on gateway and hub. */
export async function openAlarms({ data, telemetry, accounts, lifecycle, clock, log }: AlarmPartDeps) {
	const { devices, listeners } = telemetry;
	const notifications = createNotificationService();
	const audience = createAlertAudience({ accounts, clock });
	await ensureSound(join(data, 'alert-rules'), log);
	await ensureSound(join(data, 'alerts'), log);
	const rules = lifecycle.own('alert rules', createAlertRuleStore(join(data, 'alert-rules')));
	const alerts = lifecycle.own('alert documents', createAlertStore(join(data, 'alerts')));
	const alarms = lifecycle.own(
		'alarms',
		await openAlarmService({
			rules,
			alerts,
			devices,
			notify: ({ id, tenantId, severity, message }, { name }, { ownerId, uid }) =>
				notifications.notify(audience(tenantId, ownerId), {
					title: name,
					message,
					type: severity,
					alertId: id,
					deviceUid: uid,
				}),
			clock,
			setTimer: systemTimer,
			log,
		}),
	);
	listeners.push(alarms.reading);
	devices.listen(alarms.device);
	return { alarms, notifications };
}
