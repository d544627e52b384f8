import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { SettingsFault } from '../../config/settings-fault.ts';
import { counterRange, createPointFacts } from '../../config/template/point-facts.ts';
import type { PointOverride } from '../../config/connection/connection.ts';
import { layeredTemplate, layerMistakes } from '../../config/template/template-layers.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';

type Wire = Readonly<Record<string, unknown>>;

const wirePoint = (over: Wire = {}): Wire => ({
	key: 'power',
	name: 'Power',
	function: 3,
	address: 0,
	count: 1,
	type: 'uint16',
	byte_order: 'AB',
	...over,
});

const header: Wire = { manufacturer: 'Acme', model: 'Meter 1', category: 'meter', transports: ['tcp'] };

const phases: Wire = {
	name: 'phases',
	label: 'Phases',
	type: 'number',
	default: 3,
	choices: [
		{ value: 1, label: 'one' },
		{ value: 3, label: 'three' },
	],
};

const parsed = (points: readonly Wire[], over: Wire = {}): TemplateDocument =>
	parseTemplate('acme-meter-1', { ...header, points, ...over });

function linesOf(raw: Wire, bases?: ReadonlyMap<string, TemplateDocument>): readonly string[] {
	try {
		parseTemplate('acme-meter-1', raw, bases);
	} catch (error) {
		if (error instanceof SettingsFault) return error.mistakes.map(({ path, message }) => `${path}: ${message}`);
		throw error;
	}
	return [];
}

const linesOfPoints = (points: readonly Wire[], over: Wire = {}): readonly string[] =>
	linesOf({ ...header, points, ...over });

const float = { type: 'float32', count: 2, byte_order: 'ABCD' };

const broken: readonly (readonly [over: Wire, line: string])[] = [
	[{ byte_order: 'AA' }, 'byte_order: must be an order of AB, ABCD or ABCDEFGH, each letter once; found "AA"'],
	[{ byte_order: 'ABCD' }, 'byte_order: must order 2 bytes for type uint16; found ABCD'],
	[{ type: 'raw', count: 3, byte_order: 'ABCD' }, 'byte_order: must order 2 bytes for type raw; found ABCD'],
	[{ type: 'bit' }, 'bit: type bit says which bit, and no other type does; found type bit'],
	[{ bit: 3 }, 'bit: type bit says which bit, and no other type does; found type uint16'],
	[{ ...float, slice: { first: 0, count: 4 } }, 'slice: type float32 has no bits to take a part of'],
	[{ slice: { first: 12, count: 5 } }, 'slice: bits 0 to 15 exist; found {"first":12,"count":5}'],
	[{ type: 'uint8h', mask: '00FF' }, 'mask: type uint8h has no bits to mask'],
	[{ mask: '0FF' }, 'mask: 1 registers are 4 hex digits; found 0FF'],
	[{ type: 'bits', scale_factor: 'power' }, 'scale_factor: type bits takes no scale factor'],
	[{ type: 'string', precision: 1 }, 'precision: type string has no decimals'],
	[{ zone: 'utc' }, 'zone: type uint16 is no time'],
	[{ type: 'raw', max_step: 1 }, 'max_step: type raw takes no steps'],
	[{ turns_at: 10 }, 'kind: only a counter turns or resets; found measurement'],
	[{ resets: true }, 'kind: only a counter turns or resets; found measurement'],
	[{ enum: { 0: 'off' }, enum_labels: { ko: { 1: '켬' } } }, 'enum_labels: must translate texts of enum; found 1'],
	[{ access: 'w', write: { verify: true } }, 'write.verify: a point that is only written cannot be read back'],
	[
		{ access: 'rw', write: { max: 5, revert: { value: 9, seconds: 60 } } },
		'write.revert.value: must be at most 5 for point power; found 9',
	],
	[{ write: {} }, 'write: a point that is only read has no write rule'],
	[{ access: 'rw', write: { function: 5 } }, 'write.function: must be 6, 16, 22, 23 for 1 of function 3; found 5'],
	[{ access: 'rw', ...float, write: { function: 6 } }, 'write.function: must be 16, 23 for 2 of function 3; found 6'],
	[{ access: 'rw', write: { min: 5, max: 4 } }, 'write.min: must not be above max; found 5 above 4'],
	[
		{ access: 'rw', ...float, write: { address: 65_535 } },
		'write.address: the last address is 65535; 2 from 65535 go beyond',
	],
	[{ group: 'grid' }, 'group: must be a group of the template; found grid'],
	[{ when: [{ option: 'phases', is: [1] }] }, 'when[0].option: must be an option of the template; found phases'],
	[{ scale_factor: 'sf' }, 'scale_factor: must be the key of a point of type int16 that can be read; found sf'],
];

