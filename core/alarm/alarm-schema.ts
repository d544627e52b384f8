import Joi from 'joi';

import { deviceId } from '../kernel/id.ts';
import { toIso } from '../kernel/clock.ts';
import {
	type AlertRule,
	type AlertRuleChange,
	type Condition,
	CONDITIONS,
	type NewAlertRule,
	SEVERITIES,
	type Severity,
} from './alert-rule.ts';
import { type Alert, isAcknowledged } from './alert.ts';

/** Body of POST and PATCH of alert rules after validation. */
export interface AlertRuleBody {
	readonly name?: string;
	readonly description?: string;
	readonly metric?: string;
	readonly condition?: Condition;
	readonly threshold?: number;
	readonly hysteresis?: number;
	readonly duration_seconds?: number;
	readonly severity?: Severity;
	readonly device_group_id?: string | null;
	readonly device_id?: string | null;
	readonly is_active?: boolean;
}

/** What POST leaves nothing open of. */
export type NewAlertRuleBody = Required<AlertRuleBody>;

const uuid = Joi.string().guid({ separator: '-' }).lowercase();

export const alertParams = Joi.object({ alert_id: uuid.required() });
export const alertRuleParams = Joi.object({ rule_id: uuid.required() });

/** `skip` and `limit` of the lists of reference 000. */
export const alarmListQuery = Joi.object({
	skip: Joi.number().integer().min(0).max(1_000_000).default(0),
	limit: Joi.number().integer().min(1).max(200).default(50),
});

/** Alerts that wait for somebody are the list of reference 000; those that somebody has seen are this product's own. */
export const alertListQuery = alarmListQuery.keys({ acknowledged: Joi.boolean().default(false) });

const name = Joi.string().min(1).max(255);
const description = Joi.string().allow('').max(2_000);
const metric = Joi.string().min(1).max(128);
const condition = Joi.valid(...CONDITIONS);
/** Counters may pass 2^53. */
const threshold = Joi.number().unsafe();
const hysteresis = Joi.number().unsafe().min(0);
const durationSeconds = Joi.number().min(0).max(86_400);
const severity = Joi.valid(...SEVERITIES);
const uuidOrNull = uuid.allow(null);

/** Unknown fields of a body are ignored, as in the other bodies of reference 000. */
export const alertRuleCreate = Joi.object({
	name: name.required(),
	description: description.default(''),
	metric: metric.required(),
	condition: condition.required(),
	threshold: threshold.required(),
	hysteresis: hysteresis.default(0),
	duration_seconds: durationSeconds.default(0),
	severity: severity.default('warning'),
	device_group_id: uuidOrNull.default(null),
	device_id: uuidOrNull.default(null),
	is_active: Joi.boolean().strict().default(true),
}).options({ stripUnknown: true });

export const alertRulePatch = Joi.object({
	name,
	description,
	metric,
	condition,
	threshold,
	hysteresis,
	duration_seconds: durationSeconds,
	severity,
	device_group_id: uuidOrNull,
	device_id: uuidOrNull,
	is_active: Joi.boolean().strict(),
}).options({ stripUnknown: true });

const toDevice = (id: string | null) => (id === null ? null : deviceId(id));

export const toNewRule = (body: NewAlertRuleBody): NewAlertRule => ({
	name: body.name,
	description: body.description,
	metric: body.metric,
	condition: body.condition,
	threshold: body.threshold,
	hysteresis: body.hysteresis,
	durationSeconds: body.duration_seconds,
	severity: body.severity,
	groupId: body.device_group_id,
	deviceId: toDevice(body.device_id),
	isActive: body.is_active,
});

export function toRuleChange(body: AlertRuleBody): AlertRuleChange {
	const {
		duration_seconds: durationSecs,
		device_group_id: groupId,
		device_id: device,
		is_active: isActive,
		...same
	} = body;
	return {
		...same,
		...(durationSecs === undefined ? {} : { durationSeconds: durationSecs }),
		...(groupId === undefined ? {} : { groupId }),
		...(device === undefined ? {} : { deviceId: toDevice(device) }),
		...(isActive === undefined ? {} : { isActive }),
	};
}

/** A rule as it is answered: reference 000, and what this product adds. */
export const alertRuleView = (rule: AlertRule) => ({
	id: rule.id,
	name: rule.name,
	description: rule.description,
	metric: rule.metric,
	condition: rule.condition,
	threshold: rule.threshold,
	hysteresis: rule.hysteresis,
	duration_seconds: rule.durationSeconds,
	severity: rule.severity,
	device_group_id: rule.groupId,
	device_id: rule.deviceId,
	is_active: rule.isActive,
	tenant_id: rule.tenantId,
	gateway_id: rule.gatewayId,
	created_at: toIso(rule.createdAt),
});

/** An alert as it is answered: reference 000, and what this product adds. */
export const alertView = (alert: Alert) => ({
	id: alert.id,
	rule_id: alert.ruleId,
	rule_name: alert.title,
	device_id: alert.deviceId,
	severity: alert.severity,
	message: alert.message,
	is_acknowledged: isAcknowledged(alert),
	acknowledged_by: alert.acknowledgedBy,
	acknowledged_by_email: alert.acknowledgedEmail,
	acknowledged_at: alert.acknowledgedAt === null ? null : toIso(alert.acknowledgedAt),
	created_at: toIso(alert.createdAt),
	tenant_id: alert.tenantId,
	origin_id: alert.origin,
	metric: alert.metric,
	value: alert.value,
	occurrences: alert.occurrences,
	raised_at: toIso(alert.raisedAt),
	cleared_at: alert.clearedAt === null ? null : toIso(alert.clearedAt),
});

const timestamp = Joi.string().isoDate();
const orNull = (schema: Joi.StringSchema) => schema.allow(null).required();

/** Schema of `alertRuleView`, for the API document. */
export const alertRuleAnswer = Joi.object({
	id: uuid.required(),
	name: name.required(),
	description: description.required(),
	metric: metric.required(),
	condition: condition.required(),
	threshold: threshold.required(),
	hysteresis: hysteresis.required(),
	duration_seconds: durationSeconds.required(),
	severity: severity.required(),
	device_group_id: orNull(uuid),
	device_id: orNull(uuid),
	is_active: Joi.boolean().required(),
	tenant_id: uuid.required(),
	gateway_id: orNull(uuid),
	created_at: timestamp.required(),
});

/** Schema of `alertView`, for the API document. */
export const alertAnswer = Joi.object({
	id: uuid.required(),
	rule_id: uuid.required(),
	rule_name: Joi.string().allow('').required(),
	device_id: uuid.required(),
	severity: severity.required(),
	message: Joi.string().required(),
	is_acknowledged: Joi.boolean().required(),
	acknowledged_by: orNull(uuid),
	acknowledged_by_email: orNull(Joi.string().allow('')),
	acknowledged_at: orNull(timestamp),
	created_at: timestamp.required(),
	tenant_id: uuid.required(),
	origin_id: uuid.required(),
	metric: metric.required(),
	value: Joi.string().required(),
	occurrences: Joi.number().integer().min(1).required(),
	raised_at: timestamp.required(),
	cleared_at: orNull(timestamp),
});
