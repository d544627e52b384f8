import Joi from 'joi';

import type { CommandPayload, CommandStatus } from '../command/command.ts';
import { SHARED_FIELDS } from '../device/device-edits.ts';
import { METADATA_BOUNDS } from '../device/device-schema.ts';
import type { Connection } from '../../config/connection/connection.ts';
import type { Device, DeviceHealth } from '../device/device.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import { type DeclaredLoss, LOSS_REASONS } from '../ledger/stream-range.ts';
import type { EpochRanges, Range } from '../ledger/range-set.ts';
import { MAX_VERSION_NUMBER, MAX_WRITERS } from '../sync/version.ts';
import { isWithinBounds } from '../telemetry/json-bounds.ts';

/** First word of a gateway on a fresh connection. */
export interface Hello {
	readonly name: string;
	readonly version: string;
	/** Epoch of this boot and the last sequence number handed out in it. */
	readonly epoch: number;
	readonly lastSeq: number;
	/** Oldest epoch that the journal still holds; the hub answers with its ranges from there on. */
	readonly oldestEpoch: number;
	/** How far earlier boots came since this gateway has this hub, newest first: a hub that was put back to an older state has not heard of the end. */
	readonly boots: readonly BootEnd[];
}

/** A boot that is over, and the last sequence number that is known of it. */
export interface BootEnd {
	readonly epoch: number;
	readonly last: number;
}

/** Most earlier boots that a hello names. */
export const MAX_BOOTS = 100;

/** The hub's answer to `hello`: what it holds. The gateway sends the rest. */
export interface Welcome {
	readonly received: readonly EpochRanges[];
	/** Of earlier boots, what the hub lacks and knows no reason for. The gateway sends it, or declares it lost. */
	readonly owed: readonly EpochRanges[];
}

/** What the hub has made durable since its last word. Only this moves the gateway's checkpoint. */
export interface Ack {
	readonly received: readonly EpochRanges[];
	/** Declared losses that the hub has written down. */
	readonly losses: readonly EpochRanges[];
}

/** Health of one device as its gateway sees it. */
export interface HealthDocument extends DeviceHealth {
	readonly device: DeviceId;
}

/** A gateway's devices, whole documents with their revision, and what it knows of their health. */
export interface DeviceDocuments {
	readonly devices: readonly Device[];
	readonly health: readonly HealthDocument[];
}

/** Most documents of a kind in one message, and the bytes after which the next message begins (one document may be larger). */
export const MAX_DOCUMENTS = 50;
export const DOCUMENTS_BYTES = 256 * 1024;

/** Documents as they arrived: what breaks a rule is left out and named, so that it does not hide the rest. */
export interface CheckedDocuments extends DeviceDocuments {
	readonly mistakes: readonly string[];
}

/** A command on its way to the gateway of its device. */
export interface CommandMessage {
	readonly command_id: string;
	readonly device: DeviceId;
	readonly name: string;
	readonly payload: CommandPayload;
	/** Time left to live, ms; not an instant, because the clock of a gateway may be wrong. */
	readonly expires_in_ms: number;
	/** E-mail address of the person who asked for it; what that person may, the hub has checked. */
	readonly actor: string;
	/** The gateway has said that it has written the command down; one that does not know it has lost it, and must not carry it out. */
	readonly is_accepted: boolean;
}

/** Commands for devices of one gateway, oldest first. */
export interface CommandMessages {
	readonly commands: readonly CommandMessage[];
}

/** Where a command of the hub stands at its gateway. */
export interface CommandState {
	readonly command_id: string;
	readonly status: CommandStatus;
	readonly sent_at: EpochMs | null;
	readonly executed_at: EpochMs | null;
	readonly error: string | null;
	readonly result: CommandPayload | null;
}

/** What a device said to a command, of the hub or of anybody. */
export interface CommandResponse {
	readonly device: DeviceId;
	readonly data: CommandPayload;
}

export interface CommandReport {
	readonly changes: readonly CommandState[];
	readonly responses: readonly CommandResponse[];
}

/** Most commands, and most entries of a report, in one message. */
export const MAX_COMMANDS = 50;

/** Losses without their origin: the topic names it. */
export interface Losses {
	readonly losses: readonly Omit<DeclaredLoss, 'origin'>[];
}

/** Longest request for a certificate, and longest certificate, characters. */
export const MAX_CSR_CHARACTERS = 4_096;
const MAX_CERTIFICATE_CHARACTERS = 16_384;