for (const [over, line] of broken) {
	test(`a point with ${JSON.stringify(over)} is refused with its reason`, (t) => {
		t.is(linesOfPoints([wirePoint(over)])[0], `points[0].${line}`);
	});
}

test('an option has a default that can be chosen, and conditions ask for values it can have', (t) => {
	const asking = wirePoint({ when: [{ option: 'phases', is: [2] }] });
	t.deepEqual(linesOfPoints([asking], { options: [phases] }), ['points[0].when[0].is: must be one of 1, 3; found 2']);
	t.deepEqual(linesOfPoints([wirePoint()], { options: [{ ...phases, default: 2 }] }), [
		'options[0].default: must be one of 1, 3; found 2',
	]);
	t.deepEqual(linesOfPoints([wirePoint()], { options: [{ ...phases, type: 'text', default: '3' }] }), [
		'options[0].choices: must be of type text; found 1',
	]);
	const free = { name: 'ratio', label: 'Ratio', type: 'number', default: 'x' };
	t.deepEqual(linesOfPoints([wirePoint()], { options: [free] }), ['options[0].default: must be a number; found "x"']);
});

test('parts of one register may share it, and a number whose parts they are', (t) => {
	const whole = wirePoint();
	const part = (key: string, over: Wire): Wire => wirePoint({ key, ...over });
	const parts = [
		part('run', { type: 'bit', bit: 0 }),
		part('alarm', { type: 'bit', bit: 1 }),
		part('mode', { slice: { first: 4, count: 4 } }),
		part('level', { type: 'uint8h' }),
		part('masked', { mask: '00F0' }),
	];
	t.deepEqual(linesOfPoints([whole, ...parts]), []);
	t.deepEqual(
		linesOfPoints([
			wirePoint({ type: 'uint32', count: 2, byte_order: 'ABCD' }),
			part('run', { address: 1, type: 'bit', bit: 0 }),
		]),
		[],
	);
	t.is(linesOfPoints([part('text', { type: 'string' }), part('run', { type: 'bit', bit: 0 })]).length, 1);
	t.is(linesOfPoints([whole, part('again', {})]).length, 1);
});

test('a key may stand for two points that no device has both of', (t) => {
	const one = wirePoint({ when: [{ option: 'phases', is: [1] }] });
	const three = wirePoint({ address: 10, scale: 10, when: [{ option: 'phases', is: [3] }] });
	const template = parsed([one, three], { options: [phases] });
	const addressOf = (value: number): number | undefined =>
		layeredTemplate(template, { options: [{ name: 'phases', value }] }).points[0]?.address;
	t.is(addressOf(1), 0);
	t.is(addressOf(3), 10);
	t.is(layeredTemplate(template, {}).points.length, 1);
	t.is(addressOf(2), 10);
	t.deepEqual(linesOfPoints([one, { ...three, when: [{ option: 'phases', is: [1, 3] }] }], { options: [phases] }), [
		'points[1].key: must be unique; power is also points[0]',
	]);
});

test('a name that a device gives to a point is its name in every language', (t) => {
	const template = parsed([wirePoint({ key: 'voltage_l1' }), wirePoint({ key: 'voltage_l2', address: 1 })]);
	t.is(template.points[0]?.labels?.ko, '전압 L1');
	const { points } = layeredTemplate(template, {
		overrides: [
			{ point: 'voltage_l1', name: 'Kitchen' },
			{ point: 'voltage_l2', scale: 2 },
		],
	});
	t.like(points[0], { name: 'Kitchen', labels: undefined });
	t.is(points[1]?.labels?.ko, '전압 L2');
});

