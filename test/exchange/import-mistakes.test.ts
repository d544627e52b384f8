import { deflateRawSync } from 'node:zlib';

import test from 'ava';
import fc from 'fast-check';

import { parseTemplate } from '../../config/template/template-schema.ts';
import { xlsxSheets } from '../../gateway/template/file/xlsx-reader.ts';
import { xlsxOf } from '../../gateway/template/file/xlsx-writer.ts';
import { IMPORT_FORMATS, type ImportFormat } from '../../gateway/template/import/import-formats.ts';
import { toImportRequest } from '../../gateway/template/import/import-schema.ts';
import { type ImportPreview, previewOf, readImport, unreadable } from '../../gateway/template/import/import-preview.ts';
import { ImportFault } from '../../gateway/template/import/imported.ts';
import { optionsOf } from '../fake/import-options.ts';

const shipped = parseTemplate('meter', {
	manufacturer: 'A',
	model: 'B',
	category: 'c',
	transports: ['rtu'],
	points: [
		{ key: 'a', name: 'A', function: 3, address: 0, count: 1, type: 'uint16', byte_order: 'AB' },
		{ key: 'b', name: 'B', function: 3, address: 1, count: 1, type: 'uint16', byte_order: 'AB' },
	],
});

function preview(format: ImportFormat | 'auto', content: string | Buffer, key = 'new', fileName = ''): ImportPreview {
	const read = readImport({ key, format, fileName, content: Buffer.from(content), options: optionsOf() });
	if (read instanceof ImportFault) return unreadable(format, read.note);
	return previewOf(key, read, { parse: parseTemplate, current: key === 'meter' ? shipped : undefined });
}

interface Bad {
	readonly format: ImportFormat;
	readonly content: string | Buffer;
	/** `line:column field value` of each mistake. */
	readonly mistakes: readonly string[];
}

const HEAD = 'key,name,function,address,count,type,byte_order,scale';

