import Joi from 'joi';

import { patchSchema, sha256 } from '../configuration/configuration-schema.ts';
import type { ConfigurationMistake } from '../configuration/configuration.ts';
import type { Patch } from '../configuration/json-patch.ts';
import type { Conflict, Side } from '../configuration/merge.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { isWithinBounds } from '../telemetry/json-bounds.ts';
import type { JsonValue } from '../telemetry/reading.ts';

/** What somebody at the hub wants of a gateway's configuration. Offered with each session until the gateway has answered it. */
export interface ConfigOrder {
	readonly type: 'order';
	/** Counts up at the hub; the gateway deals with each number once. */
	readonly attempt: number;
	/** `roll-back`: to what the gateway ran before the present revision. */
	readonly kind: 'apply' | 'roll-back';
	/** The revision to run; of a roll-back the one to leave. */
	readonly revision: number;
	readonly checksum: string;
	/** Who asked for it, for logs and pages. */
	readonly author: string;
	/** Whose value counts where both sides changed one; `null`: the gateway changes nothing and names the places. */
	readonly prefer: Side | null;
	/** The same for single places, by JSON pointer. */
	readonly decisions: Readonly<Record<string, Side>>;
	/** What was changed at the gateway's site is given up, even where it contradicts nothing. */
	readonly discardDrift: boolean;
	/** How long the gateway may take to prove itself under it, ms. */
	readonly trialMs: number;
	/** Devices that the revision touches and that worked have to work again. */
	readonly requireDevices: boolean;
}

/** The content of a revision; its checksum is that of the order. */
export interface ConfigRevision {
	readonly type: 'revision';
	readonly revision: number;
	readonly document: JsonValue;
}

export interface ConfigTemplate {
	readonly type: 'template';
	readonly sha256: string;
	readonly content: JsonValue;
}

/** The hub knows nothing that a drift could be measured against: the gateway says its whole configuration. */
export interface ConfigAsk {
	readonly type: 'ask';
}

export type ConfigDown = ConfigOrder | ConfigRevision | ConfigTemplate | ConfigAsk;

/** A value of the gateway's own that a revision has replaced. */
export interface Overwritten {
	readonly path: string;
	/** `null` also stands for "nothing there". */
	readonly value: JsonValue;
}

export const OUTCOMES = ['applied', 'rolled-back', 'refused', 'conflict'] as const;

/** What became of an order. */
export interface ConfigOutcome {
	readonly attempt: number;
	readonly revision: number;
	readonly outcome: (typeof OUTCOMES)[number];
	readonly at: EpochMs;
	/** A sentence for a person; `null` when there is nothing to say. */
	readonly reason: string | null;
	readonly mistakes: readonly ConfigurationMistake[];
	readonly conflicts: readonly Conflict[];
	readonly overwritten: readonly Overwritten[];
}

export interface ConfigTrial {
	readonly attempt: number;
	readonly revision: number;
	/** By the gateway's clock. */
	readonly until: EpochMs;
}

/** Where a gateway stands. */
export interface ConfigState {
	readonly type: 'state';
	/** The hub's revision it runs; 0: none, it runs what it has. */
	readonly revision: number;
	/** Of that revision; `null` with revision 0. */
	readonly checksum: string | null;
	/** Of what it really runs, local changes included. */
	readonly current: string;
	/** From `base` to what it really runs; base 0: from nothing, one operation that holds the whole document. `null`: more than is told. */
	readonly base: number;
	readonly drift: Patch | null;
	/** What a roll-back would go back to; `null`: nothing. */
	readonly previous: number | null;
	readonly trial: ConfigTrial | null;
	readonly last: ConfigOutcome | null;
	/** Settings that the next start brings into force. */
	readonly restartNeeded: readonly string[];
}

/** A gateway lacks the content of what it was offered. */
export interface ConfigWant {
	readonly type: 'want';
	/** `null`: it has the revision, and lacks templates. */
	readonly revision: number | null;
	readonly templates: readonly string[];
}

export type ConfigUp = ConfigState | ConfigWant;

const natural = () => Joi.number().integer().min(0).required();
const instant = () => Joi.number().integer().min(-8.64e15).max(8.64e15).required();
const side = () => Joi.valid('hub', 'gateway');
const pointer = () => Joi.string().max(1_024).allow('').required();
const anything = () => Joi.any().required();
const sentence = () => Joi.string().max(4_000).allow('');

/** Entries of each list of an outcome. */
export const MAX_ENTRIES = 1_000;
const list = (item: Joi.ObjectSchema) => Joi.array().items(item).max(MAX_ENTRIES).required();

