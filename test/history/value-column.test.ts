import test from 'ava';
import fc from 'fast-check';

import { readIntegers, writeIntegers } from '../../core/history/integer-column.ts';
import { readValues, writeValues } from '../../core/history/value-column.ts';
import { createByteReader } from '../../core/journal/byte-reader.ts';
import { createByteWriter } from '../../core/journal/byte-writer.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';

function bytesOf(values: readonly SampleValue[]): Buffer {
	const writer = createByteWriter();
	writeValues(writer, values);
	return Buffer.from(writer.bytes());
}

/** Values after they were written and read; the reader must have used all bytes. */
function again(values: readonly SampleValue[]): readonly SampleValue[] {
	const reader = createByteReader(bytesOf(values));
	const read = [...readValues(reader, values.length)];
	return reader.remaining() === 0 ? read : [];
}

const range = (count: number, valueOf: (index: number) => SampleValue): readonly SampleValue[] =>
	Array.from({ length: count }, (_, index) => valueOf(index));

const json: fc.Arbitrary<SampleValue> = fc
	.jsonValue({ maxDepth: 3 })
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fast-check types JSON as unknown
	.map((value) => value as SampleValue);

const KINDS: Readonly<Record<string, fc.Arbitrary<SampleValue>>> = {
	integers: fc.maxSafeInteger(),
	'small integers': fc.integer({ min: -3, max: 1000 }),
	booleans: fc.boolean(),
	'tenths as a double': fc.integer({ min: -5000, max: 5000 }).map((tenths) => tenths / 10),
	'tenths as a single': fc.integer({ min: -5000, max: 5000 }).map((tenths) => Math.fround(tenths / 10)),
	singles: fc.float(),
	doubles: fc.double(),
	'numbers with gaps': fc.option(fc.integer({ min: 0, max: 50 }), { nil: null }),
	'singles with gaps': fc.option(fc.float(), { nil: null }),
	texts: fc.string({ unit: 'binary' }),
	'some texts': fc.constantFrom('on', 'off', '', '\0', '"', 'standby'),
	bigints: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
	structures: json,
	everything: fc.oneof(fc.double(), fc.boolean(), fc.string(), fc.constant(null), json, fc.bigInt()),
	'awkward numbers': fc.constantFrom(0, -0, 1, -1, Number.NaN, Infinity, -Infinity, 2 ** 50, 2 ** 53, -(2 ** 53), 1e-9),
};

for (const [name, kind] of Object.entries(KINDS)) {
	test(`what is written is read again, exactly: ${name}`, (t) => {
		fc.assert(
			fc.property(fc.array(kind, { maxLength: 400 }), (values) => {
				t.deepEqual(again(values), values);
			}),
			{ numRuns: 60 },
		);
	});
}

test('whole numbers of any size and any steps are read again', (t) => {
	const step = fc.oneof(
		fc.integer({ min: -2, max: 2 }),
		fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
		fc.maxSafeInteger(),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 600 }), fc.boolean(), (steps, isWalk) => {
			let at = 0;
			const numbers = Float64Array.from(steps, (value) => (at = isWalk && Math.abs(at) < 2 ** 49 ? at + value : value));
			const writer = createByteWriter();
			writeIntegers(writer, numbers);
			t.deepEqual(readIntegers(createByteReader(Buffer.from(writer.bytes())), numbers.length), numbers);
		}),
		{ numRuns: 200 },
	);
});

const SIZES: readonly (readonly [string, number, readonly SampleValue[]])[] = [
	['a constant', 0.05, range(3600, () => 230.5)],
	['a counter', 0.2, range(3600, (index) => 4_000_000 + index)],
	['a switch', 0.2, range(3600, (index) => index % 700 < 300)],
	['a voltage in tenths', 0.9, range(3600, (index) => Math.fround(2300 + Math.round(9 * Math.sin(index * 7))) / 10)],
	['a noisy float32', 2.3, range(3600, (index) => Math.fround(230 + Math.sin(index * index)))],
	['a state in words', 0.2, range(3600, (index) => (index % 900 < 100 ? 'starting' : 'running'))],
];

for (const [name, most, values] of SIZES) {
	test(`${name} takes at most ${most} bytes a sample`, (t) => {
		t.deepEqual(again(values), values);
		t.true(bytesOf(values).length / values.length <= most, `${bytesOf(values).length / values.length}`);
	});
}

test('bytes that are no column end in a fault, and nothing else', (t) => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 500 }), (bytes, count) => {
			try {
				readValues(createByteReader(Buffer.from(bytes)), count);
			} catch (error) {
				t.true(error instanceof Fault || (error instanceof Error && 'code' in error), String(error));
			}
		}),
		{ numRuns: 500 },
	);
	t.pass();
});
