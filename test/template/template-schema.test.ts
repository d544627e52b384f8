import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { SettingsFault, type SettingsMistake } from '../../config/settings-fault.ts';
import { plainPoint } from '../../config/template/plain-point.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import { planReads } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { rtuCost } from '../../gateway/driver/modbus/plan/line-cost.ts';

const shippedFolder = fileURLToPath(new URL('../../../config/template/', import.meta.url));

type Wire = Readonly<Record<string, unknown>>;

const wirePoint = (over: Wire = {}): Wire => ({
	key: 'voltage_l1',
	name: 'Voltage L1',
	function: 4,
	address: 0,
	count: 2,
	type: 'float32',
	byte_order: 'ABCD',
	...over,
});

const wireTemplate = (over: Wire = {}): Wire => ({
	manufacturer: 'Acme',
	model: 'Meter 1',
	category: 'energy meter',
	transports: ['rtu'],
	points: [wirePoint()],
	...over,
});

function mistakesOf(raw: unknown, key = 'acme-meter-1'): readonly SettingsMistake[] {
	try {
		parseTemplate(key, raw);
	} catch (error) {
		if (error instanceof SettingsFault) return error.mistakes;
		throw error;
	}
	return [];
}

/** Mistakes of a template with these points, as `path: message`. */
const linesOf = (...points: readonly Wire[]): readonly string[] =>
	mistakesOf(wireTemplate({ points })).map(({ path, message }) => `${path}: ${message}`);

test('a template with the least a person has to write is complete', (t) => {
	const template = parseTemplate('acme-meter-1', wireTemplate());
	t.is(template.key, 'acme-meter-1');
	t.is(template.maxRegistersPerRead, 125);
	t.is(template.guardMs, 0);
	t.is(template.commDefaults.baudRate, null);
	t.deepEqual(template.points, [
		{
			key: 'voltage_l1',
			name: 'Voltage L1',
			functionCode: 4,
			address: 0,
			count: 2,
			type: 'float32',
			byteOrder: 'ABCD',
			scale: 1,
			offset: 0,
			unit: '',
			kind: 'measurement',
			access: 'r',
			invalid: [],
			enum: null,
			min: null,
			max: null,
			labels: { ko: '전압 L1', tr: 'Gerilim L1' },
		},
	]);
});

test('a point of which nothing is said but its place is a plain point', (t) => {
	const template = parseTemplate(
		'acme-meter-1',
		wireTemplate({ points: [wirePoint({ key: 'value', name: 'Value' })] }),
	);
	t.deepEqual(template.points, [
		plainPoint({ functionCode: 4, address: 0, count: 2, type: 'float32', byteOrder: 'ABCD' }),
	]);
});

test('texts may stand for negative numbers, but not for bits', (t) => {
	const states = {
		key: 'state',
		type: 'int16',
		count: 1,
		byte_order: 'AB',
		enum: { '-1': 'left', 0: 'off', 1: 'right' },
	};
	t.deepEqual(linesOf(wirePoint(states)), []);
	t.deepEqual(linesOf(wirePoint({ ...states, type: 'bits' })), ['points[0].enum: bits 0 to 15 exist; found 0, 1, -1']);
});

test('a coil needs no byte order', (t) => {
	const { byte_order: _, ...coil } = wirePoint({ function: 1, type: 'bool', count: 1 });
	t.is(parseTemplate('relay', wireTemplate({ points: [coil] })).points[0]?.byteOrder, 'AB');
});

test('all mistakes of a file are named at once, each with its place', (t) => {
	const mistakes = mistakesOf(
		{
			model: 3,
			category: 'x',
			transports: [],
			colour: 'red',
			max_registers: 126,
			comm_defaults: { parity: 'mark' },
			points: [wirePoint({ address: 70_000, unknown: 1 }), { key: 'No Key' }, wirePoint({ key: 'b', count: 3 })],
		},
		'../escape',
	);
	const paths = new Set(mistakes.map(({ path }) => path));
	for (const path of [
		'key',
		'manufacturer',
		'model',
		'transports',
		'colour',
		'max_registers',
		'comm_defaults.parity',
		'points[0].address',
		'points[0].unknown',
		'points[1].key',
		'points[1].name',
		'points[2].count',
	]) {
		t.true(paths.has(path), path);
	}
});

