import { inspect } from 'node:util';

import test from 'ava';
import fc from 'fast-check';

import { orderLengths } from '../../config/template/register-types.ts';
import type { RegisterType, TemplatePoint } from '../../config/template/template.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';
import { float16Of, toFloat16 } from '../../gateway/driver/modbus/codec/float16.ts';
import { linearScale, roundTo, scaledByTens } from '../../gateway/driver/modbus/codec/linear-scale.ts';
import { createDeviceDecoder, createReadDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import type { ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

function requestFor(points: readonly TemplatePoint[], address: number, count: number): ReadRequest {
	return { functionCode: points[0]?.functionCode ?? 3, address, count, points, keys: points.map(({ key }) => key) };
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Decodes one value that fills the whole answer. */
function decodeOne(over: Partial<TemplatePoint>, data: string): { value: SampleValue | undefined; quality: Quality } {
	const point = modbusPoint({ count: hex(data).length / 2, ...over });
	const { values, qualities } = createReadDecoder(requestFor([point], point.address, point.count))(hex(data));
	return { value: values[0], quality: qualities?.[0] ?? 'good' };
}

interface Row {
	readonly over: Partial<TemplatePoint> & { readonly type: RegisterType };
	readonly words: string;
	readonly value: SampleValue;
}

/** `null`: no value, out of range. */
const rows: readonly Row[] = [
	{ over: { type: 'bit', bit: 0 }, words: '0001', value: true },
	{ over: { type: 'bit', bit: 15 }, words: '7FFF', value: false },
	{ over: { type: 'bit', bit: 8, byteOrder: 'BA' }, words: '0001', value: true },
	{ over: { type: 'int8h' }, words: 'FE01', value: -2 },
	{ over: { type: 'int8l', byteOrder: 'BA' }, words: 'FE01', value: -2 },
	{ over: { type: 'uint8l', scale: 0.5 }, words: 'FE03', value: 1.5 },
	{ over: { type: 'uint16', slice: { first: 4, count: 4 } }, words: 'FFA5', value: 10 },
	{ over: { type: 'int16', slice: { first: 4, count: 4 } }, words: '00F0', value: -1 },
	{ over: { type: 'uint16', slice: { first: 0, count: 16 } }, words: 'FFFF', value: 65_535 },
	{ over: { type: 'uint16', mask: '00FF' }, words: 'AA12', value: 0x12 },
	{ over: { type: 'uint16', mask: 'FF00', slice: { first: 8, count: 8 }, scale: 0.1 }, words: 'AA12', value: 17 },
	{ over: { type: 'uint32', byteOrder: 'CDAB', slice: { first: 28, count: 4 } }, words: '0000 9000', value: 9 },
	{ over: { type: 'int32', byteOrder: 'ABCD', slice: { first: 28, count: 4 } }, words: '9000 0000', value: -7 },
	{
		over: { type: 'uint64', byteOrder: 'ABCDEFGH', slice: { first: 1, count: 63 } },
		words: 'FFFF FFFF FFFF FFFF',
		value: 2n ** 63n - 1n,
	},
	{
		over: { type: 'uint64', byteOrder: 'ABCDEFGH', mask: '00000000FFFFFFFF' },
		words: 'FFFF FFFF 0000 0010',
		value: 16,
	},
	{ over: { type: 'bits', byteOrder: 'AB' }, words: '0001 0000 8001', value: 0x0001_0000_8001 },
	{ over: { type: 'float16' }, words: '3C00', value: 1 },
	{ over: { type: 'float16' }, words: '0001', value: 2 ** -24 },
	{ over: { type: 'float16' }, words: '7BFF', value: 65_504 },
	{ over: { type: 'float16' }, words: '7C00', value: null },
	{ over: { type: 'float16' }, words: 'FE00', value: null },
	{ over: { type: 'bcd16' }, words: '9876', value: 9_876 },
	{ over: { type: 'bcd16', scale: 0.01 }, words: '1234', value: 12.34 },
	{ over: { type: 'bcd16' }, words: '12A4', value: null },
	{ over: { type: 'bcd16' }, words: 'A234', value: null },
	{ over: { type: 'bcd32', byteOrder: 'CDAB' }, words: '5678 1234', value: 12_345_678 },
	{ over: { type: 'bcd64', byteOrder: 'ABCDEFGH' }, words: '0000 0000 1234 5678', value: 12_345_678 },
	{ over: { type: 'bcd64', byteOrder: 'ABCDEFGH' }, words: '9999 9999 9999 9999', value: 9_999_999_999_999_999n },
	{ over: { type: 'bcd64', byteOrder: 'ABCDEFGH' }, words: '9999 999F 9999 9999', value: null },
	{ over: { type: 'raw', byteOrder: 'BA' }, words: '0102 A0B0', value: '0201B0A0' },
	{ over: { type: 'string', byteOrder: 'CDAB' }, words: '454D 5041 3030 3331', value: 'PAEM3100' },
	{ over: { type: 'eui48' }, words: '0000 0000 5E00 5301', value: '00:00:5E:00:53:01' },
	{ over: { type: 'ipv4', byteOrder: 'CDAB' }, words: '0201 C000', value: '192.0.2.1' },
	{ over: { type: 'time_unix32', byteOrder: 'ABCD' }, words: '6543 2100', value: '2023-11-02T04:09:36Z' },
	{ over: { type: 'time_unix32', byteOrder: 'CDAB', zone: 'local' }, words: '2100 6543', value: '2023-11-02T04:09:36' },
	{ over: { type: 'time_since2000', byteOrder: 'ABCD' }, words: '0000 0001', value: '2000-01-01T00:00:01Z' },
	{ over: { type: 'time_unix64', byteOrder: 'ABCDEFGH' }, words: '0000 0000 6543 2100', value: '2023-11-02T04:09:36Z' },
	{ over: { type: 'time_unix64', byteOrder: 'ABCDEFGH' }, words: 'FFFF FFFF FFFF FFFF', value: null },
	{
		over: { type: 'time_unix64ms', byteOrder: 'ABCDEFGH' },
		words: '0000 018B 8E3F 8805',
		value: '2023-11-02T04:16:50.181Z',
	},
	{ over: { type: 'time_bytes' }, words: '1A0B 160A 2B1A', value: '2026-11-22T10:43:26' },
	{ over: { type: 'time_bytes', byteOrder: 'BA' }, words: '0B1A 0A16 1A2B', value: '2026-11-22T10:43:26' },
	{ over: { type: 'time_bytes' }, words: '1A02 1D0A 2B1A', value: null },
	{ over: { type: 'time_bytes', zone: 'utc' }, words: '1C02 1D0A 2B1A', value: '2028-02-29T10:43:26Z' },
	{ over: { type: 'time_bcd' }, words: '2611 2210 4326', value: '2026-11-22T10:43:26' },
	{ over: { type: 'time_bcd' }, words: '261A 2210 4326', value: null },
	{ over: { type: 'time_registers' }, words: '07EA 000B 0016 000A 002B 001A', value: '2026-11-22T10:43:26' },
	{ over: { type: 'time_registers' }, words: '001A 000B 0016 000A 002B 001A', value: '2026-11-22T10:43:26' },
	{ over: { type: 'time_registers' }, words: '001A 000B 0016 0018 002B 001A', value: null },
	{ over: { type: 'time_iec' }, words: '001A 0BF6 0A2B 6590', value: '2026-11-22T10:43:26' },
	{ over: { type: 'time_iec' }, words: '001A 0BF6 8A2B 6591', value: '2026-11-22T10:43:26.001' },
	{ over: { type: 'time_iec' }, words: '001A 0BF6 0AAB 6590', value: null },
];

for (const { over, words, value } of rows) {
	test(`${JSON.stringify(over)} makes ${inspect(value)} of ${words}`, (t) => {
		t.deepEqual(decodeOne(over, words), { value, quality: value === null ? 'out_of_range' : 'good' });
	});
}

test('every permutation of the bytes of a number is put right', (t) => {
	for (const [type, count] of [
		['uint16', 1],
		['uint32', 2],
		['uint64', 4],
	] as const)
		fc.assert(
			fc.property(
				fc.shuffledSubarray('ABCDEFGH'.slice(0, 2 * count).split(''), { minLength: 2 * count }),
				fc.uint8Array({ minLength: 2 * count, maxLength: 2 * count }),
				(letters, bytes) => {
					const wire = letters.map((letter) => bytes['ABCDEFGH'.indexOf(letter)] ?? 0);
					const data = Buffer.from(wire).toString('hex');
					const { value } = decodeOne({ type, byteOrder: letters.join('') }, data);
					const sent = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
					t.is(value, Number.isSafeInteger(Number(sent)) ? Number(sent) : sent);
				},
			),
		);
	t.deepEqual(orderLengths({ type: 'string', count: 3 }), [2]);
	t.deepEqual(orderLengths({ type: 'uint64', count: 4 }), [8]);
});

test('every 16-bit float is the one that it is written as', (t) => {
	for (let bits = 0; bits < 65_536; bits += 1) {
		const number = float16Of(bits);
		const isInfinite = Math.abs(number) === Number.POSITIVE_INFINITY;
		t.is(toFloat16(number), Number.isNaN(number) || isInfinite ? null : bits);
	}
	t.is(toFloat16(65_519), 0x7bff);
	t.is(toFloat16(65_520), null);
	t.is(toFloat16(2049), 0x6800);
	t.is(toFloat16(1e-9), 0);
});

test('a whole scale keeps 64-bit integers exact, and others come as near as a number can', (t) => {
	t.is(linearScale(1000, 0)(2n ** 60n), 2n ** 60n * 1000n);
	t.is(linearScale(10, 5)(9_007_199_254_740_991), 90_071_992_547_409_915n);
	t.is(linearScale(0.001, 0)(2n ** 53n + 1n), Number('9007199254740.993'));
	t.is(linearScale(0.1, 0)(Number.NaN), Number.NaN);
	fc.assert(
		fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }), fc.integer({ min: 0, max: 9 }), (raw, decimals) => {
			const slim = Number.isSafeInteger(Number(raw)) ? Number(raw) : raw;
			const value = linearScale(Number(`1e-${decimals}`), 0)(slim);
			if (decimals === 0) t.is(value, slim);
			else t.is(value, Number(`${raw}e-${decimals}`) + 0);
		}),
	);
});

