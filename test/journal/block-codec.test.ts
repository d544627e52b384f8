import test from 'ava';
import fc from 'fast-check';

import { decodeBlock, encodeBlock, readBlockRanges } from '../../core/journal/block-codec.ts';
import { createBlockDictionary } from '../../core/journal/block-dictionary.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { deviceId, gatewayId } from '../../core/kernel/id.ts';
import { QUALITIES, type Reading, type SampleValue } from '../../core/telemetry/reading.ts';

const ORIGINS = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'].map(gatewayId);
const DEVICES = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'].map(deviceId);
const origin = gatewayId('00000000-0000-4000-8000-00000000000a');
const device = deviceId('00000000-0000-4000-8000-000000000001');

const reading = (values: readonly SampleValue[], more: Partial<Reading> = {}): Reading => ({
	device,
	readAt: epochMs(1_790_000_000_000),
	telemetryType: 'default',
	points: values.map((_, index) => `p${index}`),
	values,
	qualities: null,
	origin,
	epoch: 7,
	firstSeq: 1,
	...more,
});

const leaf = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.boolean());
const json: fc.Arbitrary<SampleValue> = fc.oneof(
	fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), { maxLength: 3 }),
	fc.dictionary(fc.string(), fc.oneof(leaf, fc.record({ nested: fc.array(leaf) }, { noNullPrototype: true })), {
		maxKeys: 3,
		noNullPrototype: true,
	}),
);
const value: fc.Arbitrary<SampleValue> = fc.oneof(
	fc.double(),
	fc.float(),
	fc.integer(),
	fc.maxSafeInteger(),
	fc.integer({ min: -100_000, max: 100_000 }).map((units) => units / 100),
	fc.boolean(),
	fc.constant(null),
	fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE, 0.1),
	fc.string({ unit: 'binary' }),
	fc.constant('lone \ud800 surrogate'),
	fc.bigInt(),
	json,
);
/** Columns of one kind are what the codec is made for; random mixtures alone would never reach them. */
const values: fc.Arbitrary<SampleValue[]> = fc.oneof(
	fc.array(value, { maxLength: 12 }),
	fc.array(fc.float(), { maxLength: 12 }),
	fc.array(fc.boolean(), { maxLength: 20 }),
	fc.array(fc.integer(), { maxLength: 12 }),
	fc.array(
		fc.integer({ min: -9_999, max: 9_999 }).map((units) => units / 1000),
		{ maxLength: 12 },
	),
);
const anyReading = fc
	.record({
		device: fc.constantFrom(...DEVICES),
		origin: fc.constantFrom(...ORIGINS),
		telemetryType: fc.constantFrom('default', 'pulse', 'ü'),
		readAt: fc
			.oneof(
				fc.nat({ max: 100_000 }).map((ms) => 1_790_000_000_000 + ms),
				fc.maxSafeInteger(),
			)
			.map(epochMs),
		epoch: fc.oneof(fc.constant(5), fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
		firstSeq: fc.oneof(fc.nat(), fc.constant(2 ** 52)),
		values,
		judged: fc.option(fc.array(fc.constantFrom(...QUALITIES), { minLength: 20, maxLength: 20 })),
	})
	.map(({ judged, ...drawn }): Reading =>
		Object.assign(drawn, {
			points: drawn.values.map((_: SampleValue, index: number) => `point ${index}`),
			qualities: judged === null ? null : judged.slice(0, drawn.values.length),
		}),
	);

test('what is decoded is what was encoded, in the same order, for any readings', (t) => {
	fc.assert(
		fc.property(fc.array(anyReading, { maxLength: 40 }), (readings) => {
			t.deepEqual(decodeBlock(encodeBlock(readings)), readings);
		}),
		{ numRuns: 300 },
	);
});

test('numbers keep their exact bits: negative zero, NaN and infinities', (t) => {
	const exact = [-0, 0, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324, 0.1 + 0.2, 2 ** 53 - 1];
	for (const list of [exact, ...exact.map((one) => [one]), ...exact.map((one) => [one, 1.5]), [...exact, 'text']]) {
		const [decoded] = decodeBlock(encodeBlock([reading(list)]));
		t.true(decoded?.values.every((one, index) => Object.is(one, list[index])));
	}
});

test('64-bit integers stay exact', (t) => {
	const list = [2n ** 64n - 1n, -(2n ** 63n), 0n, 9_007_199_254_740_993n];
	t.deepEqual(decodeBlock(encodeBlock([reading(list)]))[0]?.values, list);
});

test('a key called __proto__ is a key', (t) => {
	const hostile = Object.fromEntries([['__proto__', { admin: true }]]);
	const [decoded] = decodeBlock(encodeBlock([reading([hostile])]));
	t.is(JSON.stringify(decoded?.values), '[{"__proto__":{"admin":true}}]');
	t.is(Reflect.get({}, 'admin'), undefined);
});

test('one point and five thousand points, in one and in many readings', (t) => {
	for (const [points, count] of [
		[1, 1],
		[1, 3000],
		[5000, 1],
		[5000, 12],
	] as const) {
		const names = Array.from({ length: points }, (_, index) => `p${index}`);
		const readings = Array.from({ length: count }, (_, row) =>
			reading(
				names.map((_name, index) => (row * points + index) / 10),
				{ points: names, firstSeq: 1 + row * points },
			),
		);
		t.deepEqual(decodeBlock(encodeBlock(readings)), readings);
	}
});

test('blocks that share a dictionary define a shape once', (t) => {
	const encoder = createBlockDictionary();
	const first = encodeBlock([reading([1, 2])], encoder);
	const second = encodeBlock([reading([3, 4], { firstSeq: 3 })], encoder);
	t.true(second.length < first.length / 2);
	const decoder = createBlockDictionary();
	t.is(decodeBlock(first, decoder).length, 1);
	t.deepEqual(decodeBlock(second, decoder), [reading([3, 4], { firstSeq: 3 })]);
	t.throws(() => decodeBlock(second), { instanceOf: Fault, message: /shape 0 is not defined/ });
});

test('a rolled back dictionary defines the shape again', (t) => {
	const encoder = createBlockDictionary();
	const first = encodeBlock([reading([1])], encoder);
	encoder.rollBack(0);
	t.deepEqual(encodeBlock([reading([1])], encoder), first);
});

test('ranges are read without the values', (t) => {
	const block = encodeBlock([
		reading([1, 2], { firstSeq: 4 }),
		reading([], { firstSeq: 6 }),
		reading([1], { firstSeq: 9 }),
	]);
	t.deepEqual(readBlockRanges(block, createBlockDictionary()), [
		{ origin, epoch: 7, first: 4, last: 5 },
		{ origin, epoch: 7, first: 9, last: 9 },
	]);
});

test('a reading that no block can hold is refused with its reason, and leaves the dictionary alone', (t) => {
	let deep: SampleValue = 1;
	for (let depth = 0; depth < 100; depth += 1) deep = [deep];
	const dictionary = createBlockDictionary();
	for (const bad of [
		reading([1], { values: [] }),
		reading([1], { qualities: [] }),
		reading([1], { firstSeq: Number.MAX_SAFE_INTEGER }),
		reading([1], { epoch: -1 }),
		reading([deep]),
	]) {
		t.throws(() => encodeBlock([reading([1, 2, 3]), bad], dictionary), { instanceOf: Fault });
		t.is(dictionary.nextId(), 0);
	}
});

test('hostile bytes end in a fault', (t) => {
	const block = encodeBlock([reading([1, 'two', 3n, { four: [5] }], { qualities: ['good', 'stale', 'good', 'good'] })]);
	fc.assert(
		fc.property(
			fc.oneof(
				fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
				fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from([1, 0, ...bytes])),
				fc.nat({ max: block.length - 1 }).map((end) => block.subarray(0, end)),
				fc.tuple(fc.nat({ max: block.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
					const copy = Buffer.from(block);
					copy[at] = byte;
					return copy;
				}),
			),
			(bytes) => {
				try {
					decodeBlock(bytes);
				} catch (error) {
					if (!(error instanceof Fault)) throw error;
				}
			},
		),
		{ numRuns: 2000 },
	);
	t.pass();
});

test('a block may not inflate or hold more than the limits allow', (t) => {
	const block = encodeBlock(Array.from({ length: 2000 }, (_, index) => reading([0], { firstSeq: index + 1 })));
	t.true(block.length < 500);
	const limits = { maxRawBytes: 1_000_000, maxSamples: 5000 };
	t.is(decodeBlock(block, undefined, limits).length, 2000);
	t.throws(() => decodeBlock(block, undefined, { ...limits, maxRawBytes: 4000 }), { message: /more than 4000 bytes/ });
	t.throws(() => decodeBlock(block, undefined, { ...limits, maxSamples: 1999 }), { message: /more than 1999 samples/ });
});

test('a commit of 1000 float samples of ten devices stays under 7 kB', (t) => {
	const points = Array.from({ length: 100 }, (_, index) => `point_${index}`);
	const readings = Array.from({ length: 10 }, (_, row) =>
		reading(
			points.map((_name, index) => Math.fround(230 + Math.sin(row * 100 + index) * 5)),
			{ points, firstSeq: 1 + row * 100, device: deviceId(`00000000-0000-4000-8000-00000000000${row}`) },
		),
	);
	const size = encodeBlock(readings).length;
	t.log(`${size} bytes`);
	t.true(size < 7000);
});
