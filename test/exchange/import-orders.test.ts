import test from 'ava';

import { formatOf, importFile } from '../../gateway/template/import/import-formats.ts';
import { optionsOf } from '../fake/import-options.ts';
import { pointLines } from '../fake/point-lines.ts';

const chiller = (slave: object, ...timeseries: readonly object[]): Buffer =>
	Buffer.from(JSON.stringify({ master: { slaves: [{ unitId: 1, deviceName: 'C', ...slave, timeseries }] } }));

const entry = (tag: string, type: string, objectsCount: number, more: object = {}): object => ({
	tag,
	type,
	objectsCount,
	functionCode: 3,
	address: 10 * tag.charCodeAt(0),
	...more,
});

test('the ThingsBoard gateway takes the low byte and the low word first unless it is told BIG', (t) => {
	const numbers = [entry('a', '16int', 1), entry('b', '32float', 2)];
	t.deepEqual(pointLines('thingsboard', chiller({}, ...numbers), optionsOf()), [
		'a 3:970/1 int16 BA',
		'b 3:980/2 float32 DCBA',
	]);
	t.deepEqual(pointLines('thingsboard', chiller({ byteOrder: 'big', wordOrder: 'Big' }, ...numbers), optionsOf()), [
		'a 3:970/1 int16 AB',
		'b 3:980/2 float32 ABCD',
	]);
	const own = chiller({}, entry('b', '32float', 2, { byteOrder: 'BIG', wordOrder: 'LITTLE' }));
	t.deepEqual(pointLines('thingsboard', own, optionsOf()), ['b 3:980/2 float32 CDAB']);
});

test('texts, bytes and bits of the ThingsBoard gateway come as they are, whatever the order', (t) => {
	const content = chiller(
		{},
		entry('a', 'string', 2),
		entry('b', 'bytes', 2),
		entry('c', '8uint', 1),
		entry('d', 'bits', 16, { bit: 3 }),
	);
	t.deepEqual(pointLines('thingsboard', content, optionsOf()), [
		'a 3:970/2 string AB',
		'b 3:980/2 raw AB',
		'c 3:990/1 uint8h AB',
		'd 3:1000/1 bit AB bit3',
	]);
	const { notes } = importFile('thingsboard', chiller({}, entry('e', 'bits', 16)), optionsOf());
	t.deepEqual(
		notes.map(({ severity, field }) => [severity, field]),
		[['warning', 'type']],
	);
});

test('types of the ThingsBoard gateway without a width are as wide as their registers', (t) => {
	const big = { byteOrder: 'BIG', wordOrder: 'BIG' };
	const content = chiller(
		big,
		entry('a', 'long', 4),
		entry('b', 'double', 2),
		entry('c', 'int', 1),
		entry('d', 'uint', 2),
	);
	t.deepEqual(pointLines('thingsboard', content, optionsOf()), [
		'a 3:970/4 int64 ABCDEFGH',
		'b 3:980/2 float32 ABCD',
		'c 3:990/1 int16 AB',
		'd 3:1000/2 uint32 ABCD',
	]);
});

test('beside a divider the multiplier of the ThingsBoard gateway does not count', (t) => {
	const content = chiller({ byteOrder: 'BIG' }, entry('a', '16int', 1, { divider: 10, multiplier: 3 }));
	t.deepEqual(pointLines('thingsboard', content, optionsOf()), ['a 3:970/1 int16 AB x0.1']);
	t.deepEqual(
		importFile('thingsboard', content, optionsOf()).notes.map(({ field }) => field),
		['multiplier'],
	);
});

test('orders of Neuron are those of its driver', (t) => {
	const tags = [
		['a', '1!400001#B', 4],
		['b', '1!400011#L', 4],
		['c', '1!400021#LL', 6],
		['d', '1!400031#LB', 6],
		['e', '1!400041#BL', 6],
		['f', '1!400051#BB', 6],
		['g', '1!400061#B', 8],
		['h', '1!400071#BL', 8],
		['i', '1!400081', 10],
	].map(([name, address, type]) => ({ name, address, type, attribute: 1 }));
	t.deepEqual(
		pointLines('neuron', Buffer.from(JSON.stringify({ tags })), optionsOf()).map((line) => line.split(' ').at(3)),
		['BA', 'AB', 'ABCD', 'BADC', 'CDAB', 'DCBA', 'HGFEDCBA', 'GHEFCDAB', 'ABCDEFGH'],
	);
});

test('words that every object of the language knows are no types, orders or endings', (t) => {
	const csv = Buffer.from('key,function,address,type,byte_order\na,3,1,uint16,constructor\nb,3,2,constructor,\n');
	t.is(formatOf('x.constructor', csv), 'csv');
	t.deepEqual(
		importFile('csv', csv, optionsOf())
			.notes.filter(({ severity }) => severity === 'mistake')
			.map(({ field }) => field),
		['byte_order', 'type', 'points'],
	);
	const tags = JSON.stringify({ tags: [{ name: 'a', address: '1!400001', type: 'constructor', attribute: 1 }] });
	t.deepEqual(
		importFile('neuron', Buffer.from(tags), optionsOf()).notes.map(({ field }) => field),
		['type', 'points'],
	);
	const yaml = 'modbus:\n  - name: h\n    sensors:\n      - { name: s, address: 1, swap: constructor }\n';
	t.deepEqual(
		importFile('home-assistant', Buffer.from(yaml), optionsOf()).notes.map(({ field }) => field),
		['swap', 'points'],
	);
	const group = { name: 'g', points: [{ name: 'a', type: 'uint16', size: 1, units: 'constructor' }] };
	const { document } = importFile('sunspec', Buffer.from(JSON.stringify({ id: 1, group })), optionsOf());
	t.is(Reflect.get(document.points[0] ?? {}, 'unit'), 'constructor');
});
