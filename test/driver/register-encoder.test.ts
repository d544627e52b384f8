import test from 'ava';
import fc from 'fast-check';

import type { ByteOrder, RegisterType, TemplatePoint } from '../../config/template/template.ts';
import { writeMistake } from '../../config/template/write-rules.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createReadDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { encodeWrite } from '../../gateway/driver/modbus/codec/register-encoder.ts';
import { template } from '../fake/plain-plan.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const ORDERS: Readonly<Record<number, readonly ByteOrder[]>> = {
	1: ['AB', 'BA'],
	2: ['ABCD', 'CDAB', 'BADC', 'DCBA'],
	4: ['ABCDEFGH', 'GHEFCDAB', 'BADCFEHG', 'HGFEDCBA'],
};

const writable = (over: Partial<TemplatePoint>): TemplatePoint => modbusPoint({ access: 'rw', ...over });

/** What the decoder reads where the encoder has written. */
function readBack(point: TemplatePoint, value: unknown): unknown {
	const { words, functionCode } = encodeWrite(point, value);
	const { address, count } = point;
	const request = { functionCode: point.functionCode, address, count, points: [point], keys: [point.key] };
	const data = Buffer.alloc(functionCode === 5 ? 1 : 2 * count);
	if (functionCode === 5) data.writeUInt8(words[0] ?? 0);
	else words.forEach((word, at) => data.writeUInt16BE(word, 2 * at));
	return createReadDecoder(request)(data).values[0];
}

/** Whole numbers as the decoder gives them: `bigint` beyond 2^53. */
const asRead = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

const whole: readonly (readonly [type: RegisterType, count: number, min: bigint, max: bigint])[] = [
	['int16', 1, -(2n ** 15n), 2n ** 15n - 1n],
	['uint16', 1, 0n, 2n ** 16n - 1n],
	['int32', 2, -(2n ** 31n), 2n ** 31n - 1n],
	['uint32', 2, 0n, 2n ** 32n - 1n],
	['int64', 4, -(2n ** 63n), 2n ** 63n - 1n],
	['uint64', 4, 0n, 2n ** 64n - 1n],
	['bits', 1, 0n, 2n ** 16n - 1n],
	['bits', 2, 0n, 2n ** 32n - 1n],
	['bits', 4, 0n, 2n ** 64n - 1n],
];
for (const [type, count, min, max] of whole) {
	test(`${type} of ${count} registers is read as it was written, in every byte order, and holds no more`, (t) => {
		for (const byteOrder of ORDERS[count] ?? []) {
			const point = writable({ type, count, byteOrder });
			fc.assert(
				fc.property(fc.bigInt({ min, max }), (value) => {
					const read = asRead(value);
					return readBack(point, typeof read === 'bigint' ? String(read) : read) === read;
				}),
			);
			for (const outside of [min - 1n, max + 1n]) {
				const value = asRead(outside);
				const text = typeof value === 'bigint' ? String(value) : value;
				const fault = t.throws(() => encodeWrite(point, text), { instanceOf: Fault });
				t.is(fault.field, 'payload.value');
			}
		}
	});
}

test('a scaled whole number is read as it was written, and a value between two steps is refused', (t) => {
	const scales = [0.1, 0.01, 0.001, 10, 100, 1 / 3, 0.0001220703125, -1];
	for (const type of ['int16', 'uint32', 'int64'] as const) {
		const count = type === 'int16' ? 1 : type === 'uint32' ? 2 : 4;
		fc.assert(
			fc.property(
				fc.constantFrom(...scales),
				fc.constantFrom(0, -40, 273.15),
				fc.integer({ min: 0, max: 32_767 }),
				(scale, offset, raw) => {
					const point = writable({ type, count, byteOrder: ORDERS[count]?.[0] ?? 'AB', scale, offset });
					const words = Array.from({ length: count }, (_, at) => (at === count - 1 ? raw : 0));
					const data = Buffer.alloc(2 * count);
					words.forEach((word, at) => data.writeUInt16BE(word, 2 * at));
					const request = { functionCode: 3 as const, address: 0, count, points: [point], keys: [point.key] };
					const [value] = createReadDecoder(request)(data).values;
					return encodeWrite(point, value).words.join() === words.join() && readBack(point, value) === value;
				},
			),
		);
	}
	const point = writable({ type: 'int16', scale: 0.1, unit: 'V' });
	t.throws(() => encodeWrite(point, 230.15), { message: /steps of 0.1 \(the nearest is 230.[12]\)/ });
	t.throws(() => encodeWrite(point, 3_276.8), { message: /fit into 16 bits with a sign/ });
	t.throws(() => encodeWrite(point, 1e300), { message: /fit into its registers/ });
});

