// oxlint-disable unicorn/no-thenable -- joi writes its conditions with a key named `then`
import Joi from 'joi';
import { parse, YAMLParseError } from 'yaml';

import { SettingsFault, type SettingsMistake } from '../../config/settings-fault.ts';
import type { LineFault } from './line-fault.ts';
import type { FaultCondition, Scenario, Span } from './scenario.ts';

const MOST_RULES = 1000;
const MOST_MS = 600_000;

interface WireFault {
	readonly fault: LineFault['kind'];
	readonly delay_ms: number;
	readonly pause_ms: number;
	readonly bytes: number;
	readonly sizes: readonly number[];
	readonly code: number;
	readonly hex?: string;
}

type WireSpan = number | readonly [number, number];

interface WireRule {
	readonly when: Readonly<Partial<Record<'request' | 'unit' | 'function' | 'address' | 'seconds', WireSpan>>> & {
		readonly every?: number;
	};
	readonly do: WireFault;
	readonly times?: number;
}

const ms = () => Joi.number().min(0).max(MOST_MS);

/** Members of each fault; those that have none are only named. */
const members: Readonly<Record<LineFault['kind'], Joi.SchemaMap>> = {
	late: { delay_ms: ms().required() },
	silent: {},
	'wrong-check': {},
	truncated: { bytes: Joi.number().integer().min(0).max(260).default(4) },
	split: {
		sizes: Joi.array().items(Joi.number().integer().min(1).max(260)).min(1).max(64).required(),
		pause_ms: ms().default(20),
	},
	slow: { pause_ms: ms().default(5) },
	exception: { code: Joi.number().integer().min(1).max(255).required() },
	foreign: { hex: Joi.string().hex({ byteAligned: true }).max(1024) },
	noise: { hex: Joi.string().hex({ byteAligned: true }).max(1024).default('00ff') },
	echo: {},
	duplicate: { pause_ms: ms().default(0) },
	'wrong-unit': {},
	'wrong-function': {},
	'wrong-transaction': {},
	reset: {},
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record are its keys
const kinds = Object.keys(members) as readonly LineFault['kind'][];

const kindSchema = Joi.string().valid(...kinds);

const faultSchema = Joi.alternatives().conditional('.fault', {
	switch: kinds.map((kind) => ({ is: kind, then: Joi.object({ fault: kindSchema.required(), ...members[kind] }) })),
	otherwise: Joi.object({ fault: kindSchema.required() }).unknown(),
});

/** One value, or the first and the last. */
const span = (least: number, most: number, isWhole = true) => {
	const value = isWhole ? Joi.number().integer() : Joi.number();
	const bound = value.min(least).max(most);
	return Joi.alternatives(
		bound,
		Joi.array().ordered(bound.required(), bound.required()).length(2).sort({ order: 'ascending' }),
	);
};

const scenarioSchema = Joi.array()
	.items(
		Joi.object({
			when: Joi.object({
				request: span(1, Number.MAX_SAFE_INTEGER),
				every: Joi.number().integer().min(1).max(1_000_000),
				unit: span(0, 255),
				function: span(1, 127),
				address: span(0, 65_535),
				seconds: span(0, 1e9, false),
			}).default({}),
			do: faultSchema.required(),
			times: Joi.number().integer().min(1),
		}),
	)
	.max(MOST_RULES)
	.required();

const spanOf = (wire: WireSpan): Span =>
	typeof wire === 'number' ? { from: wire, to: wire } : { from: wire[0], to: wire[1] };

function conditionOf({ every, ...spans }: WireRule['when']): FaultCondition {
	const named = Object.entries(spans).map(([name, wire]) => [name, spanOf(wire)]);
	return { ...Object.fromEntries(named), ...(every !== undefined && { every }) };
}

/** A fault that is told by its name alone. */
type BareKind = { [F in LineFault as F['kind']]: keyof F extends 'kind' ? F['kind'] : never }[LineFault['kind']];

const bare = (kind: BareKind) => (): LineFault => ({ kind });

const faults: { readonly [Kind in LineFault['kind']]: (wire: WireFault) => LineFault } = {
	late: ({ delay_ms: delayMs }) => ({ kind: 'late', delayMs }),
	silent: bare('silent'),
	'wrong-check': bare('wrong-check'),
	truncated: ({ bytes }) => ({ kind: 'truncated', bytes }),
	split: ({ sizes, pause_ms: pauseMs }) => ({ kind: 'split', sizes, pauseMs }),
	slow: ({ pause_ms: pauseMs }) => ({ kind: 'slow', pauseMs }),
	exception: ({ code }) => ({ kind: 'exception', code }),
	foreign: ({ hex }) => ({ kind: 'foreign', bytes: hex === undefined ? null : Buffer.from(hex, 'hex') }),
	noise: ({ hex = '' }) => ({ kind: 'noise', bytes: Buffer.from(hex, 'hex') }),
	echo: bare('echo'),
	duplicate: ({ pause_ms: pauseMs }) => ({ kind: 'duplicate', pauseMs }),
	'wrong-unit': bare('wrong-unit'),
	'wrong-function': bare('wrong-function'),
	'wrong-transaction': bare('wrong-transaction'),
	reset: bare('reset'),
};

const placeOf = (path: readonly (string | number)[]): string =>
	path.map((step, depth) => (typeof step === 'number' ? `[${step}]` : `${depth === 0 ? '' : '.'}${step}`)).join('');

function parsed(text: string): unknown {
	try {
		return parse(text);
	} catch (error) {
		if (!(error instanceof YAMLParseError)) throw error;
		throw new SettingsFault([
			{ path: `line ${error.linePos?.[0].line ?? 1}`, message: error.message.split('\n')[0] ?? '' },
		]);
	}
}

/**
 * Reads a scenario in YAML or JSON: a list of `{when, do, times}`.
 * @throws SettingsFault with every mistake and its place, e.g. `[2].do.delay_ms`
 */
export function parseScenario(text: string): Scenario {
	const { value, error } = scenarioSchema.validate(parsed(text), {
		abortEarly: false,
		convert: false,
		errors: { label: false },
	});
	if (error !== undefined) {
		throw new SettingsFault(
			error.details.map(({ path, message }): SettingsMistake => ({ path: placeOf(path) || 'scenario', message })),
		);
	}
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema says so
	const rules = value as readonly WireRule[];
	return {
		rules: rules.map(({ when, do: fault, times }) => ({
			when: conditionOf(when),
			fault: faults[fault.fault](fault),
			times: times ?? null,
		})),
	};
}
