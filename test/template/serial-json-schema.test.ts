import { readdirSync, readFileSync } from 'node:fs';

import test from 'ava';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';

import { serialHeaderSchema, serialPointSchema } from '../../config/template/serial-form.ts';
import { isSerialTemplate } from '../../config/template/serial-template-schema.ts';
import { templateFile } from '../../config/template/template-file.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';

const folder = new URL('../../../config/template/', import.meta.url);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this repository
const readJson = (name: string): object => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as object;

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(readJson('template.schema.json'), 'template.schema.json');
const agrees = ajv.compile(readJson('serial-template.schema.json'));

const options = { abortEarly: false, convert: false } as const;

type Wire = Readonly<Record<string, unknown>>;
type Kind = 'regex' | 'csv' | 'key-value' | 'obis' | 'binary';

const header: Wire = {
	$schema: './serial-template.schema.json',
	kind: 'serial',
	manufacturer: 'Acme',
	model: 'Gauge 1',
	variants: ['Gauge 1b'],
	category: 'level sensor',
	transports: ['serial', 'socket'],
	comm_defaults: { baud_rate: 9600, data_bits: 8, parity: 'even', stop_bits: 1 },
	options: [{ name: 'unit', label: 'Unit', type: 'text', default: 'm' }],
	groups: [{ key: 'tank', name: 'Tank' }],
	sign: null,
	quirks: ['None.'],
	verification: 'unverified',
	sources: [{ work: 'Manual', licence: 'facts', use: 'all' }],
	checksum: {
		type: 'xor',
		mark: '*',
		at: -4,
		notation: 'hex',
		order: 'big',
		covers: { from: 1, to: -5 },
	},
	payload: { from: 1, to: -5 },
	request: '\\x02LEVEL?\\x03',
};

const framings: Readonly<Record<string, Wire>> = {
	delimiter: { by: 'delimiter', start: '$', end: '\\r\\n', after: 2, max: 80, gap_ms: 50 },
	length: { by: 'length', start: 'BM', length: 32, max: 80 },
	'length-field': { by: 'length-field', start: 'BM', at: 2, type: 'uint16', plus: 4, max: 80 },
	gap: { by: 'gap', start: '', gap_ms: 20, max: 80 },
};

const layouts: Readonly<Record<Kind, Wire>> = {
	regex: { kind: 'regex', pattern: '(?<w>[0-9]{1,8})' },
	csv: {
		kind: 'csv',
		separator: ';',
		records: [
			{ name: 'a', is: 'A', valid: { column: 1, is: ['1'] } },
			{ name: 'b', ends_with: 'B' },
		],
	},
	'key-value': { kind: 'key-value', separator: ';', assign: '=' },
	obis: { kind: 'obis' },
	binary: { kind: 'binary' },
};

/** What a value means: every member that a point of each sort may have. */
const meaning: Wire = {
	key: 'level',
	name: 'Level',
	scale: 0.1,
	offset: 0,
	unit: 'm',
	kind: 'counter',
	access: 'r',
	invalid: ['FFFF'],
	enum: { 0: 'off' },
	min: 0,
	max: 5,
	slice: { first: 0, count: 4 },
	mask: '000F',
	bit: 3,
	precision: 2,
	max_step: 5,
	turns_at: 1_000,
	resets: true,
	group: 'tank',
	when: [{ option: 'unit', is: ['m'] }],
	labels: { ko: '수위', tr: 'Seviye' },
	enum_labels: { ko: { 0: '꺼짐' } },
};

const ofText: Wire = { form: 'number', codes: { OK: 0 } };

const places: Readonly<Record<Kind, Wire>> = {
	regex: { field: 'w', ...ofText },
	'key-value': { field: 'LV', ...ofText },
	csv: { record: 'a', column: 2, sign: { column: 3, negative: ['S'] }, ...ofText },
	obis: { code: '1-0:1.8.1', mbus: 3, value: 1, ...ofText },
	binary: { at: 4, length: 8, type: 'uint16', byte_order: 'BA' },
};

const kinds: readonly Kind[] = ['regex', 'csv', 'key-value', 'obis', 'binary'];

const fullOf = (kind: Kind, framing = 'delimiter'): Wire => ({
	...header,
	framing: framings[framing],
	layout: layouts[kind],
	points: [{ ...meaning, ...places[kind] }],
});

const pointSchemas = new Map<string, ReturnType<typeof serialPointSchema>>(
	kinds.map((kind) => [kind, serialPointSchema(kind)]),
);