test('float32 takes the nearest number it has and float64 the number itself, in every byte order', (t) => {
	for (const byteOrder of ORDERS[2] ?? [])
		fc.assert(
			fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) =>
				Object.is(readBack(writable({ type: 'float32', count: 2, byteOrder }), value), value),
			),
		);
	for (const byteOrder of ORDERS[4] ?? [])
		fc.assert(
			fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
				Object.is(readBack(writable({ type: 'float64', count: 4, byteOrder }), value), value),
			),
		);
	const point = writable({ type: 'float32', count: 2, byteOrder: 'ABCD' });
	t.is(readBack(point, 230.1), Math.fround(230.1));
	t.throws(() => encodeWrite(point, 1e39), { message: /fit into float32/ });
	const kilo = writable({ type: 'float32', count: 2, byteOrder: 'CDAB', scale: 1_000 });
	t.is(readBack(kilo, 2_500), 2_500);
});

test('a text is read as it was written, in both byte orders, or refused', (t) => {
	for (const byteOrder of ORDERS[1] ?? [])
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
				const point = writable({ type: 'string', count: 16, byteOrder });
				try {
					return readBack(point, text) === text;
				} catch (error) {
					return error instanceof Fault && error.field === 'payload.value';
				}
			}),
		);
	const point = writable({ type: 'string', count: 4 });
	t.is(readBack(point, 'Kühler'), 'Kühler');
	for (const text of ['123456789', 'a ', 'a\0b', '\ud800'])
		t.throws(() => encodeWrite(point, text), { instanceOf: Fault });
});

test('a coil is written by function 5, one register by 6, several by 16', (t) => {
	t.deepEqual(encodeWrite(writable({ type: 'bool', functionCode: 1, address: 9 }), true), {
		functionCode: 5,
		address: 9,
		words: [1],
		masks: null,
	});
	t.true(readBack(writable({ type: 'bool', functionCode: 1 }), true) === true);
	t.is(encodeWrite(writable({}), 7).functionCode, 6);
	t.is(encodeWrite(writable({ type: 'uint32', count: 2, byteOrder: 'ABCD' }), 7).functionCode, 16);
	const long = writable({ type: 'string', count: 124 });
	t.is(t.throws(() => encodeWrite(long, 'a'), { instanceOf: Fault }).field, 'payload.point');
});

test('a pattern that means "no value" is not written', (t) => {
	const point = writable({ invalid: ['FFFF'] });
	t.throws(() => encodeWrite(point, 65_535), { message: /no value/ });
	t.notThrows(() => encodeWrite(point, 65_534));
});

const points = [
	writable({ key: 'mode', enum: { 1: 'heat', 2: 'cool' } }),
	writable({ key: 'limit', address: 1, min: 5, max: 30, unit: 'A' }),
	writable({ key: 'least', address: 2, min: 5 }),
	writable({ key: 'ratio', address: 3, type: 'float32', count: 2, byteOrder: 'ABCD' }),
	writable({ key: 'pump', functionCode: 1, type: 'bool' }),
	writable({ key: 'label', address: 5, type: 'string', count: 4 }),
	writable({ key: 'order', address: 9, access: 'w' }),
	writable({ key: 'total', address: 10, type: 'uint64', count: 4, byteOrder: 'ABCDEFGH' }),
	writable({ key: 'serial', address: 14, access: 'r' }),
	writable({ key: 'input', functionCode: 4, address: 0 }),
	writable({ key: 'contact', functionCode: 2, type: 'bool' }),
];

const mistakes: readonly (readonly [point: unknown, value: unknown, sentence: RegExp | null])[] = [
	['mode', 1, null],
	['mode', 3, /be one of 1 \(heat\), 2 \(cool\) for point mode; found 3/],
	['mode', 'heat', /be one of 1 \(heat\), 2 \(cool\) for point mode; found "heat"/],
	['limit', 30, null],
	['limit', 31, /be at least 5 and at most 30 A for point limit; found 31/],
	['limit', 7.5, /be a whole number/],
	['least', 4, /be at least 5 for point least/],
	['ratio', 0.5, null],
	['ratio', Number.NaN, /be a number/],
	['pump', true, null],
	['pump', 1, /be true or false/],
	['label', 'a', null],
	['label', 1, /be a text/],
	['order', 1, null],
	['total', '18446744073709551615', null],
	['total', 2 ** 53, /beyond 2\^53 as text/],
	['total', 'x', /be a number/],
	['serial', 1, /serial can only be read/],
	['input', 1, /input can only be read/],
	['contact', true, /contact can only be read/],
	['none', 1, /be a point of template plain; found "none"/],
	[null, 1, /be a point of template plain; found null/],
];
for (const [point, value, sentence] of mistakes)
	test(`writing ${String(value)} to ${String(point)} is ${sentence === null ? 'allowed' : 'refused with the rule'}`, (t) => {
		const mistake = writeMistake(template(points), { point, value });
		if (sentence === null) t.is(mistake, null);
		else t.regex(mistake?.sentence ?? '', sentence);
	});
