import Joi from 'joi';

import { patchSchema, sha256 } from '../../core/configuration/configuration-schema.ts';
import { outcomeAnswer, patchAnswer } from '../../core/configuration/configuration-view.ts';
import type { Patch } from '../../core/configuration/json-patch.ts';
import { MAX_POINTER_LENGTH } from '../../core/configuration/json-pointer.ts';
import type { Side } from '../../core/configuration/merge.ts';
import { toIso } from '../../core/kernel/clock.ts';
import { isJsonObject } from '../../core/configuration/canonical-json.ts';
import { MAX_ENTRIES } from '../../core/link/config-messages.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { ApplyOptions, DocumentName, NewRevision } from './gateway-configurations.ts';
import { type ConfigurationHead, type NotedOutcome, type Revision, standingOf } from './revision.ts';

const gatewayId = Joi.string().guid().lowercase().required();
const number = () => Joi.number().integer().min(1).max(1_000_000_000);
const documentName = () => Joi.alternatives(number(), Joi.valid('running', 'current'));
const instant = () => Joi.string().isoDate();
const count = () => Joi.number().min(0);
const comment = () => Joi.string().max(500).allow('').default('');

export const gatewayParams = Joi.object({ gateway_id: gatewayId });
export const revisionParams = Joi.object({ gateway_id: gatewayId, revision: number().required() });
export const templateParams = Joi.object({ gateway_id: gatewayId, sha256: sha256().required() });

export const listQuery = Joi.object({
	limit: Joi.number().integer().min(1).max(100).default(50),
	/** The page goes on below this number. */
	before: number(),
});

export const diffQuery = Joi.object({
	from: documentName().default('running'),
	to: documentName().default('current'),
});

export interface RevisionBody {
	readonly document?: object;
	readonly patch?: Patch;
	readonly base?: DocumentName;
	readonly templates: Readonly<Record<string, JsonValue>>;
	readonly comment: string;
}

const draft = {
	document: Joi.object().unknown(),
	patch: patchSchema,
	base: documentName(),
	templates: Joi.object()
		.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/, Joi.object().unknown())
		.max(64)
		.default({}),
};

export const revisionBody = Joi.object<RevisionBody>({ ...draft, comment: comment() })
	.xor('document', 'patch')
	.without('document', 'base');

export const previewBody = Joi.object({ ...draft, revision: number() })
	.xor('document', 'patch', 'revision')
	.without('document', 'base');

export const adoptBody = Joi.object({ comment: comment() }).allow(null);

export interface ApplyBody {
	readonly prefer: Side | null;
	readonly decisions: Readonly<Record<string, Side>>;
	readonly discard_drift: boolean;
	readonly trial_seconds?: number;
	readonly require_devices: boolean;
}

const side = () => Joi.valid('hub', 'gateway');

export const applyBody = Joi.object<ApplyBody>({
	prefer: side().allow(null).default(null),
	decisions: Joi.object().pattern(Joi.string().max(MAX_POINTER_LENGTH), side()).max(MAX_ENTRIES).default({}),
	discard_drift: Joi.boolean().default(false),
	trial_seconds: Joi.number().integer().min(5).max(86_400),
	require_devices: Joi.boolean().default(true),
}).empty(null);

/** @param trialSeconds unless the body says another time */
export const toApplyOptions = (body: ApplyBody | null, trialSeconds: number): ApplyOptions => ({
	prefer: body?.prefer ?? null,
	decisions: body?.decisions ?? {},
	discardDrift: body?.discard_drift ?? false,
	trialMs: (body?.trial_seconds ?? trialSeconds) * 1_000,
	requireDevices: body?.require_devices ?? true,
});

export const toNewRevision = (body: Omit<RevisionBody, 'comment'> & { readonly comment?: string }): NewRevision => ({
	document: body.document ?? null,
	patch: body.patch ?? null,
	base: body.base ?? null,
	templates: body.templates,
	comment: body.comment ?? '',
});