test('a scale moved by powers of ten is the number a person would write', (t) => {
	t.is(scaledByTens(0.1, -2), 0.001);
	t.is(scaledByTens(3, 5), 300_000);
	t.is(scaledByTens(1, -10), 1e-10);
	t.is(scaledByTens(-0.25, 1), -2.5);
});

test('a value is rounded to its decimals, halves away from zero, and never to something else', (t) => {
	t.is(roundTo(1)(0.25), 0.3);
	t.is(roundTo(1)(-0.25), -0.3);
	t.is(roundTo(2)(230.0049), 230);
	t.is(roundTo(3)(1e300), 1e300);
	t.is(roundTo(3)(2n ** 60n), 2n ** 60n);
	t.is(decodeOne({ type: 'float32', byteOrder: 'ABCD', precision: 1 }, '43661999').value, 230.1);
	t.deepEqual(decodeOne({ type: 'float32', byteOrder: 'ABCD', precision: 1 }, '7FC00000'), {
		value: null,
		quality: 'out_of_range',
	});
});

const factor = modbusPoint({ key: 'sf', type: 'int16', address: 10 });
const scaled = modbusPoint({ key: 'power', type: 'int16', address: 9, scaleFactor: 'sf', invalid: ['8000'] });

test('a scale factor in the same answer counts for it, wherever it is in it', (t) => {
	const request = requestFor([scaled, factor], 9, 2);
	const { decode } = createDeviceDecoder({ points: [scaled, factor] });
	t.deepEqual(decode(request, hex('0064 FFFF')), { values: [10, -1], qualities: null });
	t.deepEqual(decode(request, hex('0064 0002')), { values: [10_000, 2], qualities: null });
	t.deepEqual(decode(request, hex('0065 FFFD')), { values: [0.101, -3], qualities: null });
	t.deepEqual(decode(request, hex('8000 0000')), { values: [null, 0], qualities: ['out_of_range', 'good'] });
});

