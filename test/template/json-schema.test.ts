import { readdirSync, readFileSync } from 'node:fs';

import test from 'ava';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';

import { isSerialTemplate } from '../../config/template/serial-template-schema.ts';
import { pointSchema } from '../../config/template/point-form.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import { headerSchema } from '../../config/template/template-form.ts';
import { templateFile } from '../../config/template/template-file.ts';

const folder = new URL('../../../config/template/', import.meta.url);

const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

const isSchema = (name: string): boolean => name.endsWith('.schema.json');

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this repository
const agrees = new Ajv2020({ strict: false, allErrors: true }).compile(readJson('template.schema.json') as object);

const options = { abortEarly: false, convert: false } as const;

type Wire = Readonly<Record<string, unknown>>;

/** A point with every member, so that each of them can be spoilt. */
const fullPoint: Wire = {
	key: 'mode',
	name: 'Mode',
	function: 3,
	address: 100,
	count: 1,
	type: 'uint16',
	byte_order: 'AB',
	scale: 1,
	offset: 0,
	unit: '',
	kind: 'state',
	access: 'rw',
	invalid: ['FFFF'],
	enum: { 0: 'off', 1: 'on' },
	min: 0,
	max: 1,
	slice: { first: 0, count: 4 },
	mask: '000F',
	scale_factor: 'mode_sf',
	precision: 1,
	zone: 'local',
	max_step: 5,
	turns_at: 1_000,
	resets: true,
	bit: 3,
	poll: 'slow',
	group: 'control',
	when: [{ option: 'phases', is: [3] }],
	labels: { ko: '모드', tr: 'Mod' },
	enum_labels: { ko: { 0: '꺼짐' }, tr: { 1: 'açık' } },
	write: {
		function: 6,
		address: 200,
		min: 0,
		max: 1,
		step: 1,
		block: 'control',
		verify: true,
		limit: { writes: 2, seconds: 60 },
		revert: { value: 0, seconds: 60 },
	},
};

const fullHeader: Wire = {
	$schema: './template.schema.json',
	manufacturer: 'Acme',
	model: 'Meter 1',
	variants: ['Meter 1b'],
	category: 'energy meter',
	transports: ['rtu', 'tcp'],
	comm_defaults: { baud_rate: 9600, data_bits: 8, parity: 'even', stop_bits: 1, unit_id: 1, tcp_port: 502 },
	max_registers: 100,
	max_bits: 100,
	guard_ms: 5,
	holes: [{ function: 3, first: 5, last: 9 }],
	all_ff_is_absent: true,
	options: [
		{
			name: 'phases',
			label: 'Phases',
			labels: { tr: 'Faz' },
			type: 'number',
			default: 3,
			choices: [{ value: 3, label: 'three' }],
		},
	],
	groups: [{ key: 'control', name: 'Control', labels: { ko: '제어' } }],
	probe: [{ key: 'mode', min: 0, max: 1 }],
	sign: 'import',
	quirks: ['None.'],
	verification: 'unverified',
	sources: [{ work: 'Manual', licence: 'facts', use: 'all' }],
};

const isPointForm = (point: Wire): boolean => pointSchema.validate(point, options).error === undefined;

const isForm = (raw: Wire, points: readonly Wire[]): boolean =>
	headerSchema.validate({ ...raw, points }, options).error === undefined && points.every(isPointForm);

/** What a person may write by mistake, and what is right in another place. */
const junk = fc.constantFrom<unknown>(
	null,
	'',
	'x',
	'AB',
	'AA',
	'CDAB',
	'ABC',
	'0f',
	'00FF',
	'Big',
	'snake_case',
	'r',
	'fast',
	'utc',
	'uint32',
	'bool',
	'two sources',
	0,
	1,
	3,
	-1,
	16,
	0.5,
	65_536,
	1e6,
	true,
	false,
	[],
	['FFFF'],
	[1],
	{},
	{ ko: '전압' },
	{ en: 'x' },
	{ 0: 'off' },
	{ first: 0, count: 1 },
	[{ option: 'phases', is: [1] }],
	[{ key: 'mode', is: ['x'] }],
);

/** Puts junk into one place, or takes the place away. */
const spoilt = (whole: Wire): fc.Arbitrary<Wire> => {
	const place = fc.constantFrom(...Object.keys(whole), 'unheard_of');
	return fc.tuple(place, fc.option(junk, { nil: undefined, freq: 5 })).map(([member, value]) => {
		const others = Object.entries(whole).filter(([name]) => name !== member);
		return Object.fromEntries(value === undefined ? others : [...others, [member, value]]);
	});
};

test('the published schema takes every template of the product, and every template that is written out', (t) => {
	const names = readdirSync(folder).filter(
		(name) => name.endsWith('.json') && !isSchema(name) && !isSerialTemplate(readJson(name)),
	);
	t.true(names.length > 20);
	for (const name of names) {
		const raw = readJson(name);
		t.true(agrees(raw), `${name}: ${JSON.stringify(agrees.errors?.slice(0, 3))}`);
		const template = parseTemplate(name.slice(0, -5), raw);
		const written: unknown = JSON.parse(JSON.stringify(templateFile(template)));
		t.true(agrees(written), `${name}: ${JSON.stringify(agrees.errors?.slice(0, 3))}`);
		t.deepEqual(parseTemplate(template.key, written), template);
	}
});

test('the published schema and the form agree on a point, whatever is wrong in it', (t) => {
	t.true(isForm(fullHeader, [fullPoint]));
	fc.assert(
		fc.property(spoilt(fullPoint), (point) => {
			const isRight = isForm(fullHeader, [point]);
			t.is(agrees({ ...fullHeader, points: [point] }), isRight, JSON.stringify(point));
		}),
		{ numRuns: 3_000 },
	);
});

test('the published schema and the form agree on a header, whatever is wrong in it', (t) => {
	t.true(agrees({ ...fullHeader, points: [fullPoint] }), JSON.stringify(agrees.errors));
	fc.assert(
		fc.property(spoilt(fullHeader), (header) => {
			t.is(agrees({ ...header, points: [fullPoint] }), isForm(header, [fullPoint]), JSON.stringify(header));
		}),
		{ numRuns: 3_000 },
	);
});

test('the published schema takes what a site changes, and only as far as it says what it extends', (t) => {
	t.true(agrees({ extends: 'acme-meter-1', omit: ['mode'], points: [{ key: 'mode', scale: 10 }] }));
	t.true(agrees({ extends: 'acme-meter-1' }));
	t.false(agrees({ extends: 'acme-meter-1', points: [{ scale: 10 }] }));
	t.false(agrees({ ...fullHeader, omit: ['mode'], points: [fullPoint] }));
	t.false(agrees({ points: [{ key: 'mode', scale: 10 }] }));
});
