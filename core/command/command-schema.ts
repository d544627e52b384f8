import Joi from 'joi';

import { DEVICE_UID_PATTERN } from '../device/device-schema.ts';
import { type EpochMs, toIso } from '../kernel/clock.ts';
import { isUuid } from '../kernel/id.ts';
import { isWithinBounds } from '../telemetry/json-bounds.ts';
import { timestamp } from '../telemetry/telemetry-schema.ts';
import type { Command, CommandDraft, CommandPayload } from './command.ts';

const PAYLOAD_BOUNDS = { depth: 8, nodes: 500 };
/** As JSON; the queue is held in memory. */
const MAX_PAYLOAD_CHARS = 4_096;

const DEFAULT_TTL_S = 3_600;
const MAX_TTL_S = 86_400;
/** The longest time to live of a command, ms. */
export const MAX_TTL_MS = MAX_TTL_S * 1_000;

/** What a device answered, as it is kept with the command; `null` when it is too long. The whole answer is in the device's telemetry. */
export const keptResult = (result: CommandPayload): CommandPayload | null =>
	JSON.stringify(result).length > MAX_PAYLOAD_CHARS ? null : result;

const hasPrototypeKey = (value: unknown): boolean =>
	typeof value === 'object' &&
	value !== null &&
	(Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey));

/** The first rule that a payload breaks, as a sentence after its name; `null` when it is fine. */
function payloadFault(payload: CommandPayload): string | null {
	if (!isWithinBounds(payload, PAYLOAD_BOUNDS))
		return `is deeper than ${PAYLOAD_BOUNDS.depth} levels or has more than ${PAYLOAD_BOUNDS.nodes} values`;
	const { length } = JSON.stringify(payload);
	if (length > MAX_PAYLOAD_CHARS) return `has ${length} characters as JSON; ${MAX_PAYLOAD_CHARS} are allowed`;
	return hasPrototypeKey(payload) ? 'has a name that is not allowed' : null;
}

const name = Joi.string().min(1).max(100);
export const commandPayload = Joi.object<CommandPayload>().custom((value: CommandPayload, helpers) => {
	const fault = payloadFault(value);
	return fault === null ? value : helpers.message({ custom: `{{#label}} ${fault}` });
});

export const commandListParams = Joi.object({ device_id: Joi.string().pattern(DEVICE_UID_PATTERN).required() });

export const commandParams = commandListParams.keys({ command_id: Joi.string().guid().lowercase().required() });

export interface CommandBody {
	readonly command_name: string;
	readonly payload: CommandPayload;
	readonly ttl_seconds: number;
}

export const commandCreate = Joi.object<CommandBody>({
	command_name: name.required(),
	payload: commandPayload.default({}),
	ttl_seconds: Joi.number().integer().min(1).max(MAX_TTL_S).default(DEFAULT_TTL_S),
}).options({ stripUnknown: true });

export const toDraft = ({ command_name: commandName, payload, ttl_seconds: ttl }: CommandBody): CommandDraft => ({
	name: commandName,
	payload,
	ttlMs: ttl * 1_000,
});

export interface CommandPatchBody {
	readonly status: 'pending' | 'sent' | 'executed' | 'failed';
	readonly executed_at?: EpochMs;
}

export const commandPatch = Joi.object<CommandPatchBody>({
	status: Joi.valid('pending', 'sent', 'executed', 'failed').required(),
	executed_at: timestamp,
}).options({ stripUnknown: true });

export interface CommandListQuery {
	readonly limit: number;
	/** Id of the last command of the page before. */
	readonly cursor?: string;
}

/** Opaque cursor after this command. */
export const toCommandCursor = ({ id }: Command): string =>
	Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

function fromCommandCursor(cursor: string): string | null {
	const hex = Buffer.from(cursor, 'base64url').toString('hex');
	const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
	return isUuid(id) ? id : null;
}

export const commandListQuery = Joi.object<CommandListQuery>({
	limit: Joi.number().integer().min(1).max(200).default(10),
	cursor: Joi.string()
		.min(1)
		.max(100)
		.custom(
			(value: string, helpers) => fromCommandCursor(value) ?? helpers.message({ custom: '{{#label}} is unknown' }),
		),
});

/** A command of the event `send_command`: its action alone, or with a payload. */
export interface SendCommand {
	readonly device_uid: string;
	readonly command: { readonly action: string; readonly payload: CommandPayload };
}

export const sendCommand = Joi.object<SendCommand>({
	device_uid: Joi.string().pattern(DEVICE_UID_PATTERN).required(),
	command: Joi.alternatives(
		name.custom((action: string) => ({ action, payload: {} })),
		Joi.object({ action: name.required(), payload: commandPayload.default({}) }),
	).required(),
}).options({ stripUnknown: true });

/** Time to live of a command whose sender names none, ms. */
export const DEFAULT_TTL_MS = DEFAULT_TTL_S * 1_000;

const isoOrNull = (at: EpochMs | null): string | null => (at === null ? null : toIso(at));

/** A command as REST shows it; reference 002 knows no `expired`. */
export function commandView(command: Command) {
	const { status, error } = command;
	const isExpired = status === 'expired';
	return {
		id: command.id,
		command_name: command.name,
		payload: command.payload,
		status: isExpired ? 'failed' : status,
		executed_at: isoOrNull(command.executedAt),
		created_at: toIso(command.createdAt),
		expires_at: toIso(command.expiresAt),
		sent_at: isoOrNull(command.sentAt),
		error: isExpired ? `expired: ${error ?? ''}` : error,
		result: command.result,
	};
}

const instant = Joi.string().isoDate();

/** What `commandView` gives, for the API document. */
export const commandAnswer = Joi.object({
	id: Joi.string().guid().required(),
	command_name: name.required(),
	payload: Joi.object().unknown().required(),
	status: Joi.valid('pending', 'sent', 'executed', 'failed').required(),
	executed_at: instant.allow(null).required(),
	created_at: instant.required(),
	expires_at: instant.required(),
	sent_at: instant.allow(null).required(),
	error: Joi.string().allow(null).required(),
	result: Joi.object().unknown().allow(null).required(),
});
