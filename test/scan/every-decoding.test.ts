import test from 'ava';
import fc from 'fast-check';

import type { RegisterType } from '../../config/template/template.ts';
import { placesOf } from '../../gateway/scan/address-meanings.ts';
import { type Decoding, type DecodingQuestion, everyDecoding } from '../../gateway/scan/every-decoding.ts';
import { valueHint } from '../../gateway/scan/value-hint.ts';

/** Registers from an address on, as they are written in hex. */
function wordsAt(address: number, hex: string): ReadonlyMap<number, number> {
	const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
	return new Map(Array.from({ length: bytes.length / 2 }, (_, k) => [address + k, bytes.readUInt16BE(2 * k)]));
}

const ask = (changes: Partial<DecodingQuestion>): readonly Decoding[] =>
	everyDecoding({ functionCode: 3, places: placesOf(100, 3), count: 2, words: new Map(), ...changes });

const notes = (number: number, functionCode: 1 | 2 | 3 | 4): readonly string[] =>
	placesOf(number, functionCode).map(({ notation, address }) => `${notation} ${address}`);

test('a register number has all the meanings that manuals give it, and only those that exist', (t) => {
	t.deepEqual(notes(0, 3), ['zero-based 0']);
	t.deepEqual(notes(52, 3), ['zero-based 52', 'one-based 51']);
	t.deepEqual(notes(40_001, 3), ['zero-based 40001', 'one-based 40000', 'reference 0', 'reference-zero-based 1']);
	t.deepEqual(notes(40_000, 3), ['zero-based 40000', 'one-based 39999', 'reference-zero-based 0']);
	t.deepEqual(notes(30_053, 4), ['zero-based 30053', 'one-based 30052', 'reference 52', 'reference-zero-based 53']);
	t.deepEqual(notes(40_001, 4), ['zero-based 40001', 'one-based 40000'], 'the 4 is that of holding registers');
	t.deepEqual(notes(465_536, 3), ['reference 65535']);
	t.deepEqual(notes(400_001, 3), ['reference 0', 'reference-zero-based 1']);
	t.deepEqual(notes(10_017, 2), ['zero-based 10017', 'one-based 10016', 'reference 16', 'reference-zero-based 17']);
	t.deepEqual(notes(17, 1), ['zero-based 17', 'one-based 16']);
	t.deepEqual(notes(65_536, 3), ['one-based 65535']);
});

/** What lies on the wire, what it is, and how. */
const cases: readonly (readonly [hex: string, expect: number, type: RegisterType, order: string, scale: number])[] = [
	['4366 199A', 230.1, 'float32', 'ABCD', 1],
	['199A 4366', 230.1, 'float32', 'CDAB', 1],
	['6643 9A19', 230.1, 'float32', 'BADC', 1],
	['9A19 6643', 230.1, 'float32', 'DCBA', 1],
	['0000 08FD', 230.1, 'uint32', 'ABCD', 0.1],
	['08FD 0000', 230.1, 'uint16', 'AB', 0.1],
	['FD08 FFFF', 230.1, 'uint16', 'BA', 0.1],
	['FFFF FF9C', -100, 'int32', 'ABCD', 1],
	['0023 0100', 230_100, 'bcd32', 'ABCD', 1],
	['406C C333 3333 3333', 230.1, 'float64', 'ABCDEFGH', 1],
	['3333 3333 C333 406C', 230.1, 'float64', 'GHEFCDAB', 1],
	['0000 0000 0003 82D4', 230_100, 'uint64', 'ABCDEFGH', 1],
];

for (const [hex, expect, type, order, scale] of cases) {
	test(`${hex} shows ${expect} first as ${type} ${order}`, (t) => {
		const decodings = ask({ words: wordsAt(100, hex), count: hex.split(' ').length, expect });
		t.true(decodings.every(({ matches }) => matches === true));
		const found = decodings.find((each) => each.type === type && each.byteOrder === order);
		t.truthy(found, JSON.stringify(decodings.map(({ type: other, byteOrder }) => `${other} ${byteOrder}`)));
		t.is(found?.scale, scale);
		t.is(decodings[0]?.type, type, JSON.stringify(decodings.slice(0, 3)));
	});
}

