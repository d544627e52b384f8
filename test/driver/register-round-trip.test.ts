import test from 'ava';
import fc from 'fast-check';

import { REGISTER_TYPES } from '../../config/template/register-types.ts';
import type { RegisterType, TemplatePoint } from '../../config/template/template.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { createDeviceDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { encodeRegisters, encodeWrite } from '../../gateway/driver/modbus/codec/register-encoder.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const counts: Readonly<Partial<Record<RegisterType, number>>> = {
	int32: 2,
	uint32: 2,
	float32: 2,
	bcd32: 2,
	ipv4: 2,
	time_unix32: 2,
	time_since2000: 2,
	int64: 4,
	uint64: 4,
	float64: 4,
	bcd64: 4,
	time_unix64: 4,
	time_unix64ms: 4,
	time_iec: 4,
	eui48: 3,
	time_bytes: 3,
	time_bcd: 3,
	bits: 3,
	raw: 5,
	string: 6,
	time_registers: 6,
	ipv6: 8,
};

const LETTERS = 'ABCDEFGH';

/** An order of the bytes that nobody would expect. */
const oddOrder = (type: RegisterType, count: number): string =>
	['string', 'raw', 'bits'].includes(type) || ![1, 2, 4].includes(count)
		? 'BA'
		: Array.from(LETTERS.slice(0, 2 * count))
				.toReversed()
				.join('');

const plain = REGISTER_TYPES.filter((type) => type !== 'bool').map((type): TemplatePoint => {
	const count = counts[type] ?? 1;
	return modbusPoint({ type, count, byteOrder: oddOrder(type, count), ...(type === 'bit' ? { bit: 11 } : {}) });
});

const special: readonly TemplatePoint[] = [
	modbusPoint({ type: 'uint16', slice: { first: 4, count: 5 } }),
	modbusPoint({ type: 'int16', byteOrder: 'BA', slice: { first: 4, count: 5 } }),
	modbusPoint({ type: 'uint32', count: 2, byteOrder: 'CDAB', mask: '00FFFF00' }),
	modbusPoint({ type: 'uint64', count: 4, byteOrder: 'ABCDEFGH', slice: { first: 3, count: 40 } }),
	modbusPoint({ type: 'int16', scale: 0.1, offset: -40 }),
	modbusPoint({ type: 'uint8h', scale: 0.5 }),
	modbusPoint({ type: 'bcd32', count: 2, byteOrder: 'CDAB', scale: 0.01 }),
	modbusPoint({ type: 'int64', count: 4, byteOrder: 'ABCDEFGH', scale: 1_000 }),
	modbusPoint({ type: 'time_unix32', count: 2, byteOrder: 'CDAB', zone: 'local' }),
	modbusPoint({ type: 'time_bytes', count: 3, zone: 'utc' }),
	modbusPoint({ type: 'uint16', scaleFactor: 'sf' }),
];

const points = [...plain, ...special];

function read(point: TemplatePoint, data: Buffer, exponent: number): SampleValue {
	const factor = modbusPoint({ key: 'sf', address: 99, type: 'int16' });
	const known = point.scaleFactor === undefined ? [point] : [point, factor];
	const { decode } = createDeviceDecoder({ points: known, allFfIsAbsent: false });
	const word = Buffer.alloc(2);
	word.writeInt16BE(exponent);
	if (known.length > 1) decode({ functionCode: 3, address: 99, count: 1, points: [factor], keys: ['sf'] }, word);
	const request = { functionCode: 3 as const, address: 0, count: point.count, points: [point], keys: [point.key] };
	return decode(request, data).values[0] ?? null;
}

const dataOf = (words: readonly number[]): Buffer => {
	const data = Buffer.alloc(2 * words.length);
	words.forEach((word, index) => data.writeUInt16BE(word, 2 * index));
	return data;
};

const asSent = (value: SampleValue): SampleValue => (typeof value === 'bigint' ? String(value) : value);

