import test from 'ava';
import fc from 'fast-check';

import { decodeBlock, encodeBlock } from '../../core/journal/block-codec.ts';
import { createByteReader } from '../../core/journal/byte-reader.ts';
import { createByteWriter } from '../../core/journal/byte-writer.ts';
import { readPackedLanes, writePackedLanes } from '../../core/journal/packed-lanes.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { readingOf } from '../fake/sample-readings.ts';

const COUNT = 200;

function packed(bytes: Uint8Array, width: number) {
	const plain = createByteWriter();
	const noise = createByteWriter();
	writePackedLanes({ plain, noise }, bytes, width);
	return { plain: plain.bytes(), noise: noise.bytes() };
}

const unpacked = ({ plain, noise }: ReturnType<typeof packed>, count: number, width: number): Uint8Array =>
	readPackedLanes({ plain: createByteReader(plain), noise: createByteReader(noise) }, count, width);

/** Bytes of every kind of lane: any, of a narrow range, and of few values that are far from each other. */
const laneBytes = (count: number): fc.Arbitrary<number[]> => {
	const exactly = { minLength: count, maxLength: count };
	return fc.oneof(
		fc.array(fc.nat(255), exactly),
		fc
			.record({ least: fc.nat(240), span: fc.nat(15) })
			.chain(({ least, span }) => fc.array(fc.integer({ min: least, max: least + span }), exactly)),
		fc.array(fc.constantFrom(0, 67, 255), exactly),
	);
};

test('what is unpacked is what was packed, whatever the lanes hold', (t) => {
	fc.assert(
		fc.property(
			fc.constantFrom(4, 8).chain((width) => fc.tuple(...Array.from({ length: width }, () => laneBytes(COUNT)))),
			(lanes) => {
				const width = lanes.length;
				const bytes = new Uint8Array(width * COUNT);
				for (const [lane, values] of lanes.entries())
					for (const [index, byte] of values.entries()) bytes[index * width + lane] = byte;
				t.deepEqual(unpacked(packed(bytes, width), COUNT, width), bytes);
			},
		),
		{ numRuns: 200 },
	);
});

test('long columns of floats keep their exact bits', (t) => {
	const column = fc.oneof(
		fc.array(fc.float(), { minLength: 16, maxLength: 300 }),
		fc.array(fc.double(), { minLength: 16, maxLength: 300 }),
		fc.array(fc.float({ min: 225, max: 235, noNaN: true }), { minLength: 16, maxLength: 300 }),
	);
	fc.assert(
		fc.property(fc.array(column, { minLength: 1, maxLength: 3 }), (columns) => {
			const readings = columns.map((values, row) =>
				readingOf(1 + row * 1_000, { values, points: values.map((_, index) => `p${index}`) }),
			);
			const decoded = decodeBlock(encodeBlock(readings));
			t.true(
				decoded.every(({ values }, row) => values.every((value, index) => Object.is(value, columns[row]?.[index]))),
			);
		}),
		{ numRuns: 100 },
	);
});

/** A fixed sequence that looks like noise. */
function noisy(index: number): number {
	const mixed = Math.imul(index ^ (index >>> 7), 0x9e37_79b1);
	return (mixed ^ (mixed >>> 15)) & 0xff;
}

test('noise takes the bits of its range, what repeats itself is left to deflate, and equal bytes take none', (t) => {
	const bytes = new Uint8Array(4 * COUNT);
	for (let index = 0; index < COUNT; index += 1) {
		bytes[index * 4] = noisy(index);
		bytes[index * 4 + 1] = 100 + (noisy(index + COUNT) & 7);
		bytes[index * 4 + 2] = index % 20 === 0 ? 255 : 7;
		bytes[index * 4 + 3] = 67;
	}
	const { plain, noise } = packed(bytes, 4);
	t.is(noise.length, COUNT + Math.ceil((COUNT * 3) / 8));
	t.is(plain.length, 1 + 2 + (1 + COUNT) + 2);
});

test('lanes that end too early or have too many bits are refused', (t) => {
	const whole = packed(
		Uint8Array.from({ length: 4 * COUNT }, (_, index) => noisy(index)),
		4,
	);
	for (const broken of [
		{ ...whole, noise: whole.noise.subarray(0, -1) },
		{ ...whole, plain: whole.plain.subarray(0, -1) },
		{ ...whole, plain: Buffer.from([10, ...whole.plain.subarray(1)]) },
	])
		t.throws(() => unpacked(broken, COUNT, 4), { instanceOf: Fault });
});
