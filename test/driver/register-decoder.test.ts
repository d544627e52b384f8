import test from 'ava';
import fc from 'fast-check';

import type { ByteOrder, RegisterType, TemplatePoint } from '../../config/template/template.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';
import { linearScale } from '../../gateway/driver/modbus/codec/linear-scale.ts';
import { createDeviceDecoder, createReadDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import type { ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

function requestFor(points: readonly TemplatePoint[], address: number, count: number): ReadRequest {
	return { functionCode: points[0]?.functionCode ?? 3, address, count, points, keys: points.map(({ key }) => key) };
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Decodes one value that fills the whole answer. */
function decodeOne(over: Partial<TemplatePoint>, data: string): { value: SampleValue | undefined; quality: Quality } {
	const point = modbusPoint(over);
	const { values, qualities } = createReadDecoder(requestFor([point], point.address, point.count))(hex(data));
	return { value: values[0], quality: qualities?.[0] ?? 'good' };
}

interface OrderRow {
	readonly type: RegisterType;
	readonly order: ByteOrder;
	readonly words: string;
	readonly value: SampleValue;
}

const orders: readonly OrderRow[] = [
	{ type: 'uint16', order: 'AB', words: '0102', value: 0x0102 },
	{ type: 'uint16', order: 'BA', words: '0102', value: 0x0201 },
	{ type: 'uint32', order: 'ABCD', words: '01020304', value: 0x01020304 },
	{ type: 'uint32', order: 'CDAB', words: '03040102', value: 0x01020304 },
	{ type: 'uint32', order: 'BADC', words: '02010403', value: 0x01020304 },
	{ type: 'uint32', order: 'DCBA', words: '04030201', value: 0x01020304 },
	{ type: 'uint64', order: 'GHEFCDAB', words: '0708 0506 0304 0001', value: 0x0001_0304_0506_0708 },
	{ type: 'uint64', order: 'BADCFEHG', words: '0100 0403 0605 0807', value: 0x0001_0304_0506_0708 },
	{ type: 'uint64', order: 'HGFEDCBA', words: '0807 0605 0403 0100', value: 0x0001_0304_0506_0708 },
	{ type: 'float32', order: 'CDAB', words: '0000 4366', value: 230 },
	{ type: 'float32', order: 'BADC', words: '6643 0000', value: 230 },
	{ type: 'float32', order: 'DCBA', words: '0000 6643', value: 230 },
	{ type: 'float64', order: 'GHEFCDAB', words: '0000 0000 C000 406C', value: 230 },
];

test('every byte order puts each byte in its place', (t) => {
	for (const { type, order, words, value } of orders) {
		const count = words.replaceAll(' ', '').length / 4;
		t.is(decodeOne({ type, byteOrder: order, count }, words).value, value, `${type} ${order}`);
	}
});

test('64-bit integers stay exact on both sides of 2^53', (t) => {
	const int64 = { type: 'int64', byteOrder: 'ABCDEFGH', count: 4 } as const;
	t.is(decodeOne(int64, '001FFFFFFFFFFFFF').value, Number.MAX_SAFE_INTEGER);
	t.is(decodeOne(int64, '0020000000000001').value, 2n ** 53n + 1n);
	t.is(decodeOne(int64, 'FFE0000000000001').value, Number.MIN_SAFE_INTEGER);
	t.is(decodeOne(int64, 'FFDFFFFFFFFFFFFF').value, -(2n ** 53n) - 1n);
	t.is(decodeOne({ ...int64, type: 'uint64' }, 'FFFFFFFFFFFFFFFF').value, 2n ** 64n - 1n);
	t.is(decodeOne({ ...int64, scale: 0.001 }, '0020000000000001').value, 9_007_199_254_740.992);
});

test('any 64-bit integer is the one that was sent, in every order', (t) => {
	const read = {
		int64: (data: Buffer) => data.readBigInt64BE(),
		uint64: (data: Buffer) => data.readBigUInt64BE(),
	} as const;
	fc.assert(
		fc.property(
			fc.uint8Array({ minLength: 8, maxLength: 8 }),
			fc.constantFrom<'int64' | 'uint64'>('int64', 'uint64'),
			(bytes, type) => {
				const sent = Buffer.from(bytes);
				const { value } = decodeOne({ type, byteOrder: 'ABCDEFGH', count: 4 }, sent.toString('hex'));
				const swapped = Buffer.from(sent.toReversed());
				const little = decodeOne({ type, byteOrder: 'HGFEDCBA', count: 4 }, swapped.toString('hex'));
				t.is(typeof value === 'number' ? BigInt(value) : value, read[type](sent));
				t.is(little.value, value);
			},
		),
	);
});

test('a decimal scale leaves no binary noise', (t) => {
	t.is(decodeOne({ scale: 0.1 }, '08FD').value, 230.1);
	t.is(decodeOne({ scale: 0.1, offset: -40 }, '0281').value, 24.1);
	t.is(decodeOne({ scale: 0.003 }, '0003').value, 0.009);
	t.is(decodeOne({ scale: -0.1 }, '0000').value, 0);
	t.is(decodeOne({ scale: 1000 }, '0003').value, 3000);
	t.is(decodeOne({ scale: 1 / 3 }, '0003').value, 1);
});

test('scaling by a power of ten gives what a person would write', (t) => {
	fc.assert(
		fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 6 }), (raw, decimals) => {
			t.is(linearScale(Number(`1e-${decimals}`), 0)(raw), Number(`${raw}e-${decimals}`) + 0);
		}),
	);
});