test('without an expected value the voltage of a float comes before the noise of its other orders', (t) => {
	const [first] = ask({ words: wordsAt(99, '0000 4366 199A') });
	t.is(first?.type, 'float32');
	t.is(first?.byteOrder, 'ABCD');
	t.is(first?.notation, 'zero-based');
	t.is(first?.hint, '230.1 looks like a phase voltage in V');
	t.is(first?.matches, null);
});

test('the notation under which the expected value shows comes first', (t) => {
	const [first] = ask({ words: wordsAt(99, '4366 199A 0000'), expect: 230 });
	t.is(first?.notation, 'one-based');
	t.is(first?.address, 99);
});

test('when nothing has the expected value, everything is shown', (t) => {
	const decodings = ask({ words: wordsAt(100, '0001 0002'), expect: 777_777 });
	t.true(decodings.length > 10);
	t.true(decodings.every(({ matches }) => matches === false));
});

test('texts and clocks are recognised, in either order of bytes', (t) => {
	const [text] = ask({ words: wordsAt(100, '5344 4D36 3330 0000'), count: 4 });
	t.is(text?.type, 'string');
	t.is(text?.value, 'SDM630');
	t.is(text?.hint, 'readable text');
	const swapped = ask({ words: wordsAt(100, '4453 364D 3033 0000'), count: 4 }).find(({ value }) => value === 'SDM630');
	t.is(swapped?.byteOrder, 'BA');
	const clock = ask({ words: wordsAt(100, '6774 8580') }).find(({ type }) => type === 'time_unix32');
	t.is(clock?.hint, 'a date of our time');
});

test('coils have one meaning for each address', (t) => {
	const decodings = ask({
		functionCode: 1,
		places: placesOf(17, 1),
		words: new Map([
			[17, 1],
			[16, 0],
		]),
		expect: 1,
	});
	t.deepEqual(
		decodings.map(({ notation, value, type }) => [notation, value, type]),
		[['zero-based', true, 'bool']],
	);
});

test('registers that were not read are not decoded', (t) => {
	t.deepEqual(
		ask({ words: wordsAt(100, '4366') }).filter(({ count }) => count > 1),
		[],
	);
});

test('64-bit integers stay exact', (t) => {
	const decodings = ask({ words: wordsAt(100, 'FFFF FFFF FFFF FFFE'), count: 4 });
	t.is(decodings.find(({ type }) => type === 'uint64')?.value, 18_446_744_073_709_551_614n);
});

const hints: readonly (readonly [value: number, type: RegisterType, sentence: string | null])[] = [
	[230.1, 'float32', '230.1 looks like a phase voltage in V'],
	[400, 'float32', '400 looks like a voltage between phases in V'],
	[49.98, 'float32', '49.98 looks like a mains frequency in Hz'],
	[2301, 'uint16', 'x 0.1 = 230.1, which looks like a phase voltage in V'],
	[4998, 'uint16', 'x 0.01 = 49.98, which looks like a mains frequency in Hz'],
	[235, 'int16', '235 looks like a phase voltage in V'],
	[0, 'uint16', null],
	[123_456, 'uint32', null],
	[1e-40, 'float32', 'too small to be a measured value'],
	[3e30, 'float32', 'too large to be a measured value'],
	[0.93, 'float32', '0.93 could be a power factor'],
	[21.5, 'float32', '21.5 could be a temperature in °C'],
];

for (const [value, type, sentence] of hints) {
	test(`${value} as ${type} gets the hint: ${sentence ?? 'none'}`, (t) => {
		t.is(valueHint(value, type).sentence, sentence);
	});
}

test('law: whatever float a device sends, in whatever order, it is among the decodings, and every plausibility is a share', (t) => {
	const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
	fc.assert(
		fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(...orders), (value, order) => {
			const plain = Buffer.alloc(4);
			plain.writeFloatBE(value);
			const wire = Buffer.alloc(4);
			for (let k = 0; k < 4; k += 1) wire.writeUInt8(plain.readUInt8('ABCD'.indexOf(order.charAt(k))), k);
			const decodings = ask({ words: wordsAt(100, wire.toString('hex')) });
			const found = decodings.find(({ type, byteOrder }) => type === 'float32' && byteOrder === order);
			return found?.value === value && decodings.every(({ plausibility }) => plausibility >= 0 && plausibility <= 1);
		}),
	);
	t.pass();
});
