import Joi from 'joi';

import type {
	ByteOrder,
	CommDefaults,
	Probe,
	ReadFunction,
	TemplateDocument,
	TemplatePoint,
	TemplateSource,
} from './template.ts';

/** Most points of one template: a plant of hundreds of cells, not a program that ran away. */
export const MAX_POINTS = 5000;

const POINT_KEY = /^[a-z][a-z0-9_]{0,127}$/;

const byteOrders: readonly ByteOrder[] = [
	'AB',
	'BA',
	'ABCD',
	'CDAB',
	'BADC',
	'DCBA',
	'ABCDEFGH',
	'GHEFCDAB',
	'BADCFEHG',
	'HGFEDCBA',
];

/** A point as it is written in the file. */
export interface WirePoint {
	readonly key: string;
	readonly name: string;
	readonly function: ReadFunction;
	readonly address: number;
	readonly count: number;
	readonly type: TemplatePoint['type'];
	readonly byte_order: ByteOrder;
	readonly scale: number;
	readonly offset: number;
	readonly unit: string;
	readonly kind: TemplatePoint['kind'];
	readonly access: TemplatePoint['access'];
	readonly invalid: readonly string[];
	readonly enum: Readonly<Record<string, string>> | null;
	readonly min: number | null;
	readonly max: number | null;
}

export interface WireCommDefaults {
	readonly baud_rate: number | null;
	readonly data_bits: CommDefaults['dataBits'];
	readonly parity: CommDefaults['parity'];
	readonly stop_bits: CommDefaults['stopBits'];
	readonly unit_id: number | null;
	readonly tcp_port: number | null;
}

/** The file; its points are looked at one by one. */
export interface WireHeader {
	readonly manufacturer: string;
	readonly model: string;
	readonly variants: readonly string[];
	readonly category: string;
	readonly transports: TemplateDocument['transports'];
	readonly comm_defaults: WireCommDefaults;
	readonly max_registers: number;
	readonly guard_ms: number;
	readonly probe: readonly Probe[];
	readonly sign: TemplateDocument['sign'];
	readonly quirks: readonly string[];
	readonly verification: TemplateDocument['verification'];
	readonly sources: readonly TemplateSource[];
	readonly points: readonly unknown[];
}

const text = Joi.string().max(200);
const sentence = Joi.string().max(1000);
const optionalNumber = Joi.number().allow(null).default(null);

/** One point. Its members alone; what they mean together is in template-rules. */
export const pointSchema = Joi.object<WirePoint>({
	key: Joi.string().pattern(POINT_KEY).required(),
	name: text.required(),
	function: Joi.valid(1, 2, 3, 4).required(),
	address: Joi.number().integer().min(0).max(65_535).required(),
	count: Joi.number().integer().min(1).required(),
	type: Joi.valid(
		'bool',
		'int16',
		'uint16',
		'int32',
		'uint32',
		'int64',
		'uint64',
		'float32',
		'float64',
		'string',
		'bits',
	).required(),
	byte_order: Joi.valid(...byteOrders).when('type', {
		is: 'bool',
		// oxlint-disable-next-line unicorn/no-thenable -- `then` is the word joi uses for the branch
		then: Joi.optional().default('AB'),
		otherwise: Joi.required(),
	}),
	scale: Joi.number().default(1),
	offset: Joi.number().default(0),
	unit: Joi.string().max(20).allow('').default(''),
	kind: Joi.valid('measurement', 'counter', 'state', 'setting').default('measurement'),
	access: Joi.valid('r', 'w', 'rw').default('r'),
	invalid: Joi.array().items(Joi.string().max(500)).max(16).default([]),
	enum: Joi.object()
		.pattern(/^-?\d{1,10}$/, text)
		.max(1000)
		.allow(null)
		.default(null),
	min: optionalNumber,
	max: optionalNumber,
}).required();

const commDefaultsSchema = Joi.object({
	baud_rate: Joi.number().integer().min(300).max(4_000_000).allow(null).default(null),
	data_bits: Joi.valid(7, 8, null).default(null),
	parity: Joi.valid('none', 'even', 'odd', null).default(null),
	stop_bits: Joi.valid(1, 2, null).default(null),
	unit_id: Joi.number().integer().min(0).max(255).allow(null).default(null),
	tcp_port: Joi.number().integer().min(1).max(65_535).allow(null).default(null),
});

/** Everything but the points, of which it only counts how many there are. */
export const headerSchema = Joi.object<WireHeader>({
	manufacturer: text.required(),
	model: text.required(),
	variants: Joi.array().items(text).max(100).default([]),
	category: text.required(),
	transports: Joi.array()
		.items(Joi.valid('rtu', 'tcp', 'ascii'))
		.min(1)
		.max(3)
		.required(),
	comm_defaults: commDefaultsSchema.default(commDefaultsSchema.validate({}).value),
	max_registers: Joi.number().integer().min(1).max(125).default(125),
	guard_ms: Joi.number().min(0).max(10_000).default(0),
	probe: Joi.array()
		.items(
			Joi.object({
				key: Joi.string().required(),
				min: Joi.number().required(),
				max: Joi.number().min(Joi.ref('min')).required(),
			}),
		)
		.max(20)
		.default([]),
	sign: Joi.valid('import', 'export', null).default(null),
	quirks: Joi.array().items(sentence).max(100).default([]),
	verification: Joi.valid('two sources', 'one source', 'unverified').default('unverified'),
	sources: Joi.array()
		.items(Joi.object({ work: text.required(), licence: text.required(), use: text.required() }))
		.max(50)
		.default([]),
	points: Joi.array().min(1).max(MAX_POINTS).required(),
}).required();