export const revisionView = (revision: Revision) => ({
	revision: revision.revision,
	checksum: revision.checksum,
	author: revision.author,
	comment: revision.comment,
	origin: revision.origin,
	created_at: toIso(revision.createdAt),
	bytes: revision.bytes,
	devices: revision.devices,
});

const revisionFields = {
	revision: count(),
	checksum: Joi.string(),
	author: Joi.string().allow(''),
	comment: Joi.string().allow(''),
	origin: Joi.valid('hub', 'gateway'),
	created_at: instant(),
	bytes: count(),
	devices: count(),
};

export const revisionSummary = Joi.object(revisionFields)
	.options({ presence: 'required' })
	.label('ConfigurationRevision');

export const revisionAnswer = Joi.object({
	...revisionFields,
	document: Joi.object().unknown(),
	outcomes: Joi.array().items(outcomeAnswer),
})
	.options({ presence: 'required' })
	.label('ConfigurationRevisionDocument');

const NO_DETAILS = { mistakes: [], conflicts: [], overwritten: [] };

/** @param details the lists of the outcome as they are kept */
export const notedOutcomeView = (outcome: NotedOutcome, details: JsonValue | null) => ({
	revision: outcome.revision,
	outcome: outcome.outcome,
	at: toIso(outcome.at),
	reason: outcome.reason,
	...NO_DETAILS,
	...(details !== null && isJsonObject(details) ? details : {}),
});

const trial = Joi.object({ revision: count(), until: instant() }).options({ presence: 'required' }).allow(null);

/** Where a gateway's configuration stands. */
export const overviewAnswer = Joi.object({
	gateway_id: Joi.string().guid(),
	standing: Joi.valid(
		'unknown',
		'unmanaged',
		'waiting',
		'trial',
		'running',
		'drift',
		'rolled-back',
		'refused',
		'conflict',
	),
	online: Joi.boolean(),
	last_revision: count(),
	order: Joi.object({
		kind: Joi.valid('apply', 'roll-back'),
		revision: count(),
		author: Joi.string().allow(''),
		at: instant(),
	})
		.options({ presence: 'required' })
		.allow(null),
	reported: Joi.object({
		at: instant(),
		revision: count(),
		checksum: Joi.string().allow(null),
		current_checksum: Joi.string(),
		drift_operations: count(),
		previous_revision: count().allow(null),
		trial,
		restart_needed: Joi.array().items(Joi.string()),
	})
		.options({ presence: 'required' })
		.allow(null),
	last: outcomeAnswer.allow(null),
})
	.options({ presence: 'required' })
	.label('GatewayConfiguration');

function reportedView({ state }: ConfigurationHead) {
	if (state === null) return null;
	return {
		at: toIso(state.at),
		revision: state.revision,
		checksum: state.checksum,
		current_checksum: state.current,
		drift_operations: state.driftOperations,
		previous_revision: state.previous,
		trial: state.trial === null ? null : { revision: state.trial.revision, until: toIso(state.trial.until) },
		restart_needed: state.restartNeeded,
	};
}

export function overviewView(head: ConfigurationHead, isOnline: boolean, details: JsonValue | null) {
	const { order, orderedAt, outcomes } = head;
	const [last] = outcomes;
	return {
		gateway_id: head.gateway,
		standing: standingOf(head),
		online: isOnline,
		last_revision: head.lastRevision,
		order:
			order === null || orderedAt === null
				? null
				: { kind: order.kind, revision: order.revision, author: order.author, at: toIso(orderedAt) },
		reported: reportedView(head),
		last: last === undefined ? null : notedOutcomeView(last, details),
	};
}

export const diffAnswer = Joi.object({ patch: patchAnswer })
	.options({ presence: 'required' })
	.label('ConfigurationDiff');

export const driftAnswer = Joi.object({ base_revision: count(), patch: patchAnswer })
	.options({ presence: 'required' })
	.label('ConfigurationDrift');
