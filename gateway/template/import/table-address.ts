import { addressOf, type NotedAddress } from '../../../config/template/address-notation.ts';
import type { ReadFunction } from '../../../config/template/template.ts';
import type { ImportOptions } from './imported.ts';
import { wholeIn } from './table-values.ts';

/** An address as a table has it. */
export interface WrittenAddress {
	readonly text: string;
	/** What another column says; `null`: nothing. */
	readonly functionCode: ReadFunction | null;
}

/** How plain numbers count. */
export type Counting = 'zero' | 'one' | 'reference';

/** How the addresses of a file are read, and the sentence to warn with; `null`: it is beyond doubt. */
export interface CountingChoice {
	readonly counting: Counting;
	readonly doubt: string | null;
}

/** First digit of reference numbers by function. */
const DIGIT: Readonly<Record<ReadFunction, string>> = { 1: '0', 2: '1', 3: '4', 4: '3' };

const FIVE = /^\d{5}$/;
const SIX = /^\d{6}$/;
const ADDRESS_COUNT = 65_536;

const isPlain = (text: string): boolean => wholeIn(text) !== null;

function isReference({ text, functionCode }: WrittenAddress): boolean {
	const plain = text.trim();
	if (!FIVE.test(plain) && !SIX.test(plain)) return false;
	const noted = addressOf(plain);
	return noted !== null && (functionCode === null || plain.startsWith(DIGIT[functionCode]));
}

/**
 * How the plain numbers of a file count, from all of them together: reference numbers (40001, 400001) when every one of them is one,
 * else from 0; addresses that name their table say it themselves.
 */
export function countingOf(addresses: readonly WrittenAddress[], wanted: ImportOptions['addressing']): CountingChoice {
	if (wanted !== 'auto') return { counting: wanted, doubt: null };
	const plain = addresses.filter(({ text }) => isPlain(text));
	const numbers = plain.map(({ text }) => wholeIn(text) ?? 0);
	if (plain.length > 0 && plain.every(isReference)) {
		const isSure = numbers.some((number) => number >= ADDRESS_COUNT);
		const doubt =
			'all addresses look like reference numbers (40001 is the first register), and were read so; import with addressing "zero" if they are protocol addresses';
		return { counting: 'reference', doubt: isSure ? null : doubt };
	}
	const first = numbers.length === 0 ? 0 : numbers.reduce((least, number) => Math.min(least, number));
	const doubt =
		'no address is 0 and the smallest is 1: they were read as protocol addresses from 0; import with addressing "one" if they count from 1';
	return { counting: 'zero', doubt: first === 1 ? doubt : null };
}

/** An address that names its table itself. */
function named({ text, functionCode }: WrittenAddress, rule: string): NotedAddress | string {
	const found = addressOf(text);
	if (found === null) return rule;
	if (functionCode === null || functionCode === found.functionCode) return found;
	return `names function ${found.functionCode}, and the column of functions says ${functionCode}`;
}

/** Where an address is on the wire; a sentence when it is none. */
export function wireAddress(written: WrittenAddress, counting: Counting, usual: ReadFunction): NotedAddress | string {
	const number = wholeIn(written.text);
	if (number === null) return named(written, 'must be a number, or name its table as in hr:0, 4x1 or 400001');
	if (counting === 'reference') return named(written, 'must be a reference number of its table, as 40001 or 400001');
	const first = counting === 'one' ? 1 : 0;
	const address = number - first;
	return address >= 0 && address < ADDRESS_COUNT
		? { functionCode: written.functionCode ?? usual, address }
		: `must be from ${first} to ${ADDRESS_COUNT - 1 + first}`;
}
