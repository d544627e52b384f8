import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import { type ImportPreview, previewOf, readImport, unreadable } from '../../gateway/template/import/import-preview.ts';
import { ImportFault } from '../../gateway/template/import/imported.ts';
import { optionsOf } from '../fake/import-options.ts';

const FOLDER = join(process.cwd(), 'config', 'template');
const { templates } = await readTemplates(FOLDER);
const serialKeys = [...templates.values()].filter(({ serial }) => serial !== undefined).map(({ key }) => key);

function preview(content: string, key = 'new', fileName = 'new.json', options = optionsOf()): ImportPreview {
	const read = readImport({ key, format: 'auto', fileName, content: Buffer.from(content), options });
	if (read instanceof ImportFault) return unreadable('auto', read.note);
	const parse = (own: string, raw: unknown) => parseTemplate(own, raw, templates);
	return previewOf(key, read, { parse, current: templates.get(key) });
}

/** `line:column field: rule` of each note. */
const told = (content: string): readonly string[] =>
	preview(content).notes.map(
		({ place: { line, column }, field, rule, value }) =>
			`${line ?? '-'}:${column ?? '-'} ${field ?? '-'}: ${rule}${value === null ? '' : ` (${value})`}`,
	);

test('every serial template of the product is imported as it is, and changes nothing of itself', (t) => {
	t.is(serialKeys.length, 4);
	for (const key of serialKeys) {
		const { format, isSound, notes, document, diff } = preview(readFileSync(join(FOLDER, `${key}.json`), 'utf8'), key);
		t.is(format, 'template');
		t.true(isSound, JSON.stringify(notes));
		t.deepEqual(notes, []);
		t.deepEqual(diff, { header: [], added: [], removed: [], changed: [] });
		t.deepEqual(parseTemplate(key, document), templates.get(key));
	}
});

test('an answer of the template API is imported, under a name of its own, and held against what is there', (t) => {
	const document: object = JSON.parse(readFileSync(join(FOLDER, 'weighing-scale-ascii.json'), 'utf8'));
	const answer = JSON.stringify({ key: 'x', origin: 'product', document: { ...document, request: 'Q\\r\\n' } });
	const { isSound, diff } = preview(answer, 'weighing-scale-ascii', 'x.json', { ...optionsOf(), model: 'Ours' });
	t.true(isSound);
	t.deepEqual(diff, {
		header: [
			{ member: 'model', before: 'Scale with ASCII answers', after: 'Ours' },
			{ member: 'request', before: 'SI\\r\\n', after: 'Q\\r\\n' },
		],
		added: [],
		removed: [],
		changed: [],
	});
});

test('a template of a site that changes a serial one is imported, and its mistakes stand where it has them', (t) => {
	const own = '{\n\t"extends": "weighing-scale-ascii",\n\t"points": [\n\t\t{"key": "weight", "unit": "g"}\n\t]\n}';
	t.true(preview(own).isSound);
	t.deepEqual(told(own.replace('"unit": "g"', '"unit": "g",\n\t\t "address": 3')), [
		'5:15 address: is not allowed (3)',
	]);
	t.deepEqual(told(own.replace('weighing-scale-ascii', 'nobody')), [
		'2:13 extends: must be an installed template ("nobody")',
	]);
});

const gauge = `{
	"kind": "serial",
	"manufacturer": "Acme",
	"model": "Gauge",
	"category": "level sensor",
	"framing": {
		"by": "delimiter",
		"end": "\\\\r\\\\n"
	},
	"checksum": {"type": "xor", "at": -2, "covers": {"from": 0, "to": -2}},
	"layout": {
		"kind": "regex",
		"pattern": "L(?<level>[0-9]{1,5})"
	},
	"points": [
		{"key": "level", "name": "Level", "field": "level"},
		{
			"key": "again",
			"name": "Again",
			"field": "level"
		}
	]
}
`;

interface Bad {
	readonly from: string;
	readonly to: string;
	readonly notes: readonly string[];
}

const bad: Readonly<Record<string, Bad>> = {
	'a mark that is no bytes': {
		from: '"end": "\\\\r\\\\n"',
		to: '"end": "\\\\q"',
		notes: ['8:10 framing.end: must be printable ASCII with the escapes \\r \\n \\t \\0 \\\\ \\xHH ("\\\\q")'],
	},
	'a member that is missing stands where it should': {
		from: ',\n\t\t"end": "\\\\r\\\\n"',
		to: '',
		notes: ['6:13 framing.end: is required'],
	},
	'a header and a point at once': {
		from: '"category": "level sensor",',
		to: '"category": 7,\n\t"guard_ms": 5,',
		notes: ['5:14 category: must be a string (7)', '6:14 guard_ms: is not allowed (5)'],
	},
	'a pattern that may take for ever': {
		from: '[0-9]{1,5}',
		to: '(?:[0-9]+)+',
		notes: ['13:14 layout.pattern: must not repeat a group, which nests quantifiers ()+)'],
	},
	'a sum over nothing': {
		from: '"from": 0, "to": -2',
		to: '"from": 5, "to": 2',
		notes: ['10:50 checksum.covers: must cover something (5 to 2)'],
	},
	'a field that no group has': {
		from: '"field": "level"\n',
		to: '"field": "depth"\n',
		notes: ['20:13 field: must be a group of layout.pattern (depth)'],
	},
	'a register': {
		from: '"field": "level"}',
		to: '"field": "level", "address": 7}',
		notes: ['16:66 address: is not allowed (7)'],
	},
	'a key twice': {
		from: '"again"',
		to: '"level"',
		notes: ['18:11 key: must be unique; level is also points[0]'],
	},
	'a point that is none': {
		from: '\t\t{"key": "level", "name": "Level", "field": "level"},',
		to: '\t\tnull,\n\t\t"level",\n\t\t{"key": "level", "name": "Level", "field": "none"},',
		notes: ['16:3 points[0]: must be of type object (null)', '17:3 points[1]: must be of type object ("level")'],
	},
};

for (const [name, { from, to, notes }] of Object.entries(bad))
	test(`every mistake of a serial template has its line: ${name}`, (t) => {
		t.true(preview(gauge).isSound, JSON.stringify(told(gauge)));
		const spoilt = gauge.replace(from, to);
		t.not(spoilt, gauge);
		t.false(preview(spoilt).isSound);
		t.deepEqual(told(spoilt), notes);
	});

test('mistakes of the header and of the points are told together', (t) => {
	const spoilt = gauge.replace('"level sensor"', '7').replace('"name": "Again"', '"name": ""');
	t.deepEqual(
		told(spoilt).map((note) => note.split(':')[0]),
		['5', '19'],
	);
});

test('a file without points says so, and so does one whose points are no list', (t) => {
	t.deepEqual(told('{"kind": "serial",\n"points": {}}'), ['2:11 -: points: must be a list']);
	const without = told(gauge.replace(/"points": \[[^]*\]/, '"points": []'));
	t.is(without.length, 1);
	t.regex(without[0] ?? '', /^15:12 points: must contain at least 1/);
	const missing = told('{"kind": "serial", "framing": {"by": "gap", "gap_ms": 5}}');
	t.true(missing.length > 1);
	t.false(preview('{"extends": "nobody"}').isSound);
});

test('a serial template that is no JSON says where', (t) => {
	t.deepEqual(told(gauge.replace('"by": "delimiter",', '"by": "delimiter"')), [
		'8:3 -: must be , or } ("end": "\\\\r\\\\n")',
	]);
});
