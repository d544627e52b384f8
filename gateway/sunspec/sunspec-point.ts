import type { WirePoint } from '../../config/template/point-form.ts';
import type { RegisterType } from '../../config/template/template.ts';
import type { FieldGroup, SunspecField } from './sunspec-fields.ts';
import type { SunspecPoint } from './sunspec-model.ts';

/** A point as a file has it, without what is as usual. */
export type SunspecWirePoint = Pick<
	WirePoint,
	'key' | 'name' | 'function' | 'address' | 'count' | 'type' | 'byte_order'
> &
	Partial<WirePoint>;

type WireKind = 'measurement' | 'counter' | 'state';

/** What a type of the specification is here. */
interface TypeForm {
	readonly type: RegisterType;
	readonly kind: WireKind;
	/** The pattern for "not implemented" (SunSpec Device Information Model Specification 1.1, section 4.2.1); `null`: it has none. */
	readonly absent: string | null;
}

const form = (type: RegisterType, kind: WireKind, absent: string | null): TypeForm => ({ type, kind, absent });

/** `pad` is no value. An accumulator that stands at 0 says by the specification that it does not count. */
const typeForms: Readonly<Record<string, TypeForm>> = {
	int16: form('int16', 'measurement', '8000'),
	int32: form('int32', 'measurement', '80000000'),
	int64: form('int64', 'measurement', '8000000000000000'),
	uint16: form('uint16', 'measurement', 'FFFF'),
	uint32: form('uint32', 'measurement', 'FFFFFFFF'),
	uint64: form('uint64', 'measurement', 'FFFFFFFFFFFFFFFF'),
	raw16: form('uint16', 'state', null),
	acc16: form('uint16', 'counter', '0000'),
	acc32: form('uint32', 'counter', '00000000'),
	acc64: form('uint64', 'counter', '0000000000000000'),
	float32: form('float32', 'measurement', '7FC00000'),
	float64: form('float64', 'measurement', '7FF8000000000000'),
	enum16: form('uint16', 'state', 'FFFF'),
	enum32: form('uint32', 'state', 'FFFFFFFF'),
	bitfield16: form('bits', 'state', 'FFFF'),
	bitfield32: form('bits', 'state', 'FFFFFFFF'),
	bitfield64: form('bits', 'state', 'FFFFFFFFFFFFFFFF'),
	count: form('uint16', 'state', 'FFFF'),
	sunssf: form('int16', 'state', '8000'),
	ipaddr: form('ipv4', 'state', '00000000'),
	ipv6addr: form('ipv6', 'state', '0'.repeat(32)),
	eui48: form('eui48', 'state', '0000FFFFFFFFFFFF'),
	string: form('string', 'state', null),
};

/** Patterns that makers send for "not implemented" beside those of the specification, by type. */
const ownPatterns: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>> = new Map([
	[
		'SMA',
		{
			uint16: ['8000'],
			uint32: ['80000000'],
			bitfield32: ['8000FFFF'],
			eui48: ['0000000000000000'],
		},
	],
]);

/** Units as the rest of the product writes them; the empty ones are no units. */
const units: Readonly<Record<string, string>> = {
	C: 'degC',
	Degrees: 'deg',
	Secs: 's',
	S: 's',
	mSecs: 'ms',
	Pct: '%',
	WMaxPct: '% WMax',
	VarPct: '% VarMax',
	VNomPct: '% VNom',
	PF: '',
	'cos()': '',
	Var: 'var',
	Varh: 'varh',
	AH: 'Ah',
	WH: 'Wh',
	Vm: 'V/m',
	HPa: 'hPa',
	mps: 'm/s',
	kO: 'kohm',
	ohms: 'ohm',
	DeptRef: '',
	YYYYMMDD: '',
	hhmmss: '',
};

const MAX_UNIT = 20;
const MAX_NAME = 200;
const MAX_ENUM_TEXT = 100;
const byteOrders: Readonly<Record<number, string>> = { 1: 'AB', 2: 'ABCD', 4: 'ABCDEFGH' };
const BLOCK_TYPES: ReadonlySet<RegisterType> = new Set(['string', 'eui48', 'ipv6']);