/** A gateway asks for its next certificate; over a connection that its present one has opened. */
export interface Renew {
	/** PKCS #10 in PEM, for a fresh key. */
	readonly csrPem: string;
}

/** The hub says that the certificate of this connection comes to its end, or is past it: the gateway's clock may not know. */
export interface Expiring {
	readonly expiresAt: number;
}

/** The next certificate. The present one stays good until this one has been used. */
export interface NextCertificate {
	readonly certPem: string;
}

/** Most bytes of a block of readings; the hub ends a connection whose packet is larger than twice of it. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

/** Most ranges in one message; a fragmented ledger is told newest first and the rest is asked again at the next connection. */
export const MAX_RANGES = 5_000;

export const natural = Joi.number().integer().min(0).required();
const range = Joi.object<Range>({ first: natural, last: natural.min(Joi.ref('first')) });
export const epochRanges = Joi.object<EpochRanges>({
	epoch: natural,
	ranges: Joi.array().items(range).max(MAX_RANGES).required(),
});

const line = Joi.alternatives(
	Joi.object({
		transport: Joi.valid('tcp').required(),
		host: Joi.string().max(255).required(),
		port: Joi.number().port().required(),
	}),
	Joi.object({
		transport: Joi.valid('rtu').required(),
		path: Joi.string().max(512).required(),
		baudRate: natural,
		parity: Joi.valid('none', 'even', 'odd').required(),
		dataBits: Joi.valid(7, 8).required(),
		stopBits: Joi.valid(1, 2).required(),
	}),
);

const connection = Joi.alternatives<Connection>(
	Joi.object({ driver: Joi.valid('mqtt').required() }),
	Joi.object({
		driver: Joi.valid('modbus').required(),
		line: line.required(),
		unitId: natural.max(255),
		template: Joi.string().max(128).required(),
		periodMs: natural,
		timeoutMs: natural,
	}),
);

const uuid = Joi.string().guid({ separator: '-' }).lowercase();
/** Beyond these no calendar goes (ECMA-262, 21.4.1.1). */
const instant = Joi.number().integer().min(-8.64e15).max(8.64e15);

const metadata = Joi.object().custom((value: unknown, helpers) =>
	isWithinBounds(value, METADATA_BOUNDS)
		? value
		: helpers.message({ custom: `{{#label}} has more than ${METADATA_BOUNDS.nodes} values or is too deep` }),
);

const device = Joi.object<Device>({
	id: uuid.required(),
	uid: Joi.string()
		.pattern(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/)
		.required(),
	name: Joi.string().max(255).required(),
	deviceType: Joi.string().max(100).required(),
	status: Joi.valid('online', 'offline', 'maintenance').required(),
	firmwareVersion: Joi.string().max(255).allow('', null).required(),
	ipAddress: Joi.string().max(64).allow(null).required(),
	groupId: uuid.allow(null).required(),
	ownerId: uuid.allow(null).required(),
	tenantId: uuid.required(),
	metadata: metadata.required(),
	connection: connection.allow(null).required(),
	gatewayId: uuid.allow(null).required(),
	revision: natural,
	lastSeenAt: instant.allow(null).required(),
	createdAt: instant.required(),
	deletedAt: instant.allow(null).required(),
	edits: Joi.object().pattern(
		Joi.valid(...SHARED_FIELDS),
		Joi.object()
			.pattern(uuid, natural.max(MAX_VERSION_NUMBER))
			.max(2 * MAX_WRITERS),
	),
});

const health = Joi.object<HealthDocument>({
	device: uuid.required(),
	state: Joi.valid('ok', 'degraded', 'offline', 'unknown').required(),
	since: instant.required(),
	reason: Joi.string().max(1_000).allow('', null).required(),
});

const commandMessage = Joi.object<CommandMessage>({
	command_id: uuid.required(),
	device: uuid.required(),
	name: Joi.string().min(1).max(100).required(),
	payload: Joi.object().unknown().required(),
	expires_in_ms: instant.required(),
	actor: Joi.string().max(320).allow('').required(),
	is_accepted: Joi.boolean().required(),
});

const commandState = Joi.object<CommandState>({
	command_id: uuid.required(),
	status: Joi.valid('pending', 'sent', 'executed', 'failed', 'expired').required(),
	sent_at: instant.allow(null).required(),
	executed_at: instant.allow(null).required(),
	error: Joi.string().max(2_000).allow('', null).required(),
	result: Joi.object().unknown().allow(null).required(),
});

const commandResponse = Joi.object<CommandResponse>({
	device: uuid.required(),
	data: Joi.object().unknown().required(),
});