test('NaN and infinities are no value', (t) => {
	const float32 = { type: 'float32', byteOrder: 'ABCD', count: 2, min: -1000, max: 1000 } as const;
	for (const words of ['7FC00000', '7F800000', 'FF800000', 'FFFFFFFF']) {
		t.deepEqual(decodeOne(float32, words), { value: null, quality: 'out_of_range' }, words);
	}
	t.deepEqual(decodeOne({ ...float32, scale: 0.1 }, '7FC00000'), { value: null, quality: 'out_of_range' });
});

test('a pattern that means "no value" is recognised after the byte order is undone', (t) => {
	const point = { type: 'int32', byteOrder: 'CDAB', count: 2, invalid: ['80000000', '7fffffff'] } as const;
	t.deepEqual(decodeOne(point, '0000 8000'), { value: null, quality: 'out_of_range' });
	t.deepEqual(decodeOne(point, 'FFFF 7FFF'), { value: null, quality: 'out_of_range' });
	t.deepEqual(decodeOne(point, '8000 0000'), { value: 0x8000, quality: 'good' });
	const text = { type: 'string', byteOrder: 'BA', count: 2, invalid: ['4E4F4E45'] } as const;
	t.deepEqual(decodeOne(text, Buffer.from('ONEN').toString('hex')), { value: null, quality: 'out_of_range' });
	t.deepEqual(decodeOne(text, Buffer.from('NONE').toString('hex')), { value: 'ONEN', quality: 'good' });
});

test('an implausible number is kept and marked', (t) => {
	const point = { scale: 0.1, min: 0, max: 500 };
	t.deepEqual(decodeOne(point, '1388'), { value: 500, quality: 'good' });
	t.deepEqual(decodeOne(point, '1389'), { value: 500.1, quality: 'out_of_range' });
	t.deepEqual(decodeOne({ type: 'uint64', byteOrder: 'ABCDEFGH', count: 4, max: 500 }, 'FFFFFFFFFFFFFFFF'), {
		value: 2n ** 64n - 1n,
		quality: 'out_of_range',
	});
});

test('text ends at the first NUL and has no trailing blanks', (t) => {
	const text = { type: 'string', count: 4 } as const;
	t.is(decodeOne(text, Buffer.from('SDM630  ').toString('hex')).value, 'SDM630');
	t.is(decodeOne(text, Buffer.from('SDM\0junk').toString('hex')).value, 'SDM');
	t.is(decodeOne({ ...text, byteOrder: 'BA' }, Buffer.from('DS6M03\0\0').toString('hex')).value, 'SDM630');
	t.is(decodeOne(text, '00'.repeat(8)).value, '');
});

test('coils are taken from the least significant bit of the first byte on', (t) => {
	const points = Array.from({ length: 10 }, (_, index) =>
		modbusPoint({ key: `relay_${index + 1}`, functionCode: 1, address: 100 + index, type: 'bool' }),
	);
	const { values } = createReadDecoder(requestFor(points, 100, 10))(hex('CD01'));
	t.deepEqual(values, [true, false, true, true, false, false, true, true, true, false]);
});

test('values are taken from their places, whatever lies between', (t) => {
	const points = [
		modbusPoint({ key: 'first', address: 12 }),
		modbusPoint({ key: 'flags', address: 12, type: 'bits' }),
		modbusPoint({ key: 'last', address: 15, type: 'float32', byteOrder: 'ABCD', count: 2, max: 100 }),
	];
	const request = requestFor(points, 10, 7);
	const data = hex('FFFF FFFF 0007 FFFF FFFF 4366 0000');
	const { decode } = createDeviceDecoder({ points });
	t.deepEqual(decode(request, data), { values: [7, 7, 230], qualities: ['good', 'good', 'out_of_range'] });
	t.deepEqual(decode(request, data), createReadDecoder(request)(data));
	t.is(decode(request, hex('FFFF FFFF 0007 FFFF FFFF 4266 0000')).qualities, null);
});

test('an answer of the wrong length is refused', (t) => {
	const decode = createReadDecoder(requestFor([modbusPoint({ count: 1 })], 0, 2));
	t.throws(() => decode(hex('0001')), { instanceOf: RangeError, message: /4 bytes, not 2/ });
	t.throws(() => decode(hex('000100020003')), { instanceOf: RangeError });
});