test('a value whose scale factor is not implemented, or no exponent at all, has none', (t) => {
	const request = requestFor([scaled, factor], 9, 2);
	for (const words of ['0064 8000', '0064 000B', '0064 7FFF']) {
		const { decode } = createDeviceDecoder({ points: [scaled, factor] });
		const { values, qualities } = decode(request, hex(words));
		t.is(values[0], null, words);
		t.is(qualities?.[0], 'out_of_range', words);
	}
});

test('a value in another answer than its scale factor waits for it, and takes the last one that was read', (t) => {
	const [values, factors] = [requestFor([scaled], 9, 1), requestFor([factor], 10, 1)];
	const decoder = createDeviceDecoder({ points: [scaled, factor] });
	const { decode } = decoder;
	const early = decode(values, hex('0064'));
	t.deepEqual(early, { values: [null], qualities: ['comm_error'] });
	decode(factors, hex('FFFE'));
	t.deepEqual(decode(values, hex('0064')), { values: [1], qualities: null });
	decode(factors, hex('0001'));
	t.deepEqual(decode(values, hex('0064')), { values: [1_000], qualities: null });
	decoder.forget();
	t.deepEqual(decode(values, hex('0064')), { values: [null], qualities: ['comm_error'] });
});

test('two devices never share a scale factor', (t) => {
	const [values, factors] = [requestFor([scaled], 9, 1), requestFor([factor], 10, 1)];
	const one = createDeviceDecoder({ points: [scaled, factor] });
	const other = createDeviceDecoder({ points: [scaled, factor] });
	one.decode(factors, hex('0001'));
	t.is(other.decode(values, hex('0064')).values[0], null);
	t.is(one.decode(values, hex('0064')).values[0], 1_000);
});

