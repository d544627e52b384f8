import type { Device } from '../device/device.ts';
import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, GatewayId, TenantId } from '../kernel/id.ts';
import type { Comparable } from './alert-condition.ts';
import type { AlertRule, Condition, Severity } from './alert-rule.ts';
import type { StampMarks } from './alert-stamps.ts';

/** That a rule's condition came to hold on a device. It stays for people to acknowledge, also when the condition has gone. */
export interface Alert {
	/** A UUID. */
	readonly id: string;
	readonly ruleId: string;
	readonly deviceId: DeviceId;
	readonly tenantId: TenantId;
	/** The box whose rule raised it, and which alone says whether it holds: a gateway, or the hub for devices of its own. */
	readonly origin: GatewayId;
	/** Counts the changes that its origin has made, from 1. */
	readonly revision: number;
	/** Name of the rule when it was raised. */
	readonly title: string;
	readonly severity: Severity;
	/** A sentence for a person: which device, what value, which threshold. */
	readonly message: string;
	readonly metric: string;
	/** The value that raised it last, as text. */
	readonly value: string;
	/** When the box raised it. */
	readonly createdAt: EpochMs;
	/** When the value that raised it last was read. */
	readonly raisedAt: EpochMs;
	/** When the value that ended the condition was read, or the rule stopped to apply; `null`: the condition holds. */
	readonly clearedAt: EpochMs | null;
	/** How often the condition came to hold before somebody acknowledged; at least 1. */
	readonly occurrences: number;
	/** Id of the user at the box where it was acknowledged; `null`: not acknowledged. */
	readonly acknowledgedBy: string | null;
	/** E-mail address of that user, whom the other box does not know; `null`: not acknowledged, or by a version that did not say. */
	readonly acknowledgedEmail: string | null;
	readonly acknowledgedAt: EpochMs | null;
	/** How many occurrences whoever acknowledged knew of; `null`: not acknowledged. */
	readonly acknowledgedOccurrences: number | null;
	/** Instants that were stamped while nobody knew the time; absent: none. Known to this box only, which tells nobody of the alert until then. */
	readonly unsettled?: StampMarks;
}

/** A sample that changed the state of a rule on a device. */
export interface Signal {
	readonly rule: AlertRule;
	readonly deviceId: DeviceId;
	readonly value: Comparable;
	/** When the value was read. */
	readonly at: EpochMs;
}

/** Most alerts that are kept of one origin, of all together, and for how long. */
export const MAX_ALERTS = 10_000;
export const MAX_ALERTS_OF_ALL = 100_000;
export const ALERT_RETENTION_MS = 400 * 86_400_000;

export const isAcknowledged = ({ acknowledgedAt }: Pick<Alert, 'acknowledgedAt'>): boolean => acknowledgedAt !== null;

/** An open alert is the one that a rule has on a device: it holds, or nobody has acknowledged it. */
export const isOpen = ({ acknowledgedAt, clearedAt }: Alert): boolean => acknowledgedAt === null || clearedAt === null;

/** Registers hold single-precision numbers; seven digits say all of them, and no digit that was never measured. */
const SINGLE_PRECISION_DIGITS = 7;

/** The number as a person writes it. */
export function plainNumber(value: Comparable): string {
	if (typeof value === 'bigint' || Number.isInteger(value) || Math.fround(value) !== value) return String(value);
	return String(Number(value.toPrecision(SINGLE_PRECISION_DIGITS)));
}

const WORDS: Readonly<Record<Condition, string>> = {
	gt: 'above',
	gte: 'at or above',
	lt: 'below',
	lte: 'at or below',
	eq: 'equal to',
	ne: 'not equal to',
};

/** E.g. `Meter 1 (meter-1): temperature 43.2 is above 40 for 30 s`. */
export function alertSentence(rule: AlertRule, device: Pick<Device, 'name' | 'uid'>, value: Comparable): string {
	const { metric, condition, threshold, hysteresis, durationSeconds } = rule;
	const isTolerant = hysteresis > 0 && (condition === 'eq' || condition === 'ne');
	const tolerance = isTolerant ? ` ± ${plainNumber(hysteresis)}` : '';
	const duration = durationSeconds > 0 ? ` for ${durationSeconds} s` : '';
	return `${device.name} (${device.uid}): ${metric} ${plainNumber(value)} is ${WORDS[condition]} ${plainNumber(threshold)}${tolerance}${duration}`;
}