const outcome = Joi.object<ConfigOutcome>({
	attempt: natural(),
	revision: natural(),
	outcome: Joi.valid(...OUTCOMES).required(),
	at: instant(),
	reason: sentence().allow(null).required(),
	mistakes: list(Joi.object({ path: pointer(), message: sentence().required() })),
	conflicts: list(
		Joi.object({
			path: pointer(),
			base: anything(),
			gateway: anything(),
			hub: anything(),
			taken: side().allow(null).required(),
		}),
	),
	overwritten: list(Joi.object({ path: pointer(), value: anything() })),
});

const down = {
	order: Joi.object<ConfigOrder>({
		type: Joi.valid('order').required(),
		attempt: natural(),
		kind: Joi.valid('apply', 'roll-back').required(),
		revision: natural(),
		checksum: sha256().required(),
		author: Joi.string().max(320).allow('').required(),
		prefer: side().allow(null).required(),
		decisions: Joi.object().pattern(Joi.string().max(1_024), side()).max(MAX_ENTRIES).required(),
		discardDrift: Joi.boolean().required(),
		trialMs: Joi.number().integer().min(1_000).max(86_400_000).required(),
		requireDevices: Joi.boolean().required(),
	}),
	revision: Joi.object<ConfigRevision>({
		type: Joi.valid('revision').required(),
		revision: natural(),
		document: anything(),
	}),
	template: Joi.object<ConfigTemplate>({
		type: Joi.valid('template').required(),
		sha256: sha256().required(),
		content: anything(),
	}),
	ask: Joi.object<ConfigAsk>({ type: Joi.valid('ask').required() }),
};

const up = {
	state: Joi.object<ConfigState>({
		type: Joi.valid('state').required(),
		revision: natural(),
		checksum: sha256().allow(null).required(),
		current: sha256().required(),
		base: natural(),
		drift: patchSchema.allow(null).required(),
		previous: Joi.number().integer().min(0).allow(null).required(),
		trial: Joi.object({ attempt: natural(), revision: natural(), until: instant() }).allow(null).required(),
		last: outcome.allow(null).required(),
		restartNeeded: Joi.array().items(Joi.string().max(100)).max(100).required(),
	}),
	want: Joi.object<ConfigWant>({
		type: Joi.valid('want').required(),
		revision: Joi.number().integer().min(1).allow(null).required(),
		templates: Joi.array().items(sha256()).max(MAX_ENTRIES).required(),
	}),
};

/** Most bytes of a gateway's word on where it stands; people may have given its devices any amount of metadata. */
const MAX_STATE_BYTES = 1024 * 1024;

const bytesOf = (message: ConfigState): number => Buffer.byteLength(JSON.stringify(message));

/** A state that the link takes: what is too much is left out, and stays at the gateway. */
export function boundedState(state: ConfigState): ConfigState {
	if (bytesOf(state) <= MAX_STATE_BYTES) return state;
	const withoutDrift = { ...state, drift: null };
	if (bytesOf(withoutDrift) <= MAX_STATE_BYTES || state.last === null) return withoutDrift;
	return { ...withoutDrift, last: { ...state.last, conflicts: [], overwritten: [] } };
}

/** Deeper than any configuration, and more values than fit a state. */
const MESSAGE_BOUNDS = { depth: 64, nodes: 1_000_000 };

const STRICT = { abortEarly: true, stripUnknown: true, convert: false } as const;

function parse(payload: Uint8Array, schemas: Readonly<Record<string, Joi.ObjectSchema>>): unknown {
	let raw: unknown;
	try {
		raw = JSON.parse(Buffer.from(payload).toString('utf8'));
	} catch (error) {
		throw new Fault('rule-violation', 'config: not JSON', { cause: error });
	}
	if (!isWithinBounds(raw, MESSAGE_BOUNDS))
		throw new Fault(
			'rule-violation',
			`config: has more than ${MESSAGE_BOUNDS.depth} levels or ${MESSAGE_BOUNDS.nodes} values`,
		);
	const type = typeof raw === 'object' && raw !== null && 'type' in raw ? String(raw.type) : '';
	const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
	if (schema === undefined) throw new Fault('rule-violation', `config: there is no message ${type.slice(0, 40)}`);
	const { value, error }: { value?: unknown; error?: Joi.ValidationError | undefined } = schema.validate(raw, STRICT);
	if (error !== undefined) throw new Fault('rule-violation', `config ${type}: ${error.message}`);
	return value;
}

/** What a hub says. @throws Fault `rule-violation` naming the message, the field and the rule */
export function parseConfigDown(payload: Uint8Array): ConfigDown {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just validated against the schema of its type
	return parse(payload, down) as ConfigDown;
}

/** What a gateway says. @throws Fault `rule-violation` naming the message, the field and the rule */
export function parseConfigUp(payload: Uint8Array): ConfigUp {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just validated against the schema of its type
	return parse(payload, up) as ConfigUp;
}

export const configMessage = (message: ConfigDown | ConfigUp): Buffer => Buffer.from(JSON.stringify(message));
