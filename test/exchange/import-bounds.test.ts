import test from 'ava';

import { xlsxSheets } from '../../gateway/template/file/xlsx-reader.ts';
import { xlsxOf } from '../../gateway/template/file/xlsx-writer.ts';
import { xmlTokens } from '../../gateway/template/file/xml-scan.ts';
import { importFile } from '../../gateway/template/import/import-formats.ts';
import { sunspecFields } from '../../gateway/sunspec/sunspec-fields.ts';
import { optionsOf } from '../fake/import-options.ts';

const read = (xml: string): number => [...xmlTokens(xml)].length;

/** Most points of a template. */
const MOST = 5000;

test('what an entry repeats is not made once the template is full', (t) => {
	const timeseries = Array.from({ length: 14_000 }, (_, address) => ({
		tag: 'a',
		functionCode: 1,
		objectsCount: 256,
		address,
	}));
	const slaves = Buffer.from(JSON.stringify({ slaves: [{ unitId: 1, timeseries }] }));
	t.is(importFile('thingsboard', slaves, optionsOf()).document.points.length, MOST);
	const sensors = Array.from({ length: 60 }, (_, index) => `{name: s${index}, address: 1, virtual_count: 1000}`);
	const yaml = Buffer.from(`modbus:\n  - name: h\n    sensors: [${sensors.join(', ')}]\n`);
	t.is(importFile('home-assistant', yaml, optionsOf()).document.points.length, MOST);
	const point = { name: 'p', type: 'uint16', size: 10 };
	const model = { id: 1, group: { name: 'g', points: [point], groups: [{ name: 'r', count: 900, points: [point] }] } };
	const models = Buffer.from(JSON.stringify(Array.from({ length: 6000 }, () => model)));
	t.is(importFile('sunspec', models, optionsOf()).document.points.length, MOST);
});

test('a group without registers does not repeat, however often it says so and wherever it stands', (t) => {
	const nothing = { name: 'n', count: 1000, groups: [{ name: 'n', count: 1000, groups: [{ name: 'n', count: 0 }] }] };
	const group = { name: 'g', groups: [nothing, { name: 'w', points: [{ name: 'w', type: 'uint16', size: 9 }] }] };
	const fields = sunspecFields({ id: 1, group }, { id: 1, address: 0, length: 7, words: null });
	t.deepEqual(
		fields.map(({ point: { name }, address }) => [name, address]),
		[['w', 0]],
	);
});

test('cells that a row leaves out count as cells of a table', (t) => {
	const rows = Array.from({ length: 2500 }, (_, index) => ({ line: index + 1, cells: [...Array(199).fill(''), '1'] }));
	t.throws(() => xlsxSheets(xlsxOf([{ name: 'A', rows }])), { message: /at most 400000 cells/ });
	t.notThrows(() => xlsxSheets(xlsxOf([{ name: 'A', rows: rows.slice(0, 1900) }])));
});

test('a text of nothing but tags is refused before it takes the memory', (t) => {
	t.is(read('<a><b c="1"/>x</a >'), 4);
	t.throws(
		() => {
			for (const token of xmlTokens('<a/>'.repeat(2_000_001))) if (token.kind === 'text') t.fail();
		},
		{ message: /more than 2000000 tags/ },
	);
	t.throws(() => read(`<a ${'b'.repeat(20_000)}>`), { message: /tags of more than 10000 characters/ });
});
