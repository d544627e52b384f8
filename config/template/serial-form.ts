import Joi from 'joi';

import { pointSchema, type WirePoint } from './point-form.ts';
import { bytesOf } from './serial-bytes.ts';
import type { ChecksumRule, CsvRecord, FrameSpan, LengthType, TextForm } from './serial-format.ts';
import { headerSchema, type WireHeader } from './template-form.ts';
import type { RegisterType } from './template.ts';

/** Most points of one serial device. */
const MAX_POINTS = 500;
/** Longest frame, bytes: a full DSMR telegram is half of it. */
const MOST_FRAME_BYTES = 8192;
const USUAL_FRAME_BYTES = 1024;
const MAX_RECORDS = 50;
const MAX_CODES = 100;
const MAX_COLUMN = 500;

interface WireFraming {
	readonly by: 'delimiter' | 'length' | 'length-field' | 'gap';
	readonly start: string;
	readonly end?: string;
	readonly after?: number;
	readonly length?: number;
	readonly at?: number;
	readonly type?: LengthType;
	readonly plus?: number;
	readonly gap_ms?: number;
	readonly max: number;
}

export interface WireRecord {
	readonly name: string;
	readonly is?: string;
	readonly ends_with?: string;
	readonly valid?: NonNullable<CsvRecord['valid']>;
}

interface WireLayout {
	readonly kind: 'regex' | 'csv' | 'key-value' | 'obis' | 'binary';
	readonly pattern?: string;
	readonly separator?: string;
	readonly assign?: string;
	readonly records?: readonly WireRecord[];
}

/** The file of a serial template; its points are looked at one by one. */
export interface WireSerialHeader extends WireHeader {
	readonly kind: 'serial';
	readonly framing: WireFraming;
	readonly checksum?: Omit<ChecksumRule, 'mark'> & { readonly mark?: string };
	readonly payload?: FrameSpan;
	readonly request?: string;
	readonly layout: WireLayout;
}

/** A point of a serial template as it is written in the file. */
export interface WireSerialPoint extends Omit<WirePoint, 'type' | 'byte_order'> {
	readonly form: TextForm;
	readonly codes?: Readonly<Record<string, number>>;
	readonly field?: string;
	readonly record?: string;
	readonly column?: number;
	readonly sign?: { readonly column: number; readonly negative: readonly string[] };
	readonly code?: string;
	readonly mbus?: number;
	readonly value?: number;
	readonly at?: number;
	readonly length?: number;
	readonly type?: RegisterType | 'uint8' | 'int8';
	readonly byte_order?: string;
}

const whole = (min: number, max: number): Joi.NumberSchema => Joi.number().integer().min(min).max(max);

const mark = (): Joi.StringSchema =>
	Joi.string()
		.max(64)
		.custom((written: string, helpers) => {
			const bytes = bytesOf(written);
			return bytes === null || bytes.length === 0 ? helpers.error('bytes.form') : written;
		})
		.messages({ 'bytes.form': 'must be printable ASCII with the escapes \\r \\n \\t \\0 \\\\ \\xHH' });

const place = (): Joi.NumberSchema => whole(-MOST_FRAME_BYTES, MOST_FRAME_BYTES);
const span = (): Joi.ObjectSchema => Joi.object({ from: place().required(), to: place().required() });
const column = (): Joi.NumberSchema => whole(0, MAX_COLUMN);
const words = (): Joi.ArraySchema => Joi.array().items(Joi.string().max(64)).min(1).max(20);

const limits = {
	start: mark().allow('').default(''),
	max: whole(1, MOST_FRAME_BYTES).default(USUAL_FRAME_BYTES),
	gap_ms: whole(1, 60_000),
};

const framings = {
	delimiter: { end: mark().required(), after: whole(0, 64).default(0) },
	length: { length: whole(1, MOST_FRAME_BYTES).required() },
	'length-field': {
		at: whole(0, 64).required(),
		type: Joi.valid('uint8', 'uint16', 'uint16le').default('uint8'),
		plus: whole(0, 64).default(0),
	},
	gap: { gap_ms: limits.gap_ms.required() },
} as const;

/** One form for each name of the member `name`. */
function oneOf(name: string, forms: Readonly<Record<string, Joi.SchemaMap>>, common: Joi.SchemaMap): Joi.Schema {
	const kinds = Object.keys(forms);
	return Joi.alternatives().conditional(`.${name}`, {
		switch: Object.entries(forms).map(([kind, members]) => ({
			is: kind,
			// oxlint-disable-next-line unicorn/no-thenable -- `then` is the word joi uses for the branch
			then: Joi.object({ [name]: Joi.valid(kind).required(), ...common, ...members }),
		})),
		otherwise: Joi.object({ [name]: Joi.valid(...kinds).required() }).unknown(),
	});
}