test('a mistake names the rule and the value', (t) => {
	t.deepEqual(linesOf(wirePoint({ address: 70_000 })), [
		'points[0].address: must be less than or equal to 65535; found 70000',
	]);
});

interface BrokenPoint {
	readonly over: Wire;
	readonly line: string;
}

const brokenPoints: readonly BrokenPoint[] = [
	{ over: { count: 1 }, line: 'points[0].count: type float32 takes 2; found 1' },
	{
		over: { type: 'int64', count: 2, byte_order: 'ABCD' },
		line: 'points[0].count: type int64 takes 4; found 2',
	},
	{ over: { address: 65_535 }, line: 'points[0].address: the last address is 65535; 2 from 65535 go beyond' },
	{
		over: { type: 'string', count: 126, byte_order: 'AB' },
		line: 'points[0].count: one read carries at most 125 registers; found 126',
	},
	{ over: { byte_order: 'AB' }, line: 'points[0].byte_order: must order 4 bytes for type float32; found AB' },
	{
		over: { function: 2 },
		line: 'points[0].type: functions 1 and 2 read the type bool, functions 3 and 4 all others; found float32 with function 2',
	},
	{ over: { invalid: ['FFFF'] }, line: 'points[0].invalid: 2 registers are 8 hex digits; found FFFF' },
	{ over: { invalid: ['7FC0000Z'] }, line: 'points[0].invalid: 2 registers are 8 hex digits; found 7FC0000Z' },
	{ over: { min: 5, max: 4 }, line: 'points[0].min: must not be above max; found 5 above 4' },
	{ over: { scale: 0 }, line: 'points[0].scale: must not be 0: every value would be the offset' },
	{
		over: { type: 'string', byte_order: 'AB', scale: 0.1 },
		line: 'points[0].scale: type string takes no scale or offset; found 0.1 and 0',
	},
	{
		over: { type: 'string', byte_order: 'AB', enum: { 1: 'on' } },
		line: 'points[0].enum: a text has no texts for numbers',
	},
	{ over: { type: 'bits', enum: { 32: 'door' } }, line: 'points[0].enum: bits 0 to 31 exist; found 32' },
	{
		over: { function: 1, type: 'bool', count: 1, byte_order: 'AB', max: 1 },
		line: 'points[0].min: type bool takes no min or max',
	},
];

test('an impossible point is refused with its reason', (t) => {
	for (const { over, line } of brokenPoints) t.deepEqual(linesOf(wirePoint(over)), [line]);
});

test('points that share registers are refused by both names', (t) => {
	t.deepEqual(linesOf(wirePoint(), wirePoint({ key: 'voltage_l2', address: 1 })), [
		'points[1].address: voltage_l2 (float32, 1 to 2) overlaps voltage_l1 (float32, 0 to 1)',
	]);
	t.deepEqual(linesOf(wirePoint(), wirePoint({ key: 'serial', type: 'uint32' })), [
		'points[1].address: serial (uint32, 0 to 1) overlaps voltage_l1 (float32, 0 to 1)',
	]);
	t.deepEqual(
		linesOf(wirePoint({ key: 'b', address: 3 }), wirePoint({ key: 'a', type: 'string', count: 4, byte_order: 'AB' })),
		['points[0].address: b (float32, 3 to 4) overlaps a (string, 0 to 3)'],
	);
});

test('registers may be seen as a number and as bits, and an address belongs to its function', (t) => {
	const number = wirePoint({ key: 'status', type: 'uint32' });
	t.deepEqual(linesOf(number, wirePoint({ key: 'status_bits', type: 'bits' })), []);
	t.deepEqual(linesOf(number, wirePoint({ key: 'setting', function: 3 })), []);
	t.deepEqual(linesOf(number, wirePoint({ key: 'next', address: 2 })), []);
	t.is(linesOf(number, wirePoint({ key: 'half', type: 'bits', count: 1, byte_order: 'AB' })).length, 1);
});

