import type { Device } from '../device/device.ts';
import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, GatewayId, TenantId } from '../kernel/id.ts';
import type { Version } from '../sync/version.ts';

/** How a value is compared with the threshold. */
export const CONDITIONS = ['gt', 'gte', 'lt', 'lte', 'eq', 'ne'] as const;

export type Condition = (typeof CONDITIONS)[number];

/** Least urgent first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** What a person watches for: a metric that passes a threshold, on all devices of the tenant, of a group, or on one. */
export interface AlertRule {
	/** A UUID. */
	readonly id: string;
	readonly tenantId: TenantId;
	readonly name: string;
	/** '' when there is none. */
	readonly description: string;
	/** Point key of the readings. */
	readonly metric: string;
	readonly condition: Condition;
	readonly threshold: number;
	/**
	 * At least 0, in the metric's unit. `gt`, `gte`, `lt`, `lte`: so far back behind the threshold the value must be before the alert clears.
	 * `eq`, `ne`: how far from the threshold still counts as equal.
	 */
	readonly hysteresis: number;
	/** How long the condition must hold before the alert is raised, 0 to 86 400; 0: at the first sample. */
	readonly durationSeconds: number;
	readonly severity: Severity;
	/** Only devices of this group; `null`: all. */
	readonly groupId: string | null;
	/** Only this device; `null`: all. */
	readonly deviceId: DeviceId | null;
	readonly isActive: boolean;
	/** The gateway whose devices it watches, where it runs; `null`: made at the hub, for the devices of all gateways and its own. */
	readonly gatewayId: GatewayId | null;
	/** What tells which of two states counts, where hub and gateway have both changed it. */
	readonly version: Version;
	/** Counts up with each change; see `revisionOf`. */
	readonly revision: number;
	readonly createdAt: EpochMs;
	/** A deleted rule is remembered for `RULE_GRAVE_MS`, so that the other side hears of it. */
	readonly deletedAt: EpochMs | null;
}

/** What a person says of a new rule. */
export type NewAlertRule = Omit<
	AlertRule,
	'id' | 'tenantId' | 'gatewayId' | 'version' | 'revision' | 'createdAt' | 'deletedAt'
>;

export type AlertRuleChange = Partial<NewAlertRule>;

/** Most rules of one gateway, and most that a hub has for all: each sample of their metrics is compared with all of them. */
export const MAX_ALERT_RULES = 500;

/** Most deleted rules that are remembered, of one gateway or for all, and for how long. */
export const MAX_RULE_GRAVES = 1_000;
export const RULE_GRAVE_MS = 90 * 86_400_000;

/** True when readings of the device are compared with the rule. */
export const appliesTo = (
	rule: AlertRule,
	device: Pick<Device, 'id' | 'tenantId' | 'groupId' | 'gatewayId' | 'deletedAt'>,
): boolean =>
	rule.isActive &&
	rule.deletedAt === null &&
	device.deletedAt === null &&
	(rule.gatewayId === null || rule.gatewayId === device.gatewayId) &&
	rule.tenantId === device.tenantId &&
	(rule.groupId === null || rule.groupId === device.groupId) &&
	(rule.deviceId === null || rule.deviceId === device.id);

/** True when both rules raise alerts for the same reason: an alert of the one is an alert of the other. */
export const asksTheSame = (one: AlertRule, other: AlertRule): boolean =>
	one.metric === other.metric &&
	one.condition === other.condition &&
	one.threshold === other.threshold &&
	one.hysteresis === other.hysteresis &&
	one.durationSeconds === other.durationSeconds;
