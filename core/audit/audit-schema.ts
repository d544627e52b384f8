import Joi from 'joi';

import { cursorQuery } from '../http/paging.ts';
import { type EpochMs, toIso } from '../kernel/clock.ts';
import { endTimestamp, timestamp } from '../telemetry/telemetry-schema.ts';
import type { ChainReport } from './audit-chain.ts';
import type { AuditLine } from './audit-line.ts';

/** Which entries a caller wants. */
export interface AuditSelection {
	/** Id or email of the person. */
	readonly actor?: string;
	readonly action?: string;
	readonly outcome?: 'done' | 'refused';
	readonly target?: string;
	readonly tenant_id?: string;
	/** Inclusive. */
	readonly from?: EpochMs;
	/** Exclusive. */
	readonly to?: EpochMs;
}

export interface AuditListQuery extends AuditSelection {
	readonly limit: number;
	readonly cursor?: { readonly before: number };
}

const selection = {
	actor: Joi.string().max(254),
	action: Joi.string().max(200),
	outcome: Joi.valid('done', 'refused'),
	target: Joi.string().max(256),
	tenant_id: Joi.string().guid().lowercase(),
	from: timestamp,
	to: endTimestamp,
};

/** Opaque cursor of a list: the line to go on before. */
export const toAuditCursor = (before: number): string => Buffer.from(`l${before}`).toString('base64url');

function fromAuditCursor(cursor: string): NonNullable<AuditListQuery['cursor']> | null {
	const digits = /^l(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
	return digits === undefined ? null : { before: Number(digits) };
}

export const auditListQuery = Joi.object({ ...selection, ...cursorQuery(fromAuditCursor) });

export const auditExportQuery = Joi.object(selection);

/** An entry as it is answered. */
export const auditView = (entry: AuditLine) => ({
	id: entry.id,
	seq: entry.seq,
	at: toIso(entry.at),
	action: entry.action,
	outcome: entry.outcome,
	actor: entry.actor === null ? null : { id: entry.actor.userId, email: entry.actor.email },
	tenant_id: entry.tenantId,
	from: entry.from,
	target: entry.target,
	reason: entry.reason,
	before: entry.before,
	after: entry.after,
	request_id: entry.requestId,
	count: entry.count,
});

const nullable = (schema: Joi.Schema) => schema.allow(null).required();

export const auditEntryAnswer = Joi.object({
	id: Joi.string().guid().required(),
	seq: Joi.number().integer().min(1).required(),
	at: Joi.string().isoDate().required(),
	action: Joi.string().required(),
	outcome: Joi.valid('done', 'refused').required(),
	actor: nullable(Joi.object({ id: Joi.string().required(), email: Joi.string().required() })),
	tenant_id: nullable(Joi.string().guid()),
	from: Joi.string().allow('').required(),
	target: nullable(Joi.string()),
	reason: nullable(Joi.string()),
	before: nullable(Joi.object().unknown()),
	after: nullable(Joi.object().unknown()),
	request_id: nullable(Joi.string()),
	count: Joi.number().integer().min(1).required(),
});

export const auditVerifyView = ({ isIntact, lines, head, breaks }: ChainReport) => ({
	intact: isIntact,
	lines,
	head: { seq: head.seq, hash: head.hash },
	breaks: breaks.map(({ seq, segment, rule }) => ({ seq, segment: segment.slice(segment.lastIndexOf('/') + 1), rule })),
});

export const auditVerifyAnswer = Joi.object({
	intact: Joi.boolean().required(),
	lines: Joi.number().integer().min(0).required(),
	head: Joi.object({
		seq: Joi.number().integer().min(0).required(),
		hash: Joi.string().allow('').required(),
	}).required(),
	breaks: Joi.array()
		.items(
			Joi.object({
				seq: nullable(Joi.number().integer()),
				segment: Joi.string().allow('').required(),
				rule: Joi.string().required(),
			}),
		)
		.required(),
});
