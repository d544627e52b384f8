import type { Alert } from '../../core/alarm/alert.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';
import { deviceOf, GATEWAY } from './device-box.ts';

/** An alert of the gateway's first device that holds and that nobody has acknowledged. */
export function alertOf(number: number, changes: Partial<Alert> = {}): Alert {
	const at = epochMs(Date.UTC(2026, 0, 1) + number);
	return {
		id: `a1-${number}`,
		ruleId: `rule-${number}`,
		deviceId: deviceOf(1, 'meter-1').id,
		tenantId: DEFAULT_TENANT,
		origin: GATEWAY,
		revision: 1,
		title: 'Too hot',
		severity: 'warning',
		message: '',
		metric: 'temperature',
		value: '1',
		createdAt: at,
		raisedAt: at,
		clearedAt: null,
		occurrences: 1,
		acknowledgedBy: null,
		acknowledgedEmail: null,
		acknowledgedAt: null,
		acknowledgedOccurrences: null,
		...changes,
	};
}