function isForm(raw: Wire): boolean {
	const { error, value } = serialHeaderSchema.validate(raw, options);
	const schema = error === undefined ? pointSchemas.get(value.layout.kind) : undefined;
	const points: readonly unknown[] = error === undefined ? value.points : [];
	return schema !== undefined && points.every((point) => schema.validate(point, options).error === undefined);
}

/** What a person may write by mistake, and what is right in another place. */
const junk = fc.constantFrom<unknown>(
	null,
	'',
	'x',
	'serial',
	'AB',
	'0f',
	'\\r',
	'\\q',
	'\\x0',
	'é',
	'uint8',
	'uint16',
	'crc32',
	'hex',
	'text',
	'obis',
	'gap',
	0,
	1,
	-1,
	21,
	0.5,
	9_000,
	70_000,
	true,
	[],
	['serial'],
	['rtu'],
	['1'],
	{},
	{ from: 0, to: 0 },
	{ OK: 1 },
	{ OK: 'one' },
	{ by: 'gap', gap_ms: 5 },
	{ kind: 'obis' },
	{ column: 1, is: ['A'] },
	{ column: 1, negative: ['W'] },
	[{ name: 'a', is: 'A', ends_with: 'B' }],
	[{ name: 'a' }],
	...kinds.map((kind) => layouts[kind]),
	...Object.values(framings),
);

const withMember = (whole: Wire, name: string, value: unknown): Wire => ({ ...whole, [name]: value });

/** Puts junk into one place of a tree, or takes the place away. */
function spoilt(whole: Wire): fc.Arbitrary<Wire> {
	const inner: fc.Arbitrary<Wire>[] = [];
	for (const [name, value] of Object.entries(whole)) {
		if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
		inner.push(spoilt(Object.fromEntries(Object.entries(value))).map((each) => withMember(whole, name, each)));
	}
	const place = fc.constantFrom(...Object.keys(whole), 'unheard_of');
	const own = fc.tuple(place, fc.option(junk, { nil: undefined, freq: 5 })).map(([member, value]): Wire => {
		const others = Object.entries(whole).filter(([name]) => name !== member);
		return Object.fromEntries(value === undefined ? others : [...others, [member, value]]);
	});
	return inner.length === 0 ? own : fc.oneof({ weight: 2, arbitrary: own }, ...inner);
}

const says = (raw: Wire): string => JSON.stringify(raw);

test('the published schema takes every serial template of the product, also written out, and no Modbus one', (t) => {
	const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'));
	let serial = 0;
	for (const name of names) {
		const raw = readJson(name);
		const isSerial = isSerialTemplate(raw);
		t.is(agrees(raw), isSerial, `${name}: ${JSON.stringify(agrees.errors?.slice(0, 3))}`);
		if (!isSerial) continue;
		serial += 1;
		const template = parseTemplate(name.slice(0, -'.json'.length), raw);
		t.true(agrees(JSON.parse(JSON.stringify(templateFile(template)))), name);
	}
	t.is(serial, 4);
});

for (const kind of kinds) {
	test(`the published schema and the form agree on a point of ${kind}, whatever is wrong in it`, (t) => {
		t.true(agrees(fullOf(kind)), JSON.stringify(agrees.errors));
		t.true(isForm(fullOf(kind)));
		fc.assert(
			fc.property(spoilt({ ...meaning, ...places[kind] }), (point) => {
				const raw = { ...fullOf(kind), points: [point] };
				t.is(agrees(raw), isForm(raw), says(point));
			}),
			{ numRuns: 300 },
		);
	});
}

for (const framing of Object.keys(framings)) {
	test(`the published schema and the form agree on a header with frames by ${framing}, whatever is wrong in it`, (t) => {
		t.true(agrees(fullOf('csv', framing)), JSON.stringify(agrees.errors));
		t.true(isForm(fullOf('csv', framing)));
		fc.assert(
			fc.property(spoilt(fullOf('csv', framing)), (raw) => {
				t.is(agrees(raw), isForm(raw), says(raw));
			}),
			{ numRuns: 400 },
		);
	});
}

test('the published schema takes what a site changes, and only as far as it says what it extends', (t) => {
	t.true(agrees({ extends: 'weighing-scale-ascii', request: 'Q\\r', points: [{ key: 'weight', unit: 'g' }] }));
	t.true(agrees({ extends: 'weighing-scale-ascii', kind: 'serial', omit: ['load'] }));
	t.false(agrees({ extends: 'weighing-scale-ascii', points: [{ unit: 'g' }] }));
	t.false(agrees({ extends: 'weighing-scale-ascii', points: [{ key: 'weight', address: 4 }] }));
	t.false(agrees({ ...fullOf('csv'), omit: ['level'] }));
	t.false(agrees({ request: 'Q\\r', points: [{ key: 'weight', unit: 'g' }] }));
});