test('a key stands for one point', (t) => {
	t.deepEqual(linesOf(wirePoint(), wirePoint({ address: 2 })), [
		'points[1].key: must be unique; voltage_l1 is also points[0]',
	]);
});

test('a probe looks at a point that exists', (t) => {
	const probe = [{ key: 'frequency', min: 45, max: 65 }];
	t.deepEqual(mistakesOf(wireTemplate({ probe })), [
		{ path: 'probe[0].key', message: 'must be the key of a point; found "frequency"' },
	]);
	const points = [wirePoint({ key: 'frequency', count: 1 })];
	t.deepEqual(
		mistakesOf(wireTemplate({ probe, points })).map(({ path }) => path),
		['points[0].count'],
	);
});

test('what is no template at all is refused, and a flood of points or mistakes is cut', (t) => {
	for (const raw of [null, 3, 'x', [], {}]) t.true(mistakesOf(raw).length > 0);
	t.deepEqual(
		mistakesOf(wireTemplate({ points: Array.from({ length: 5001 }, () => 1) })).map(({ path }) => path),
		['points'],
	);
	t.is(mistakesOf(wireTemplate({ points: Array.from({ length: 1000 }, () => 1) })).length, 200);
	const [mistake] = mistakesOf(wireTemplate({ points: [wirePoint({ key: 'X'.repeat(100_000) })] }));
	t.true(mistake !== undefined && mistake.message.length < 400);
});

test('a broken file keeps none of the others from loading', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'template-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	await writeFile(join(folder, 'good.json'), JSON.stringify(wireTemplate()));
	await writeFile(join(folder, 'torn.json'), '{"manufacturer": ');
	await writeFile(join(folder, 'wrong.json'), JSON.stringify(wireTemplate({ points: [wirePoint({ count: 1 })] })));
	await writeFile(join(folder, 'Bad Name.json'), JSON.stringify(wireTemplate()));
	await writeFile(join(folder, 'huge.json'), JSON.stringify(wireTemplate()).padEnd(1024 * 1024 + 1));
	await writeFile(join(folder, 'notes.txt'), 'not a template');
	await mkdir(join(folder, 'folder.json'));

	const { templates, mistakes } = await readTemplates(folder);
	t.deepEqual([...templates.keys()], ['good']);
	t.deepEqual(
		mistakes.map(({ path }) => path),
		['Bad Name.json: key', 'folder.json', 'huge.json', 'torn.json', 'wrong.json: points[0].count'],
	);
	t.is(mistakes[1]?.message, 'is not a file');
	t.is(mistakes[2]?.message, 'a template has at most 1048576 bytes; found 1048577');
});

test('a folder that is missing is a mistake, not a failure', async (t) => {
	const { templates, mistakes } = await readTemplates(join(tmpdir(), 'no-such-folder-of-templates'));
	t.is(templates.size, 0);
	t.is(mistakes.length, 1);
});

test('every shipped template is sound and says where its facts come from', async (t) => {
	const { templates, mistakes } = await readTemplates(shippedFolder);
	t.deepEqual(mistakes, []);
	for (const template of templates.values()) {
		t.true(template.sources.length > 0, template.key);
		t.true(template.sources.every(({ licence }) => licence.length > 0));
	}
});

test('an SDM630 at 9600 baud is read in few requests that it accepts', async (t) => {
	const { templates } = await readTemplates(shippedFolder);
	const meter = templates.get('eastron-sdm630');
	t.truthy(meter);
	if (meter === undefined) return;
	t.is(meter.maxRegistersPerRead, 80);
	t.is(meter.points.length, 94);
	const plan = planReads(meter.points, rtuCost(9600, 10, 15), {
		maxRegisters: meter.maxRegistersPerRead,
		maxBits: 2000,
		holes: [],
	});
	t.is(plan.length, 5);
	t.true(plan.every(({ count, address }) => count <= 80 && address % 2 === 0));
});
