import Joi from 'joi';

import { membersRenamed } from '../tree.ts';
import { isPermutation, REGISTER_TYPES } from './register-types.ts';
import type { TemplatePoint } from './template.ts';

/** Members whose name in the file is another one. */
const WIRE_NAMES = {
	functionCode: 'function',
	byteOrder: 'byte_order',
	scaleFactor: 'scale_factor',
	maxStep: 'max_step',
	turnsAt: 'turns_at',
	enumLabels: 'enum_labels',
} as const satisfies Partial<Record<keyof TemplatePoint, string>>;

type WireName<Key> = Key extends keyof typeof WIRE_NAMES ? (typeof WIRE_NAMES)[Key] : Key;

/** A point as it is written in the file. */
export type WirePoint = { readonly [Key in keyof TemplatePoint as WireName<Key>]: TemplatePoint[Key] };

const wireNames: ReadonlyMap<string, string> = new Map(Object.entries(WIRE_NAMES));
const names: ReadonlyMap<string, string> = new Map(Object.entries(WIRE_NAMES).map(([name, wire]) => [wire, name]));

/** A point in the words of the program. */
export const toPoint = (wire: WirePoint): TemplatePoint =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WirePoint` is this renaming, in types
	membersRenamed(wire, (name) => names.get(name) ?? name) as TemplatePoint;

/** A point in the words of the file. */
export const toWirePoint = (point: TemplatePoint): WirePoint =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WirePoint` is this renaming, in types
	membersRenamed(point, (name) => wireNames.get(name) ?? name) as WirePoint;

const POINT_KEY = /^[a-z][a-z0-9_]{0,127}$/;
/** Names of groups, options and write blocks. */
const WORD = /^[a-z][a-z0-9_]{0,31}$/;
const HEX = /^[0-9A-Fa-f]*$/;
const MAX_DECIMALS = 12;
const MAX_CHOICES = 100;
const MAX_CONDITIONS = 10;

export const text = (): Joi.StringSchema => Joi.string().max(200);
export const word = (): Joi.StringSchema => Joi.string().pattern(WORD);

/** The same words in other languages. */
export const labels = (): Joi.ObjectSchema => Joi.object({ ko: text(), tr: text() });

/** What an option of a template may hold. */
export const optionValue = (): Joi.Schema =>
	Joi.alternatives(Joi.boolean(), Joi.number(), Joi.string().max(64).allow(''));

const byteOrder = Joi.string().custom((order: string, helpers) =>
	isPermutation(order) && [2, 4, 8].includes(order.length) ? order : helpers.error('order.letters'),
);

const enumTexts = (): Joi.ObjectSchema =>
	Joi.object()
		.pattern(/^-?\d{1,10}$/, text())
		.max(1000);

const whole = (min: number, max: number): Joi.NumberSchema => Joi.number().integer().min(min).max(max);

const writeRule = Joi.object({
	function: Joi.valid(5, 6, 15, 16, 22, 23),
	address: whole(0, 65_535),
	min: Joi.number(),
	max: Joi.number(),
	step: Joi.number().greater(0),
	block: word(),
	verify: Joi.boolean(),
	limit: Joi.object({ writes: whole(1, 100).required(), seconds: whole(1, 86_400).required() }),
	revert: Joi.object({
		value: Joi.alternatives(Joi.number(), Joi.boolean(), Joi.string().max(250)).required(),
		seconds: whole(5, 900).required(),
	}),
});

const condition = Joi.object({
	option: word().required(),
	is: Joi.array().items(optionValue()).min(1).max(MAX_CHOICES).required(),
});

/** What a point has that says nothing else. */
const USUAL = {
	scale: 1,
	offset: 0,
	unit: '',
	kind: 'measurement',
	access: 'r',
	invalid: [],
	enum: null,
	min: null,
	max: null,
} as const satisfies Partial<WirePoint>;

/** The byte order of points that are one bit and have none. */
const NO_BYTES = 'AB';

const usual: readonly (readonly [string, unknown])[] = Object.entries({ byteOrder: NO_BYTES, ...USUAL });

/** A point of a file that is known to be sound, unchecked: what `toPoint` makes of what `pointSchema` makes of it. */
export function toProvenPoint(sound: object): TemplatePoint {
	const point: Record<string, unknown> = {};
	for (const [name, value] of Object.entries(sound)) point[names.get(name) ?? name] = value;
	for (const [name, value] of usual) point[name] ??= value;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller has proof that it is a sound point
	return point as unknown as TemplatePoint;
}

/** One point. Its members alone; what they mean together is in template-rules. */
export const pointSchema = Joi.object<WirePoint>({
	key: Joi.string().pattern(POINT_KEY).required(),
	name: text().required(),
	function: Joi.valid(1, 2, 3, 4).required(),
	address: whole(0, 65_535).required(),
	count: Joi.number().integer().min(1).required(),
	type: Joi.valid(...REGISTER_TYPES).required(),
	byte_order: byteOrder.when('type', {
		is: 'bool',
		// oxlint-disable-next-line unicorn/no-thenable -- `then` is the word joi uses for the branch
		then: Joi.optional().default(NO_BYTES),
		otherwise: Joi.required(),
	}),
	scale: Joi.number().default(USUAL.scale),
	offset: Joi.number().default(USUAL.offset),
	unit: Joi.string().max(20).allow('').default(USUAL.unit),
	kind: Joi.valid('measurement', 'counter', 'state', 'setting').default(USUAL.kind),
	access: Joi.valid('r', 'w', 'rw').default(USUAL.access),
	invalid: Joi.array().items(Joi.string().max(500)).max(16).default(USUAL.invalid),
	enum: enumTexts().allow(null).default(USUAL.enum),
	min: Joi.number().allow(null).default(USUAL.min),
	max: Joi.number().allow(null).default(USUAL.max),
	bit: whole(0, 15),
	slice: Joi.object({ first: whole(0, 63).required(), count: whole(1, 64).required() }),
	mask: Joi.string().pattern(HEX).max(16),
	scale_factor: Joi.string().pattern(POINT_KEY),
	precision: whole(0, MAX_DECIMALS),
	zone: Joi.valid('utc', 'local'),
	max_step: Joi.number().greater(0),
	turns_at: Joi.number().greater(0),
	resets: Joi.boolean(),
	poll: Joi.valid('fast', 'normal', 'slow', 'once', 'on-demand'),
	group: word(),
	when: Joi.array().items(condition).min(1).max(MAX_CONDITIONS),
	labels: labels(),
	enum_labels: Joi.object({ ko: enumTexts(), tr: enumTexts() }),
	write: writeRule,
})
	.required()
	.messages({ 'order.letters': 'must be an order of AB, ABCD or ABCDEFGH, each letter once' });
