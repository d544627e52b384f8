// oxlint-disable unicorn/no-thenable -- joi writes its conditions with a key named `then`
import Joi from 'joi';

import { CONDITIONS, SEVERITIES } from '../alarm/alert-rule.ts';
import type { AlertRule } from '../alarm/alert-rule.ts';
import type { Alert } from '../alarm/alert.ts';
import { commandPayload } from '../command/command-schema.ts';
import type { Command } from '../command/command.ts';
import { type DeviceEdit, SHARED_FIELDS } from '../device/device-edits.ts';
import { METADATA_BOUNDS } from '../device/device-schema.ts';
import { Fault } from '../kernel/fault.ts';
import {
	MAX_RECORDS,
	RECORD_KINDS,
	type ReceivedPositions,
	type RecordBatch,
	type RecordKindName,
} from '../sync/record-kind.ts';
import { type FeedPosition, MAX_TOLD } from '../sync/sync-positions.ts';
import { MAX_VERSION_NUMBER, MAX_WRITERS, type Version } from '../sync/version.ts';
import { isWithinBounds } from '../telemetry/json-bounds.ts';

/** First word of a session, of the gateway and then of the hub: how far each has taken the feeds of the other. */
export interface RecordsBegin {
	readonly type: 'begin';
	/** Made by the gateway, repeated by the hub. */
	readonly session: string;
	/** Id of the box that says it. */
	readonly node: string;
	readonly received: ReceivedPositions;
}

/** What has changed. The gateway's are taken with their PUBACK, the hub's with a `RecordsTaken`. */
export interface RecordsChanged extends RecordBatch {
	readonly type: 'changes';
}

export interface RecordsTaken {
	readonly type: 'taken';
	readonly session: string;
	readonly kind: RecordKindName;
	readonly through: number;
}

/** What people at the hub have changed of devices of the gateway. Said again until the gateway's documents have it. */
export interface DevicesEdited {
	readonly type: 'devices';
	readonly edits: readonly unknown[];
}

export type RecordsMessage = RecordsBegin | RecordsChanged | RecordsTaken | DevicesEdited;

/** A rule as it travels: whose it is, the receiver knows. */
export type RuleRecord = Omit<AlertRule, 'tenantId' | 'revision'>;
export type AlertRecord = Omit<Alert, 'tenantId' | 'unsettled'>;

/** A command that was made at a gateway, as its hub shows it. */
export type CommandRecord = Omit<Command, 'tenantId' | 'origin' | 'actor'> & { readonly email: string };

const natural = Joi.number().integer().min(0).required();
const uuid = Joi.string().guid({ separator: '-' }).lowercase();
/** Beyond these no calendar goes (ECMA-262, 21.4.1.1). */
const instant = Joi.number().integer().min(-8.64e15).max(8.64e15);
const kind = Joi.valid(...RECORD_KINDS).required();
const version = Joi.object<Version>()
	.pattern(uuid, Joi.number().integer().min(0).max(MAX_VERSION_NUMBER))
	.max(2 * MAX_WRITERS);

const positions = Joi.array()
	.items(Joi.object<FeedPosition>({ feed: uuid.required(), seq: natural }))
	.max(MAX_TOLD);

const message = Joi.alternatives().conditional('.type', {
	switch: [
		{
			is: 'begin',
			then: Joi.object({
				type: Joi.valid('begin').required(),
				session: uuid.required(),
				node: uuid.required(),
				received: Joi.object(Object.fromEntries(RECORD_KINDS.map((name) => [name, positions]))).required(),
			}),
		},
		{
			is: 'changes',
			then: Joi.object({
				type: Joi.valid('changes').required(),
				kind,
				feed: uuid.required(),
				through: natural,
				records: Joi.array().items(Joi.object().unknown()).max(MAX_RECORDS).required(),
			}),
		},
		{
			is: 'taken',
			then: Joi.object({ type: Joi.valid('taken').required(), session: uuid.required(), kind, through: natural }),
		},
		{
			is: 'devices',
			then: Joi.object({
				type: Joi.valid('devices').required(),
				edits: Joi.array().max(MAX_RECORDS).required(),
			}),
		},
	],
	otherwise: Joi.forbidden(),
});

/** As REST takes them; a rule that a person may make has to be one that travels. */
const ruleRecord = Joi.object<RuleRecord>({
	id: uuid.required(),
	name: Joi.string().min(1).max(255).required(),
	description: Joi.string().allow('').max(2_000).required(),
	metric: Joi.string().min(1).max(128).required(),
	condition: Joi.valid(...CONDITIONS).required(),
	threshold: Joi.number().unsafe().required(),
	hysteresis: Joi.number().unsafe().min(0).required(),
	durationSeconds: Joi.number().min(0).max(86_400).required(),
	severity: Joi.valid(...SEVERITIES).required(),
	groupId: uuid.allow(null).required(),
	deviceId: uuid.allow(null).required(),
	isActive: Joi.boolean().required(),
	gatewayId: uuid.allow(null).required(),
	version: version.required(),
	createdAt: instant.required(),
	deletedAt: instant.allow(null).required(),
});