/** Points that say where the models are. */
const HEADER_POINTS: ReadonlySet<string> = new Set(['ID', 'L']);

const word = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');

const stepOf = ({ name, number }: FieldGroup): string => `${word(name)}_${number === null ? '' : `${number}_`}`;

/** `m103_w`, `m160_module_2_dcw`: the model, its groups, and the point by the name in the definition. */
export const fieldKey = (modelKey: string, { path, point }: SunspecField): string =>
	`${modelKey}_${path.map(stepOf).join('')}${word(point.name)}`;

function fieldName({ path, point }: SunspecField): string {
	const groups = path.map(({ label, number }) => `${label}${number === null ? '' : ` ${number}`}: `).join('');
	return `${groups}${point.label ?? point.name}`.trim().slice(0, MAX_NAME);
}

/** Texts of an enumeration, or of the bits that the type has. */
function textsOf({ symbols, size, type }: SunspecPoint): Readonly<Record<string, string>> | undefined {
	const isBits = type.startsWith('bitfield');
	const known = (symbols ?? []).filter(({ value }) => !isBits || (value >= 0 && value < 16 * size));
	if (known.length === 0) return undefined;
	return Object.fromEntries(
		known.map(({ name, value, label }) => [String(value), (label ?? name).slice(0, MAX_ENUM_TEXT)]),
	);
}

const unitOf = ({ units: unit = '' }: SunspecPoint): string =>
	((Object.hasOwn(units, unit) ? units[unit] : undefined) ?? unit).trim().slice(0, MAX_UNIT);

const absentPatterns = ({ type }: SunspecPoint, { absent }: TypeForm, maker: string): readonly string[] => [
	...(absent === null ? [] : [absent]),
	...(ownPatterns.get(maker)?.[type] ?? []),
];

/** Settings are what can be written; what never changes is read once, and the headers only when somebody asks. */
function useOf(
	{ point, path }: SunspecField,
	{ kind }: TypeForm,
): Partial<Pick<WirePoint, 'kind' | 'access' | 'poll'>> {
	if (path.length === 0 && HEADER_POINTS.has(point.name)) return { kind: 'state', poll: 'on-demand' };
	if (point.access === 'RW') return { kind: 'setting', access: 'rw' };
	const isFixed = point.static === 'S' && point.type !== 'sunssf';
	return { kind: isFixed && kind === 'measurement' ? 'state' : kind, ...(isFixed ? { poll: 'once' as const } : {}) };
}

/**
 * A point of a template for a field of a model; `null`: the field has no value of its own, or none that is known.
 * @param maker manufacturer by the common model
 */
export function sunspecPoint(field: SunspecField, modelKey: string, maker: string): SunspecWirePoint | null {
	const { point, address, scaleFactor } = field;
	const typeForm = Object.hasOwn(typeForms, point.type) ? typeForms[point.type] : undefined;
	if (typeForm === undefined || scaleFactor === undefined) return null;
	const { type } = typeForm;
	const invalid = absentPatterns(point, typeForm, maker);
	const texts = textsOf(point);
	const unit = unitOf(point);
	return {
		key: fieldKey(modelKey, field),
		name: fieldName(field),
		function: 3,
		address,
		count: point.size,
		type,
		byte_order: BLOCK_TYPES.has(type) ? 'AB' : (byteOrders[point.size] ?? 'AB'),
		...(typeof point.sf === 'number' ? { scale: 10 ** point.sf } : {}),
		...(unit === '' || type === 'bits' ? {} : { unit }),
		...useOf(field, typeForm),
		...(invalid.length === 0 ? {} : { invalid }),
		...(texts === undefined ? {} : { enum: texts }),
		...(scaleFactor === null ? {} : { scale_factor: fieldKey(modelKey, scaleFactor) }),
		group: modelKey,
	};
}