const bad: Readonly<Record<string, Bad>> = {
	'cells that are wrong': {
		format: 'csv',
		content: `${HEAD}\na,A,9,0,1,uint16,AB,1\nb,B,3,x,1,uint16,AB,1\nc,C,3,2,1,uint17,AB,1\nd,D,3,3,1,uint16,QQ,1\ne,E,3,4,1,uint16,AB,much\n`,
		mistakes: ['2:3 function 9', '3:4 address x', '4:6 type uint17', '5:7 byte_order QQ', '6:8 scale much'],
	},
	'rules of templates': {
		format: 'csv',
		content: `${HEAD}\n\na,A,3,0,2,uint16,AB,1\na,A,3,1,1,uint16,AB,0\n`,
		mistakes: ['3:- count 2', '4:- scale null', '4:- key null', '4:- address null'],
	},
	'no titles': { format: 'csv', content: 'just,some\ntext,here\n', mistakes: ['1:- null null', '-:- points null'] },
	'an open quote': { format: 'csv', content: `${HEAD}\na,"A\n\n`, mistakes: ['2:- null null'] },
	'a cell of a workbook': {
		format: 'xlsx',
		content: xlsxOf([
			{ name: 'Notes', rows: [{ line: 1, cells: ['hello'] }] },
			{
				name: 'Map',
				rows: [
					{ line: 4, cells: HEAD.split(',') },
					{ line: 9, cells: ['a', 'A', '3', '-4', '1', 'uint16', 'AB', '1'] },
				],
			},
		]),
		mistakes: ['9:4 address -4 Map!D9', '-:- points null'],
	},
	'TOML that is none': {
		format: 'telegraf',
		content: '[[inputs.modbus]]\nname = "x"\ncoils = [ { name = } ]\n',
		mistakes: ['3:20 null } ]'],
	},
	'TOML with the same key twice': {
		format: 'telegraf',
		content: '[[inputs.modbus]]\nname = "x"\nname = "y"\n',
		mistakes: ['3:1 null name'],
	},
	'Telegraf types and addresses': {
		format: 'telegraf',
		content:
			'[[inputs.modbus]]\nholding_registers = [\n  { name = "a", data_type = "INT99", address = [0] },\n  { name = "b", data_type = "INT32", address = [1,3] },\n  { name = "c", data_type = "INT16", byte_order = "X", address = [5] },\n]\n',
		mistakes: ['3:29 type INT99', '4:48 address 1, 3', '5:51 byte_order X', '-:- points null'],
	},
	'Home Assistant members': {
		format: 'home-assistant',
		content:
			'modbus:\n  - sensors:\n      - name: A\n      - { name: B, address: 1, swap: bits }\n      - { address: 2 }\n',
		mistakes: ['3:9 address null', '4:38 swap bits', '5:9 name null', '-:- points null'],
	},
	'YAML that is none': { format: 'home-assistant', content: 'modbus:\n  - a: [1, 2\n', mistakes: ['3:1 null null'] },
	'JSON that is none': {
		format: 'thingsboard',
		content: '{\n "master": {\n  "slaves": [ {"unitId": 01} ]\n }\n}',
		mistakes: ['3:27 null 1} ]'],
	},
	'ThingsBoard entries': {
		format: 'thingsboard',
		content:
			'{"slaves":[{"timeseries":[\n{"tag":"a","type":"7int","functionCode":3,"address":0},\n{"tag":"b","type":"16int","functionCode":9,"address":0}]}]}',
		mistakes: ['2:19 type 7int', '3:42 functionCode 9', '-:- points null'],
	},
	'Neuron addresses': {
		format: 'neuron',
		content: '{"tags":[\n{"name":"a","address":"400001","type":3},\n{"name":"b","address":"1!400001","type":99}]}',
		mistakes: ['2:23 address 400001', '3:41 type 99', '-:- points null'],
	},
	'a model without a size': {
		format: 'sunspec',
		content: '{"id":1,"group":{"name":"x","points":[\n{"name":"A","type":"uint16"}]}}',
		mistakes: ['2:1 points null', '-:- points null'],
	},
	'a template with a wrong member': {
		format: 'template',
		content:
			'{"manufacturer":"A","model":"B","category":"c","transports":["rtu"],"points":[\n{"key":"A!","name":"","function":3,"address":0,"count":1,"type":"uint16","byte_order":"AB"}]}',
		mistakes: ['2:8 key "A!"', '2:20 name ""'],
	},
};

for (const [name, { format, content, mistakes }] of Object.entries(bad))
	test(`every mistake has its line: ${name}`, (t) => {
		const { notes, isSound } = preview(format, content);
		t.false(isSound);
		const found = notes.filter(({ severity }) => severity === 'mistake');
		t.deepEqual(
			found.map(({ place: { line, column, sheet, cell }, field, value }) =>
				[`${line ?? '-'}:${column ?? '-'} ${field} ${value}`, sheet === null || cell === null ? '' : `${sheet}!${cell}`]
					.join(' ')
					.trim(),
			),
			mistakes,
		);
		for (const { rule } of found) t.true(rule.length > 5, rule);
	});

test('a row without a name gets that of its place, and says so', (t) => {
	const { notes, document, isSound } = preview(
		'csv',
		`${HEAD}\na,A,3,0,1,uint16,AB,1\n,,3,7,1,uint16,AB,1\n,,1,7,1,,,\n`,
	);
	t.true(isSound);
	t.deepEqual(
		notes.map(({ severity, place, field }) => [severity, place.line, field]),
		[
			['warning', 3, 'name'],
			['warning', 4, 'name'],
		],
	);
	t.like(document, {
		points: [{ key: 'a' }, { key: 'register_7', name: 'Register 7' }, { key: 'bit_7', name: 'Bit 7' }],
	});
});