test('a device says what it has of its own above its template, and nothing else changes', (t) => {
	const template = parsed([wirePoint({ min: 0, max: 10 }), wirePoint({ key: 'other', address: 1 })]);
	const layered = layeredTemplate(template, {
		overrides: [
			{ point: 'power', name: 'Roof', unit: 'W', scale: 10, offset: 1, min: -5, max: 100, poll: 'fast' },
			{ point: 'other', read: false },
			{ point: 'gone', scale: 2 },
		],
	});
	t.like(layered.points[0], {
		name: 'Roof',
		unit: 'W',
		scale: 10,
		offset: 1,
		min: -5,
		max: 100,
		poll: 'fast',
		key: 'power',
	});
	t.deepEqual(layered.points[1], { ...template.points[1], poll: 'on-demand' });
	t.deepEqual(template.points[0]?.name, 'Power');
	t.deepEqual(
		layerMistakes(template, {
			options: [{ name: 'phases', value: 1 }],
			overrides: [{ point: 'power' }, { point: 'gone' }],
		}).map(({ path, message }) => `${path}: ${message}`),
		[
			'options[0].name: must be an option of acme-meter-1; found phases',
			'overrides[1].point: must be a point of acme-meter-1; found gone',
		],
	);
	t.deepEqual(
		layerMistakes(parsed([wirePoint()], { options: [phases] }), { options: [{ name: 'phases', value: '3' }] }),
		[{ path: 'options[0].value', message: 'must be one of 1, 3; found "3"' }],
	);
});

test('a device is not given limits or factors that its point cannot have', (t) => {
	const template = parsed([wirePoint({ min: 0, max: 10 }), wirePoint({ key: 'name', type: 'string', address: 5 })]);
	const lines = (override: Omit<PointOverride, 'point'>, point = 'power') =>
		layerMistakes(template, { overrides: [{ point, ...override }] }).map(({ path, message }) => `${path}: ${message}`);
	t.deepEqual(lines({ min: 3, max: 2 }), ['overrides[0].min: must not be above max; found 3 above 2']);
	t.deepEqual(lines({ min: 20 }), ['overrides[0].min: must not be above max; found 20 above 10']);
	t.deepEqual(lines({ max: -1 }), ['overrides[0].min: must not be above max; found 0 above -1']);
	t.deepEqual(lines({ min: 20, max: 30, scale: 10 }), []);
	t.deepEqual(lines({ offset: 1 }, 'name'), ['overrides[0].offset: type string takes no scale or offset; found 1']);
	t.deepEqual(lines({ max: 1 }, 'name'), ['overrides[0].max: type string takes no min or max; found 1']);
	t.deepEqual(lines({ name: 'Serial', read: false }, 'name'), []);
});

test('a scale factor is read as often as the most wanted of its values', (t) => {
	const factor = wirePoint({ key: 'sf', type: 'int16', address: 5, kind: 'setting' });
	const value = (key: string, address: number, over: Wire): Wire =>
		wirePoint({ key, address, scale_factor: 'sf', ...over });
	const pollOf = (...points: readonly Wire[]) =>
		layeredTemplate(parsed([factor, ...points]), {}).points.find(({ key }) => key === 'sf')?.poll ?? 'as a setting';
	t.is(pollOf(), 'as a setting');
	t.is(pollOf(value('a', 1, {})), 'normal');
	t.is(pollOf(value('a', 1, { poll: 'slow' }), value('b', 2, { poll: 'fast' })), 'fast');
	t.is(pollOf(value('a', 1, { poll: 'slow' })), 'slow', 'a setting is read every ten minutes, which is more seldom');
	t.is(pollOf(value('a', 1, { kind: 'setting' })), 'as a setting');
	t.is(pollOf(value('a', 1, { poll: 'once' })), 'as a setting');
	t.is(
		layeredTemplate(parsed([{ ...factor, poll: 'on-demand' }, value('a', 1, { kind: 'setting' })]), {}).points[0]?.poll,
		'slow',
	);
});

const rangeOf = (over: Wire) => {
	const [point] = parsed([wirePoint({ kind: 'counter', ...over })]).points;
	return point === undefined ? undefined : counterRange(point);
};

test('a counter turns at the end of its type, of its digits, of its bits, or where the template says', (t) => {
	t.deepEqual(rangeOf({}), { bottom: 0n, top: 65_536n });
	t.deepEqual(rangeOf({ type: 'uint8l' }), { bottom: 0n, top: 256n });
	t.deepEqual(rangeOf({ type: 'bcd16' }), { bottom: 0n, top: 10_000n });
	t.deepEqual(rangeOf({ slice: { first: 0, count: 12 } }), { bottom: 0n, top: 4_096n });
	t.deepEqual(rangeOf({ turns_at: 1_000 }), { bottom: 0, top: 1_000 });
	t.is(rangeOf(float), null);
});

test('the examples of the documentation are sound templates', (t) => {
	const text = readFileSync(new URL('../../../docs/add-a-template.md', import.meta.url), 'utf8');
	const [product, site, serial] = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']): unknown =>
		JSON.parse(json),
	);
	const template = parseTemplate('acme-hybrid-5', product);
	t.is(template.points.length, 13);
	const ours = parseTemplate('site-hybrid', site, new Map([['acme-hybrid-5', template]]));
	t.is(ours.points.length, 12);
	t.is(parseTemplate('acme-tank-gauge-2', serial).serial?.layout.kind, 'key-value');
	t.is(ours.points.find(({ key }) => key === 'import_energy')?.byteOrder, 'ABCD');
});