const checksum = Joi.object({
	type: Joi.valid(
		'xor',
		'sum8',
		'sum16',
		'lrc',
		'crc16-modbus',
		'crc16-arc',
		'crc16-ccitt',
		'crc16-xmodem',
		'crc16-x25',
		'crc32',
	).required(),
	mark: mark(),
	at: place().required(),
	notation: Joi.valid('binary', 'hex').default('binary'),
	order: Joi.valid('big', 'little').default('big'),
	covers: span().required(),
});

const record = Joi.object({
	name: Joi.string().max(32).required(),
	is: Joi.string().max(64),
	ends_with: Joi.string().max(64),
	valid: Joi.object({ column: column().required(), is: words().required() }),
}).xor('is', 'ends_with');

const separator = (): Joi.StringSchema => Joi.string().min(1).max(4);

const layouts = {
	regex: { pattern: Joi.string().min(1).max(1_000).required() },
	csv: {
		separator: separator().default(','),
		records: Joi.array().items(record).unique('name').max(MAX_RECORDS).default([]),
	},
	'key-value': { separator: separator().default(','), assign: separator().default('=') },
	obis: {},
	binary: {},
} as const;

const kinds: readonly WireLayout['kind'][] = ['regex', 'csv', 'key-value', 'obis', 'binary'];

const forbidden = Joi.forbidden();

/** Everything but the points. */
export const serialHeaderSchema: Joi.ObjectSchema<WireSerialHeader> =
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- joi keeps the type of what it extends
	(headerSchema as unknown as Joi.ObjectSchema<WireSerialHeader>)
		.keys({
			kind: Joi.valid('serial').required(),
			transports: Joi.array().items(Joi.valid('serial', 'socket')).min(1).max(2).default(['serial', 'socket']),
			max_registers: forbidden,
			max_bits: forbidden,
			guard_ms: forbidden,
			holes: forbidden,
			all_ff_is_absent: forbidden,
			probe: forbidden,
			framing: oneOf('by', framings, limits).required(),
			checksum,
			payload: span(),
			request: mark(),
			layout: oneOf('kind', layouts, {}).required(),
			points: Joi.array().min(1).max(MAX_POINTS).required(),
		})
		.required();

const meaning = {
	form: Joi.valid('number', 'text', 'angle', 'dsmr_time').default('number'),
	codes: Joi.object().pattern(Joi.string().max(64), Joi.number().integer()).max(MAX_CODES),
	type: forbidden,
	byte_order: forbidden,
};

/** What bytes may be: one byte, or what registers hold too. */
const BYTE_TYPES =
	'uint8 int8 bit int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 bcd16 bcd32 bcd64 string raw time_unix32 time_unix64 time_unix64ms'.split(
		' ',
	);

/** Members that say where the value is, by the kind of the layout. */
const places: Readonly<Record<WireLayout['kind'], Joi.SchemaMap>> = {
	regex: { field: Joi.string().max(64).required(), ...meaning },
	'key-value': { field: Joi.string().max(64).required(), ...meaning },
	csv: {
		record: Joi.string().max(32).default(''),
		column: column().required(),
		sign: Joi.object({ column: column().required(), negative: words().required() }),
		...meaning,
	},
	obis: {
		code: Joi.string()
			.pattern(/^[0-9A-Za-z.:-]{1,32}$/)
			.required(),
		mbus: whole(0, 255),
		value: whole(0, 20).default(0),
		...meaning,
	},
	binary: {
		at: whole(0, MOST_FRAME_BYTES).required(),
		length: whole(1, MOST_FRAME_BYTES),
		type: Joi.valid(...BYTE_TYPES).required(),
		byte_order: Joi.string().max(8),
	},
};

/** The kind of the layout of a raw template; `null`: it has none that is known. */
export function layoutKindOf(raw: object): WireLayout['kind'] | null {
	const layout = 'layout' in raw ? raw.layout : null;
	const kind = typeof layout === 'object' && layout !== null && 'kind' in layout ? layout.kind : null;
	return kinds.find((each) => each === kind) ?? null;
}

/** One point of a template with this layout. Its members alone; what they mean together is in serial-rules. */
export const serialPointSchema = (layout: WireLayout['kind']): Joi.ObjectSchema<WireSerialPoint> =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- joi keeps the type of what it extends
	(pointSchema as unknown as Joi.ObjectSchema<WireSerialPoint>)
		.keys({
			function: forbidden,
			address: forbidden,
			count: forbidden,
			scale_factor: forbidden,
			zone: forbidden,
			write: forbidden,
			poll: forbidden,
			access: Joi.valid('r').default('r'),
			...places[layout],
		})
		.required();