/** A sentence with names, a metric and numbers in it; and a number of any length that a device may send. */
const MAX_MESSAGE_CHARACTERS = 4_096;

/** Longest reason of a failed command. */
export const MAX_ERROR_CHARACTERS = 2_000;

const alertRecord = Joi.object<AlertRecord>({
	id: uuid.required(),
	ruleId: uuid.required(),
	deviceId: uuid.required(),
	origin: uuid.required(),
	revision: natural,
	title: Joi.string().max(255).allow('').required(),
	severity: Joi.valid(...SEVERITIES).required(),
	message: Joi.string().max(MAX_MESSAGE_CHARACTERS).allow('').required(),
	metric: Joi.string().max(128).required(),
	value: Joi.string().max(MAX_MESSAGE_CHARACTERS).allow('').required(),
	createdAt: instant.required(),
	raisedAt: instant.required(),
	clearedAt: instant.allow(null).required(),
	occurrences: natural.min(1),
	acknowledgedBy: uuid.allow(null).required(),
	acknowledgedEmail: Joi.string().max(320).allow('', null).default(null),
	acknowledgedAt: instant.allow(null).required(),
	acknowledgedOccurrences: Joi.number().integer().min(0).allow(null).required(),
});

const commandRecord = Joi.object<CommandRecord>({
	id: uuid.required(),
	device: uuid.required(),
	name: Joi.string().min(1).max(100).required(),
	payload: commandPayload.required(),
	status: Joi.valid('pending', 'sent', 'executed', 'failed', 'expired').required(),
	email: Joi.string().max(320).allow('').required(),
	createdAt: instant.required(),
	expiresAt: instant.required(),
	acceptedAt: instant.allow(null).required(),
	sentAt: instant.allow(null).required(),
	executedAt: instant.allow(null).required(),
	error: Joi.string().max(MAX_ERROR_CHARACTERS).allow('', null).required(),
	result: commandPayload.allow(null).required(),
	attempts: natural,
});

const metadata = Joi.object().custom((value: unknown, helpers) =>
	isWithinBounds(value, METADATA_BOUNDS) ? value : helpers.message({ custom: '{{#label}} is too large or too deep' }),
);

const FIELD_SCHEMAS: Readonly<Record<(typeof SHARED_FIELDS)[number], Joi.Schema>> = {
	name: Joi.string().min(1).max(255),
	deviceType: Joi.string().min(1).max(100),
	groupId: uuid.allow(null),
	metadata,
};

const deviceEdit = Joi.object<DeviceEdit>({
	device: uuid.required(),
	revision: natural,
	fields: Joi.object(FIELD_SCHEMAS).required(),
	edits: Joi.object(Object.fromEntries(SHARED_FIELDS.map((name) => [name, version]))).required(),
});

const STRICT = { abortEarly: true, stripUnknown: true, convert: false } as const;

function checked<T>(what: string, schema: Joi.ObjectSchema<T> | Joi.AlternativesSchema, raw: unknown): T {
	const { value, error } = schema.validate(raw, STRICT);
	if (error !== undefined) throw new Fault('rule-violation', `${what}: ${error.message}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just validated against the schema
	return value as T;
}

/** @throws Fault `rule-violation` naming the field and the rule */
export const parseRuleRecord = (raw: unknown): RuleRecord => checked('alert-rule', ruleRecord, raw);
/** @throws Fault `rule-violation` naming the field and the rule */
export const parseAlertRecord = (raw: unknown): AlertRecord => checked('alert', alertRecord, raw);
/** @throws Fault `rule-violation` naming the field and the rule */
export const parseCommandRecord = (raw: unknown): CommandRecord => checked('command', commandRecord, raw);
/** @throws Fault `rule-violation` naming the field and the rule */
export const parseDeviceEdit = (raw: unknown): DeviceEdit => checked('device', deviceEdit, raw);

/** The envelope; what is in it is checked one by one, so that a wrong record hides no other. @throws Fault `rule-violation` */
export function parseRecordsMessage(payload: Uint8Array): RecordsMessage {
	let raw: unknown;
	try {
		raw = JSON.parse(Buffer.from(payload).toString('utf8'));
	} catch (error) {
		throw new Fault('rule-violation', 'records: not JSON', { cause: error });
	}
	return checked<RecordsMessage>('records', message, raw);
}

export const recordsMessage = (said: RecordsMessage): Buffer => Buffer.from(JSON.stringify(said));