const base = new Map([
	[
		'acme-meter',
		parseTemplate('acme-meter', {
			...header,
			max_registers: 80,
			quirks: ['Slow.'],
			points: [wirePoint(), wirePoint({ key: 'old', address: 1 }), wirePoint({ key: 'energy', address: 2 })],
		}),
	],
]);

test('a template of the site changes members, adds points and leaves some out', (t) => {
	const template = parseTemplate(
		'site-meter',
		{
			extends: 'acme-meter',
			model: 'Meter 1, roof',
			omit: ['old'],
			points: [{ key: 'energy', scale: 0.1 }, wirePoint({ key: 'extra', address: 1 })],
		},
		base,
	);
	t.is(template.extends, 'acme-meter');
	t.is(template.key, 'site-meter');
	t.like(template, { manufacturer: 'Acme', model: 'Meter 1, roof', maxRegistersPerRead: 80, quirks: ['Slow.'] });
	t.deepEqual(
		template.points.map(({ key, address, scale }) => [key, address, scale]),
		[
			['power', 0, 1],
			['energy', 2, 0.1],
			['extra', 1, 1],
		],
	);
});

test('a mistake in a template of the site is told at its own place', (t) => {
	t.deepEqual(linesOf({ extends: 'nobody' }, base), ['extends: must be an installed template; found "nobody"']);
	t.deepEqual(linesOf({ extends: 'acme-meter', omit: ['none'] }, base), [
		'omit[0]: must be a point of acme-meter; found "none"',
	]);
	t.deepEqual(linesOf({ extends: 'acme-meter', points: [{ key: 'energy', scale: 0 }] }, base), [
		'points[0].scale: must not be 0: every value would be the offset',
	]);
	t.deepEqual(linesOf({ extends: 'acme-meter', points: [{ key: 'energy' }, { key: 'new' }] }, base).slice(0, 1), [
		'points[1].name: is required',
	]);
	t.deepEqual(linesOf({ extends: 'acme-meter', points: [wirePoint({ key: 'clash' })] }, base), [
		'points[0].address: clash (uint16, 0 to 0) overlaps power (uint16, 0 to 0)',
	]);
	t.deepEqual(linesOf({ extends: 'acme-meter', omit: ['power'], probe: [{ key: 'power', min: 0, max: 1 }] }, base), [
		'probe[0].key: must be the key of a point; found "power"',
	]);
	t.deepEqual(linesOf({ extends: 'acme-meter', points: [{ scale: 1 }] }, base).length, 1);
	t.deepEqual(linesOf({ extends: 7 }, base).length, 1);
});

test('a folder extends what earlier folders have, and a JSON schema beside the templates is none of them', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'drawbridge-site-'));
	try {
		await mkdir(join(folder, 'site'));
		await writeFile(join(folder, 'site', 'acme-meter.json'), JSON.stringify({ extends: 'acme-meter', model: 'Ours' }));
		await writeFile(join(folder, 'site', 'template.schema.json'), '{}');
		const { templates, mistakes } = await readTemplates(join(folder, 'site'), base);
		t.deepEqual(mistakes, []);
		t.deepEqual(
			[...templates].map(([key, { model }]) => [key, model]),
			[['acme-meter', 'Ours']],
		);
	} finally {
		await rm(folder, { recursive: true });
	}
});

test('what is known of a point is what the device makes of it, and what its template is now', (t) => {
	const templates = new Map([['acme-meter-1', parsed([wirePoint({ unit: 'W', poll: 'slow' })])]]);
	const factsOf = createPointFacts(templates);
	const plain = { template: 'acme-meter-1' };
	const own = { template: 'acme-meter-1', overrides: [{ point: 'power', unit: 'kW' }] };
	t.deepEqual(factsOf(plain, 'power'), { unit: 'W', isSetting: false, poll: 'slow', counter: null });
	t.is(factsOf(own, 'power')?.unit, 'kW');
	t.is(factsOf(plain, 'none'), null);
	t.is(factsOf({ template: 'none' }, 'power'), null);
	templates.set('acme-meter-1', parsed([wirePoint({ unit: 'VA' })]));
	t.is(factsOf(plain, 'power')?.unit, 'VA');
});