test('a file is held against the template that it would replace', (t) => {
	const content = `${HEAD}\nb,B,3,5,1,uint16,AB,0.1\nc,C,3,6,1,uint16,AB,1\n`;
	const { diff, isSound, document } = preview('auto', content, 'meter', 'meter.csv');
	t.true(isSound);
	t.deepEqual(diff?.added, ['c']);
	t.deepEqual(diff?.removed, ['a']);
	t.deepEqual(diff?.changed, [
		{
			key: 'b',
			members: [
				{ member: 'address', before: 1, after: 5 },
				{ member: 'scale', before: 1, after: 0.1 },
			],
		},
	]);
	t.true(diff?.header.some(({ member, before }) => member === 'manufacturer' && before === 'A'));
	t.is(preview('csv', content).diff, null);
	t.notThrows(() => parseTemplate('meter', document));
});

test('a workbook that would unpack to more than it may is refused, whatever it says of its size', (t) => {
	const bomb = xlsxOf([{ name: 'A', rows: [{ line: 1, cells: ['x'.repeat(40_000_000)] }] }]);
	t.true(bomb.length < 100_000);
	t.regex(preview('xlsx', bomb).notes[0]?.rule ?? '', /unpacks to more than/);
	const liar = xlsxOf([{ name: 'A', rows: [{ line: 1, cells: ['y'.repeat(50_000)] }] }]);
	for (let at = 0; at < liar.length - 46; at += 1)
		if (liar.readUInt32LE(at) === 0x0201_4b50) liar.writeUInt32LE(10, at + 24);
	t.regex(preview('xlsx', liar).notes[0]?.rule ?? '', /unpacks to more than it says|damaged/);
});

test('entities and document types in a workbook, and aliases in YAML, are refused', (t) => {
	const sheet =
		'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row r="1"><c r="A1"><v>&a;</v></c></row></sheetData></worksheet>';
	const honest = xlsxOf([{ name: 'A', rows: [{ line: 1, cells: ['x'] }] }]);
	t.deepEqual(xlsxSheets(honest), [{ name: 'A', rows: [{ line: 1, cells: ['x'] }] }]);
	t.regex(preview('xlsx', withFile(honest, 'xl/worksheets/sheet1.xml', sheet)).notes[0]?.rule ?? '', /document type/);
	const yaml = 'a: &a [x, x]\nmodbus:\n  - sensors: *a\n';
	const [note] = preview('home-assistant', yaml).notes;
	t.regex(note?.rule ?? '', /aliases/);
	t.is(note?.place.line, 3);
});

/** The archive with another content of one file, by the list at its end. */
function withFile(zip: Buffer, name: string, text: string): Buffer {
	const end = zip.length - 22;
	let at = zip.readUInt32LE(end + 16);
	const copy = Buffer.from(zip);
	for (let index = 0; index < zip.readUInt16LE(end + 10); index += 1) {
		const nameBytes = zip.readUInt16LE(at + 28);
		if (zip.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
			const packed = deflateRawSync(Buffer.from(text));
			const local = Buffer.alloc(30);
			local.writeUInt32LE(0x0403_4b50, 0);
			// The new content stands in front of everything: all other places move by its length.
			copy.writeUInt32LE(packed.length, at + 20);
			copy.writeUInt32LE(Buffer.byteLength(text), at + 24);
			copy.writeUInt32LE(zip.length, at + 42);
			const listAt = zip.readUInt32LE(end + 16);
			const list = copy.subarray(listAt, end);
			const tail = Buffer.from(zip.subarray(end));
			tail.writeUInt32LE(zip.length + local.length + packed.length, 16);
			return Buffer.concat([zip, local, packed, list, tail]);
		}
		at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
	}
	throw new RangeError(name);
}