/** Documents whose envelope is right. */
interface UncheckedDocuments {
	readonly devices: readonly unknown[];
	readonly health: readonly unknown[];
}

const schemas: { readonly [K in keyof LinkMessages]: Joi.ObjectSchema<LinkMessages[K]> } = {
	hello: Joi.object<Hello>({
		name: Joi.string().max(255).allow('').required(),
		version: Joi.string().max(64).required(),
		epoch: natural,
		lastSeq: natural,
		oldestEpoch: natural,
		boots: Joi.array()
			.items(Joi.object<BootEnd>({ epoch: natural, last: natural }))
			.max(MAX_BOOTS)
			.default([]),
	}),
	welcome: Joi.object<Welcome>({
		received: Joi.array().items(epochRanges).max(MAX_RANGES).required(),
		owed: Joi.array().items(epochRanges).max(MAX_RANGES).required(),
	}),
	ack: Joi.object<Ack>({
		received: Joi.array().items(epochRanges).max(MAX_RANGES).required(),
		losses: Joi.array().items(epochRanges).max(MAX_RANGES).required(),
	}),
	documents: Joi.object<UncheckedDocuments>({
		devices: Joi.array().max(MAX_DOCUMENTS).required(),
		health: Joi.array().max(MAX_DOCUMENTS).required(),
	}),
	losses: Joi.object<Losses>({
		losses: Joi.array()
			.items(
				Joi.object({ epoch: natural, first: natural, last: natural, reason: Joi.valid(...LOSS_REASONS).required() }),
			)
			.max(MAX_RANGES)
			.required(),
	}),
	renew: Joi.object<Renew>({ csrPem: Joi.string().max(MAX_CSR_CHARACTERS).required() }),
	expiring: Joi.object<Expiring>({ expiresAt: instant.required() }),
	certificate: Joi.object<NextCertificate>({ certPem: Joi.string().max(MAX_CERTIFICATE_CHARACTERS).required() }),
	command: Joi.object<CommandMessages>({
		commands: Joi.array().items(commandMessage).max(MAX_COMMANDS).required(),
	}),
	commands: Joi.object<CommandReport>({
		changes: Joi.array().items(commandState).max(MAX_COMMANDS).required(),
		responses: Joi.array().items(commandResponse).max(MAX_COMMANDS).required(),
	}),
};

interface LinkMessages {
	readonly hello: Hello;
	readonly welcome: Welcome;
	readonly ack: Ack;
	readonly documents: UncheckedDocuments;
	readonly losses: Losses;
	readonly renew: Renew;
	readonly expiring: Expiring;
	readonly certificate: NextCertificate;
	readonly command: CommandMessages;
	readonly commands: CommandReport;
}

const STRICT = { abortEarly: true, stripUnknown: true, convert: false } as const;

/** A message of a kind by its schema. @throws Fault `rule-violation` naming the message, the field and the rule. */
export function checkedLinkMessage<T>(kind: string, schema: Joi.ObjectSchema<T>, payload: Uint8Array): T {
	let raw: unknown;
	try {
		raw = JSON.parse(Buffer.from(payload).toString('utf8'));
	} catch (error) {
		throw new Fault('rule-violation', `${kind}: not JSON`, { cause: error });
	}
	const { value, error } = schema.validate(raw, STRICT);
	if (error !== undefined) throw new Fault('rule-violation', `${kind}: ${error.message}`);
	return value;
}

/** @throws Fault `rule-violation` naming the message, the field and the rule. */
export const parseLinkMessage = <K extends keyof LinkMessages>(kind: K, payload: Uint8Array): LinkMessages[K] =>
	checkedLinkMessage<LinkMessages[K]>(kind, schemas[kind], payload);

/** @throws Fault `rule-violation` when the message as a whole is none. */
export function parseDocuments(payload: Uint8Array): CheckedDocuments {
	const documents = parseLinkMessage('documents', payload);
	const mistakes: string[] = [];
	function checked<T>(what: string, schema: Joi.ObjectSchema<T>, list: readonly unknown[]): readonly T[] {
		return list.flatMap((one, index) => {
			const { value, error } = schema.validate(one, STRICT);
			if (error === undefined) return [value];
			mistakes.push(`${what}[${index}]: ${error.message}`);
			return [];
		});
	}
	const devices = checked('devices', device, documents.devices);
	return { devices, health: checked('health', health, documents.health), mistakes };
}

export const linkMessage = <K extends keyof LinkMessages>(_kind: K, message: LinkMessages[K]): Buffer =>
	Buffer.from(JSON.stringify(message));