test('an answer that is FFFFh all over has no values, unless the template says they count', (t) => {
	const points = Array.from({ length: 8 }, (_, address) => modbusPoint({ key: `p${address}`, type: 'int16', address }));
	const ones = hex('FFFF'.repeat(8));
	const request = requestFor(points, 0, 8);
	const nothing = points.map(() => null);
	t.deepEqual(createDeviceDecoder({ points }).decode(request, ones), {
		values: nothing,
		qualities: points.map(() => 'out_of_range'),
	});
	t.is(createDeviceDecoder({ points }).decode(request, hex(`${'FFFF'.repeat(7)}FFFE`)).values[0], -1);
	const counting = createDeviceDecoder({ points, allFfIsAbsent: false });
	t.is(counting.decode(request, ones).qualities, null);
	const [first = modbusPoint()] = points;
	const short = requestFor([first], 0, 1);
	t.is(createDeviceDecoder({ points }).decode(short, hex('FFFF')).values[0], -1);
	t.is(createDeviceDecoder({ points, allFfIsAbsent: true }).decode(short, hex('FFFF')).values[0], null);
	const coils = requestFor([modbusPoint({ functionCode: 1, type: 'bool' })], 0, 8);
	t.is(createDeviceDecoder({ points: coils.points, allFfIsAbsent: true }).decode(coils, hex('FF')).values[0], true);
});

test('all ones in an unsigned counter is no value, and in a measurement it is one', (t) => {
	const counter = { type: 'uint32', byteOrder: 'CDAB', kind: 'counter' } as const;
	t.deepEqual(decodeOne(counter, 'FFFF FFFF'), { value: null, quality: 'out_of_range' });
	t.is(decodeOne({ ...counter, kind: 'measurement' }, 'FFFF FFFF').value, 4_294_967_295);
	t.is(decodeOne({ ...counter, type: 'int32' }, 'FFFF FFFF').value, -1);
});

test('whatever bytes come, a value is never NaN, never infinite, and never without its quality', (t) => {
	const types = [...new Set(rows.map(({ over }) => over))];
	fc.assert(
		fc.property(fc.constantFrom(...types), fc.uint8Array({ minLength: 16, maxLength: 16 }), (over, bytes) => {
			const count = (rows.find((row) => row.over === over)?.words.split(' ').length ?? 1) * 4;
			const { value, quality } = decodeOne(over, Buffer.from(bytes).toString('hex').slice(0, count));
			t.true(typeof value !== 'number' || Number.isFinite(value));
			t.is(value === null, quality === 'out_of_range');
		}),
	);
});