test('a megabyte of one character is judged in one pass, wherever it stands', (t) => {
	const most = 1_000_000;
	const titles = 'name,address,type,access\n';
	const cells: readonly (readonly [place: string, content: string])[] = [
		['a title', `"${'('.repeat(most)}\nx",address\n`],
		['a type', `${titles}a,1,u${' '.repeat(most)}x,r\n`],
		['an access', `${titles}a,1,uint16,r${' '.repeat(most)}x\n`],
		['an access in words', `${titles}a,1,uint16,read${' '.repeat(most)}x\n`],
		['a remark', `# model: x${','.repeat(most / 4)}y\n`],
	];
	for (const [place, content] of cells) t.false(preview('csv', content).isSound, place);
	t.false(preview('auto', `${'\n'.repeat(most)}x`).isSound);
	const honest = xlsxOf([{ name: 'A', rows: [{ line: 1, cells: ['x'] }] }]);
	t.false(preview('xlsx', withFile(honest, 'xl/worksheets/sheet1.xml', `<${'a'.repeat(most)}>`)).isSound);
	const body = { format: 'csv', file_name: '', content: `${' '.repeat(most)}!`, encoding: 'base64' } as const;
	const { functionCode, ...rest } = optionsOf();
	const options = { addressing: rest.addressing, function: functionCode, sunspec_address: rest.sunspecAddress };
	t.throws(() => toImportRequest({ ...body, options }), { message: /must be base64/ });
});

test('files that are nested too deep are refused, in every form', (t) => {
	const deep: readonly (readonly [ImportFormat, string])[] = [
		['template', '['.repeat(100_000)],
		['thingsboard', '{"a":'.repeat(100_000)],
		['home-assistant', `modbus: ${'['.repeat(50_000)}`],
		['home-assistant', `modbus:\n  ${'- '.repeat(50_000)}`],
		['telegraf', `a = ${'['.repeat(100_000)}`],
		['telegraf', `${'a.'.repeat(100_000)}b = 1`],
	];
	for (const [format, content] of deep) {
		const { notes } = preview(format, content);
		t.is(notes[0]?.severity, 'mistake', format);
		t.regex(notes[0]?.rule ?? '', /deep/, format);
	}
});

test('no bytes make an importer throw, and whatever it calls sound is a template', (t) => {
	const words = fc.constantFrom(
		'[',
		']',
		'{',
		'}',
		'"',
		"'",
		',',
		';',
		'\t',
		'\n',
		':',
		'=',
		'#',
		'- ',
		'  ',
		'&a ',
		'*a',
		'modbus',
		'sensors',
		'address',
		'name',
		'type',
		'[[inputs.modbus]]',
		'coils',
		'1',
		'40001',
		'uint16',
		'tags',
		'1!400001',
		'PK',
		'\0',
		'é',
		'!x ',
	);
	const texts = fc.array(words, { maxLength: 60 }).map((parts) => parts.join(''));
	const content = fc.oneof(texts, fc.string({ unit: 'binary' })).map((text) => Buffer.from(text));
	const anything = fc.oneof(
		content,
		fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
	);
	fc.assert(
		fc.property(fc.constantFrom('auto' as const, ...IMPORT_FORMATS), anything, (format, bytes) => {
			const { isSound, document, notes } = preview(format, bytes);
			t.true(notes.every(({ rule }) => rule !== ''));
			if (isSound) parseTemplate('new', document);
		}),
		{ numRuns: 3000 },
	);
});

test('a workbook with damaged bytes is read or refused, and never more', (t) => {
	const sound = xlsxOf([
		{
			name: 'Map',
			rows: [
				{ line: 1, cells: HEAD.split(',') },
				{ line: 2, cells: ['a', 'A', '3', '4', '1', 'uint16', 'AB', '1'] },
			],
		},
	]);
	t.true(preview('xlsx', sound).isSound);
	const damage = fc.array(fc.record({ at: fc.nat(sound.length - 1), byte: fc.integer({ min: 0, max: 255 }) }), {
		minLength: 1,
		maxLength: 8,
	});
	fc.assert(
		fc.property(damage, fc.nat(sound.length), (changes, length) => {
			const bytes = Buffer.from(sound);
			for (const { at, byte } of changes) bytes[at] = byte;
			preview('xlsx', bytes);
			preview('xlsx', bytes.subarray(0, length));
		}),
		{ numRuns: 1000 },
	);
	t.pass();
});
