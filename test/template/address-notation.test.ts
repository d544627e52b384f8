import { readFileSync } from 'node:fs';

import test from 'ava';
import fc from 'fast-check';

import { addressOf, addressSentence, namedAddress, referenceNumber } from '../../config/template/address-notation.ts';

interface Notations {
	readonly cases: readonly { readonly text: string; readonly function: number; readonly address: number }[];
	readonly refused: readonly { readonly text: string; readonly why: string }[];
}

function notations(): Notations {
	const path = new URL('../../../test/fixture/golden/address-notation.json', import.meta.url);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a fixture of this repository
	return JSON.parse(readFileSync(path, 'utf8')) as Notations;
}

test('an address is understood in every way people write it', (t) => {
	const { cases } = notations();
	t.true(cases.length > 0);
	for (const { text, function: functionCode, address } of cases) {
		t.deepEqual(addressOf(text), { functionCode, address }, text);
		t.deepEqual(addressOf(` ${text.toUpperCase()} `), { functionCode, address }, text);
	}
});

test('what names no table, or no address of one, is refused', (t) => {
	for (const { text, why } of notations().refused) t.is(addressOf(text), null, `${text}: ${why}`);
	for (const text of [
		'',
		'0',
		'1',
		'4',
		'4001',
		'hr',
		'hr:',
		'hr:0x10',
		'constructor:1',
		'4x',
		'4x1.5',
		'4000001',
		'hr:1 2',
	])
		t.is(addressOf(text), null, text);
	t.is(
		addressSentence('20001'),
		'must name its table, as in hr:0, 4x1, 40001 or 400001 (names count from 0 to 65535, numbers from 1); found "20001"',
	);
});

test('an address is the same after it was written in words or in numbers', (t) => {
	const place = fc.record({
		functionCode: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
		address: fc.integer({ min: 0, max: 65_535 }),
	});
	fc.assert(
		fc.property(place, (noted) => {
			t.deepEqual(addressOf(namedAddress(noted)), noted);
			t.deepEqual(addressOf(referenceNumber(noted)), noted);
		}),
	);
});