for (const point of points) {
	const { key: _key, name: _name, unit: _unit, access: _access, ...shown } = point;
	test(`what is read is what is written: ${shown.type} ${shown.byteOrder} ${JSON.stringify(shown.slice ?? shown.mask ?? shown.scale)} ${shown.zone ?? ''}`, (t) => {
		let found = 0;
		fc.assert(
			fc.property(
				fc.uint8Array({ minLength: 2 * point.count, maxLength: 2 * point.count }),
				fc.integer({ min: -3, max: 3 }),
				(bytes, exponent) => {
					const value = read(point, Buffer.from(bytes), exponent);
					if (value === null || (typeof value === 'string' && value.includes('\ufffd'))) return;
					found += 1;
					const { words, masks } = encodeRegisters(
						point,
						asSent(value),
						point.scaleFactor === undefined ? null : exponent,
					);
					t.deepEqual(read(point, dataOf(words), exponent), value);
					const before = Buffer.from(bytes);
					const kept = words.map((word, index) => {
						const mask = masks?.[index] ?? 0xffff;
						t.is(word & ~mask, 0);
						return (before.readUInt16BE(2 * index) & ~mask) | word;
					});
					t.deepEqual(read(point, dataOf(kept), exponent), value);
					// Where a value has one form only, it is the form that was read.
					if (masks !== null) t.deepEqual(dataOf(kept), before);
				},
			),
			{ numRuns: 300 },
		);
		t.true(found > 0 || /^time_|^bcd|^string/.test(point.type));
	});
}

const refusals: readonly (readonly [over: Partial<TemplatePoint>, value: unknown, rule: RegExp])[] = [
	[{ type: 'uint8l' }, 256, /fit into 8 bits without a sign/],
	[{ type: 'int8h' }, -129, /fit into 8 bits with a sign/],
	[{ type: 'uint16', slice: { first: 0, count: 4 } }, 16, /fit into 4 bits/],
	[{ type: 'uint16', mask: '00FF' }, 256, /have no bits outside of 00FF/],
	[{ type: 'bcd16' }, 10_000, /at most 4 digits/],
	[{ type: 'bcd16' }, -1, /at most 4 digits/],
	[{ type: 'float16' }, 70_000, /fit into float16/],
	[{ type: 'raw', count: 2 }, 'ABCD', /be 8 hex digits/],
	[{ type: 'eui48', count: 3 }, '00-00-5E-00-53-01', /written as 00:00:5E/],
	[{ type: 'ipv4', count: 2 }, '192.0.2.256', /written as 192.0.2.1/],
	[{ type: 'ipv6', count: 8 }, '2001:db8::1', /eight groups/],
	[{ type: 'time_bytes', count: 3 }, '2026-02-30T00:00:00', /a time that time_bytes can hold/],
	[{ type: 'time_bytes', count: 3 }, '2026-02-03T00:00:00Z', /a time that time_bytes can hold/],
	[{ type: 'time_bytes', count: 3 }, '1999-02-03T00:00:00', /a time that time_bytes can hold/],
	[{ type: 'time_unix32', count: 2, byteOrder: 'ABCD' }, '1969-12-31T23:59:59Z', /a time that time_unix32 can hold/],
	[{ type: 'time_unix32', count: 2, byteOrder: 'ABCD' }, '2026-01-01T00:00:00.001Z', /a time that/],
	[{ type: 'int64', count: 4, byteOrder: 'ABCDEFGH', scale: 1_000 }, '9007199254740993', /in steps of 1000/],
];

for (const [over, value, rule] of refusals)
	test(`${over.type ?? ''} refuses ${String(value)}`, (t) => {
		const fault = t.throws(() => encodeRegisters(modbusPoint(over), value), { instanceOf: Fault });
		t.is(fault.field, 'payload.value');
		t.regex(fault.message, rule);
	});

test('a part of a register is not written as a whole, and a scaled one not without its factor', (t) => {
	for (const over of [{ type: 'bit', bit: 3 }, { type: 'uint8h' }, { slice: { first: 0, count: 4 } }] as const) {
		const fault = t.throws(() => encodeWrite(modbusPoint(over), over === undefined ? null : 'bit' in over ? true : 1), {
			instanceOf: Fault,
		});
		t.is(fault.field, 'payload.point');
	}
	const fault = t.throws(() => encodeWrite(modbusPoint({ scaleFactor: 'sf' }), 1), { instanceOf: Fault });
	t.regex(fault.message, /scale factor sf/);
	t.deepEqual(encodeRegisters(modbusPoint({ type: 'bit', bit: 3 }), true), { words: [8], masks: [8] });
	t.deepEqual(encodeRegisters(modbusPoint({ type: 'bit', bit: 3, byteOrder: 'BA' }), true), {
		words: [0x800],
		masks: [0x800],
	});
	t.deepEqual(encodeRegisters(modbusPoint({ scaleFactor: 'sf' }), 12.5, -1), { words: [125], masks: null });
});
