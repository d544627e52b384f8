import Joi from 'joi';

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

/** A change of a point as it is written in the file of a site. */
export type WireChange = Pick<WirePoint, 'key'> & Partial<WirePoint>;

const wireNameOf: ReadonlyMap<string, string> = new Map(Object.entries(WIRE_NAMES));
const nameOf: ReadonlyMap<string, string> = new Map(Object.entries(WIRE_NAMES).map(([name, wire]) => [wire, name]));

const renamed = (value: object, names: ReadonlyMap<string, string>): object =>
	Object.fromEntries(Object.entries(value).map(([name, each]) => [names.get(name) ?? name, each as unknown]));

/** A point in the words of the program. */
export const toPoint = (wire: WirePoint): TemplatePoint =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WirePoint` is this renaming, in types
	renamed(wire, nameOf) as TemplatePoint;

/** A change in the words of the program. */
export const toPointChange = (wire: WireChange): Pick<TemplatePoint, 'key'> & Partial<TemplatePoint> =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WireChange` is this renaming, in types
	renamed(wire, nameOf) as Pick<TemplatePoint, 'key'> & Partial<TemplatePoint>;

/** A point in the words of the file. */
export const toWirePoint = (point: TemplatePoint): WirePoint =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WirePoint` is this renaming, in types
	renamed(point, wireNameOf) as WirePoint;

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
});

const condition = Joi.object({
	option: word().required(),
	is: Joi.array().items(optionValue()).min(1).max(MAX_CHOICES).required(),
});

/** Members that a point has to have, and those that have a default. */
const required = {
	name: text(),
	function: Joi.valid(1, 2, 3, 4),
	address: whole(0, 65_535),
	count: Joi.number().integer().min(1),
	type: Joi.valid(...REGISTER_TYPES),
};

const defaulted = {
	scale: { form: Joi.number(), usual: 1 },
	offset: { form: Joi.number(), usual: 0 },
	unit: { form: Joi.string().max(20).allow(''), usual: '' },
	kind: { form: Joi.valid('measurement', 'counter', 'state', 'setting'), usual: 'measurement' },
	access: { form: Joi.valid('r', 'w', 'rw'), usual: 'r' },
	invalid: { form: Joi.array().items(Joi.string().max(500)).max(16), usual: [] },
	enum: { form: enumTexts().allow(null), usual: null },
	min: { form: Joi.number().allow(null), usual: null },
	max: { form: Joi.number().allow(null), usual: null },
} as const;

const optional = {
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
};

const messages = { 'order.letters': 'must be an order of AB, ABCD or ABCDEFGH, each letter once; found {{#value}}' };

const key = Joi.string().pattern(POINT_KEY).required();

/** One point. Its members alone; what they mean together is in template-rules. */
export const pointSchema = Joi.object<WirePoint>({
	key,
	...Object.fromEntries(Object.entries(required).map(([name, form]) => [name, form.required()])),
	...Object.fromEntries(Object.entries(defaulted).map(([name, { form, usual }]) => [name, form.default(usual)])),
	...optional,
	byte_order: byteOrder.when('type', {
		is: 'bool',
		// oxlint-disable-next-line unicorn/no-thenable -- `then` is the word joi uses for the branch
		then: Joi.optional().default('AB'),
		otherwise: Joi.required(),
	}),
})
	.required()
	.messages(messages);

/** A point in the file of a site: only what it changes, unless it is new. */
export const pointChangeSchema = Joi.object<WireChange>({
	key,
	...required,
	...Object.fromEntries(Object.entries(defaulted).map(([name, { form }]) => [name, form])),
	...optional,
	byte_order: byteOrder,
})
	.required()
	.messages(messages);
