import { fileURLToPath } from 'node:url';

import test from 'ava';

import { SettingsFault } from '../../config/settings-fault.ts';
import { bytesOf } from '../../config/template/serial-bytes.ts';
import { patternFlaw } from '../../config/template/serial-pattern.ts';
import { templateFile } from '../../config/template/template-file.ts';
import { layeredTemplate } from '../../config/template/template-layers.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';

const { templates, mistakes } = await readTemplates(
	fileURLToPath(new URL('../../../config/template/', import.meta.url)),
);

const scale = {
	kind: 'serial',
	manufacturer: 'Acme',
	model: 'Scale',
	category: 'scale',
	framing: { by: 'delimiter', end: '\\r\\n', max: 64 },
	layout: { kind: 'regex', pattern: '(?<w>[0-9.]{1,8}) kg' },
	points: [{ key: 'weight', name: 'Weight', field: 'w', unit: 'kg' }],
};

const flawsOf = (change: object): readonly string[] => {
	try {
		parseTemplate('acme-scale', { ...scale, ...change });
		return [];
	} catch (error) {
		if (error instanceof SettingsFault) return error.mistakes.map(({ path, message }) => `${path}: ${message}`);
		throw error;
	}
};

test('one folder holds templates of both kinds', (t) => {
	t.deepEqual(mistakes, []);
	const serial = [...templates.values()].filter((template) => template.serial !== undefined);
	t.deepEqual(serial.map(({ key }) => key).toSorted(), [
		'dsmr-p1',
		'nmea-0183-gnss',
		'particle-sensor-pms5003',
		'weighing-scale-ascii',
	]);
});

test('a serial template that is written out is read as the same', (t) => {
	for (const [key, template] of templates) {
		if (template.serial === undefined) continue;
		t.deepEqual(parseTemplate(key, JSON.parse(JSON.stringify(templateFile(template)))), template);
	}
});

test('a site changes a serial template of the product', (t) => {
	const site = parseTemplate(
		'my-scale',
		{ extends: 'weighing-scale-ascii', request: 'Q\\r', points: [{ key: 'weight', unit: 'g' }] },
		templates,
	);
	t.is(Buffer.from(site.serial?.request ?? []).toString(), 'Q\r');
	t.is(site.points.find(({ key }) => key === 'weight')?.unit, 'g');
	t.is(site.extends, 'weighing-scale-ascii');
	const own = layeredTemplate(site, { overrides: [{ point: 'weight', scale: 2 }] });
	t.is(own.points.find(({ key }) => key === 'weight')?.scale, 2);
});

test('bytes are written as ASCII with escapes', (t) => {
	t.deepEqual([...(bytesOf('A\\r\\n\\x02\\\\\\0') ?? [])], [65, 13, 10, 2, 92, 0]);
	t.is(bytesOf('\\q'), null);
	t.is(bytesOf('\\x1'), null);
	t.is(bytesOf('é'), null);
});

const flaws: readonly (readonly [pattern: string, flaw: RegExp | null])[] = [
	['(?<a>\\d{1,9}),(?:x|y)?', null],
	['[+-]?\\d+', null],
	['(?<a>(?:\\d+)+)', /nests quantifiers/],
	['(?:a|a)*b', /nests quantifiers/],
	['(?:a{1,3}){2,9}', /nests quantifiers/],
	['(a)', /name its groups/],
	['(?=a)a', /look ahead/],
	['(?<!a)b', /look ahead/],
	['(?<a>x)\\k<a>', /refer back/],
	['.*.*.*.*x', /too many choices/],
	['[', /no regular expression/],
	// In this language `[^]` is any character and `[]` none: what follows is no part of them.
	['[^](?:a+)+b]', /nests quantifiers/],
	['[]|(?:a+)+b]', /nests quantifiers/],
	['[^](?=a)]', /look ahead/],
	['[\\](?:a+)+b]', null],
	['a{0,60}a{0,60}b{60}', null],
	['a{0,60}a{0,60}a{0,9}a{900}b', /too many choices/],
];

for (const [pattern, flaw] of flaws) {
	test(`the pattern ${pattern} is ${flaw === null ? 'taken' : 'refused'}`, (t) => {
		const found = patternFlaw(pattern, 64);
		if (flaw === null) t.is(found, null);
		else t.regex(found ?? '', flaw);
	});
}

const mistakeTable: readonly (readonly [what: string, change: object, mistake: RegExp])[] = [
	['an unknown framing', { framing: { by: 'magic' } }, /^framing\.by: /],
	['a delimiter without an end', { framing: { by: 'delimiter' } }, /^framing\.end: /],
	['marks that are no bytes', { framing: { by: 'delimiter', end: '\\q' } }, /^framing\.end: .*printable ASCII/],
	[
		'a point that names no group of the pattern',
		{ points: [{ key: 'a', name: 'A', field: 'z' }] },
		/^points\[0\]\.field: /,
	],
	['a register in a text', { points: [{ key: 'a', name: 'A', field: 'w', address: 3 }] }, /^points\[0\]\.address: /],
	['one key twice', { points: [scale.points[0], scale.points[0]] }, /^points\[1\]\.key: /],
	[
		'one key for two points that exclude each other, of which only one place would be known',
		{
			options: [{ name: 'size', label: 'Size', type: 'number', default: 1 }],
			points: [1, 2].map((is) => Object.assign({ when: [{ option: 'size', is: [is] }] }, scale.points[0])),
		},
		/^points\[1\]\.key: must be unique; weight is also points\[0\]$/,
	],
	['a scale of 0', { points: [{ key: 'a', name: 'A', field: 'w', scale: 0 }] }, /^points\[0\]\.scale: /],
	['a group that is not there', { points: [{ key: 'a', name: 'A', field: 'w', group: 'x' }] }, /^points\[0\]\.group: /],
	[
		'fixed frames that nothing marks',
		{
			framing: { by: 'length', length: 8 },
			layout: { kind: 'binary' },
			points: [{ key: 'a', name: 'A', at: 0, type: 'int16' }],
		},
		/^framing\.start: /,
	],
	[
		'a byte order of the wrong length',
		{ layout: { kind: 'binary' }, points: [{ key: 'a', name: 'A', at: 0, type: 'int32', byte_order: 'BA' }] },
		/^points\[0\]\.byte_order: /,
	],
	[
		'a record that is not there',
		{ layout: { kind: 'csv' }, points: [{ key: 'a', name: 'A', column: 0, record: 'gga' }] },
		/^points\[0\]\.record: /,
	],
];

for (const [what, change, mistake] of mistakeTable) {
	test(`${what} is refused with its place`, (t) => {
		const found = flawsOf(change);
		t.true(
			found.some((line) => mistake.test(line)),
			found.join('\n'),
		);
	});
}
