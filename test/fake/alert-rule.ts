import type { AlertRule } from '../../core/alarm/alert-rule.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';

/** A rule as it is kept: temperature above 40 on all devices, unless told otherwise. */
export const alertRule = (changes: Partial<AlertRule> = {}, number = 1): AlertRule => ({
	id: `a2000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
	tenantId: DEFAULT_TENANT,
	name: 'Too hot',
	description: '',
	metric: 'temperature',
	condition: 'gt',
	threshold: 40,
	hysteresis: 0,
	durationSeconds: 0,
	severity: 'warning',
	groupId: null,
	deviceId: null,
	isActive: true,
	gatewayId: null,
	version: {},
	revision: 1,
	createdAt: epochMs(Date.UTC(2026, 0, 1)),
	deletedAt: null,
	...changes,
});
