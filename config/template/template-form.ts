import Joi from 'joi';

import { labels, optionValue, text, word } from './point-form.ts';
import type {
	CommDefaults,
	PointGroup,
	Probe,
	ReadFunction,
	TemplateDocument,
	TemplateSource,
	TemplateVariable,
} from './template.ts';

/** Most points of one template: a plant of hundreds of cells, not a program that ran away. */
export const MAX_POINTS = 5000;

export interface WireCommDefaults {
	readonly baud_rate: number | null;
	readonly data_bits: CommDefaults['dataBits'];
	readonly parity: CommDefaults['parity'];
	readonly stop_bits: CommDefaults['stopBits'];
	readonly unit_id: number | null;
	readonly tcp_port: number | null;
}

export interface WireHole {
	readonly function: ReadFunction;
	readonly first: number;
	readonly last: number;
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
	readonly max_bits?: number;
	readonly guard_ms: number;
	readonly holes?: readonly WireHole[];
	readonly all_ff_is_absent?: boolean;
	readonly options?: readonly TemplateVariable[];
	readonly groups?: readonly PointGroup[];
	readonly probe: readonly Probe[];
	readonly sign: TemplateDocument['sign'];
	readonly quirks: readonly string[];
	readonly verification: TemplateDocument['verification'];
	readonly sources: readonly TemplateSource[];
	readonly points: readonly unknown[];
	/** For editors. */
	readonly $schema?: string;
}

const sentence = Joi.string().max(1000);

/** Nothing is known of how the device comes. */
const NOT_KNOWN: WireCommDefaults = {
	baud_rate: null,
	data_bits: null,
	parity: null,
	stop_bits: null,
	unit_id: null,
	tcp_port: null,
};

/** What a template has that says nothing else. */
const USUAL = {
	variants: [],
	comm_defaults: NOT_KNOWN,
	max_registers: 125,
	guard_ms: 0,
	probe: [],
	sign: null,
	quirks: [],
	verification: 'unverified',
	sources: [],
} as const satisfies Partial<WireHeader>;

/** The header of a file that is known to be sound, unchecked: what `headerSchema` makes of it. */
export function provenHeader(sound: object): WireHeader {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller has proof that it is a sound template
	const header = { ...USUAL, ...sound } as unknown as WireHeader;
	return { ...header, comm_defaults: { ...NOT_KNOWN, ...header.comm_defaults } };
}

const commDefaultsSchema = Joi.object({
	baud_rate: Joi.number().integer().min(300).max(4_000_000).allow(null).default(null),
	data_bits: Joi.valid(7, 8, null).default(null),
	parity: Joi.valid('none', 'even', 'odd', null).default(null),
	stop_bits: Joi.valid(1, 2, null).default(null),
	unit_id: Joi.number().integer().min(0).max(255).allow(null).default(null),
	tcp_port: Joi.number().integer().min(1).max(65_535).allow(null).default(null),
});

const optionSchema = Joi.object({
	name: word().required(),
	label: text().required(),
	labels: labels(),
	type: Joi.valid('boolean', 'number', 'text').required(),
	default: optionValue().required(),
	choices: Joi.array()
		.items(Joi.object({ value: optionValue().required(), label: text().required(), labels: labels() }))
		.unique('value')
		.min(1)
		.max(100),
});

const groupSchema = Joi.object({ key: word().required(), name: text().required(), labels: labels() });

const address = () => Joi.number().integer().min(0).max(65_535).required();

const holeSchema = Joi.object({
	function: Joi.valid(1, 2, 3, 4).required(),
	first: address(),
	last: address().min(Joi.ref('first')),
});

/** Everything but the points, of which it only counts how many there are. */
export const headerSchema = Joi.object<WireHeader>({
	$schema: Joi.string().max(500).strip(),
	manufacturer: text().required(),
	model: text().required(),
	variants: Joi.array().items(text()).max(100).default(USUAL.variants),
	category: text().required(),
	transports: Joi.array()
		.items(Joi.valid('rtu', 'tcp', 'ascii'))
		.min(1)
		.max(3)
		.required(),
	comm_defaults: commDefaultsSchema.default(USUAL.comm_defaults),
	max_registers: Joi.number().integer().min(1).max(125).default(USUAL.max_registers),
	max_bits: Joi.number().integer().min(1).max(2_000),
	guard_ms: Joi.number().min(0).max(10_000).default(USUAL.guard_ms),
	holes: Joi.array().items(holeSchema).max(1_000),
	all_ff_is_absent: Joi.boolean(),
	options: Joi.array().items(optionSchema).unique('name').max(50),
	groups: Joi.array().items(groupSchema).unique('key').max(200),
	probe: Joi.array()
		.items(
			Joi.object({
				key: Joi.string().required(),
				min: Joi.number(),
				max: Joi.number().min(Joi.ref('min')),
				is: Joi.array().items(Joi.number(), Joi.string().min(1).max(100)).min(1).max(100),
			})
				.and('min', 'max')
				.xor('min', 'is'),
		)
		.max(20)
		.default(USUAL.probe),
	sign: Joi.valid('import', 'export', null).default(USUAL.sign),
	quirks: Joi.array().items(sentence).max(100).default(USUAL.quirks),
	verification: Joi.valid('two sources', 'one source', 'unverified').default(USUAL.verification),
	sources: Joi.array()
		.items(Joi.object({ work: text().required(), licence: text().required(), use: text().required() }))
		.max(50)
		.default(USUAL.sources),
	points: Joi.array().min(1).max(MAX_POINTS).required(),
}).required();
