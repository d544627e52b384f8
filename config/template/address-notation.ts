import type { ReadFunction } from './template.ts';

/** A register or bit as it is asked for on the wire. */
export interface NotedAddress {
	readonly functionCode: ReadFunction;
	/** Protocol address, 0 to 65535. */
	readonly address: number;
}

const ADDRESS_COUNT = 65_536;

/** Names of the four tables, which count from 0. */
const namedTables: Readonly<Record<string, ReadFunction>> = {
	c: 1,
	coil: 1,
	di: 2,
	'discrete-input': 2,
	hr: 3,
	'holding-register': 3,
	ir: 4,
	'input-register': 4,
};

/** First digit of a reference number, which counts from 1 (Modicon). */
const digitTables: Readonly<Record<string, ReadFunction>> = { 0: 1, 1: 2, 3: 4, 4: 3 };

const NAMED = /^([a-z-]+):(\d{1,9})$/;
const NUMBERED = /^(\d)(?:x(\d{1,9})|(\d{4,5}))$/;

const MAX_SHOWN_CHARS = 40;

const inTable = (functionCode: ReadFunction | undefined, address: number): NotedAddress | null =>
	functionCode !== undefined && address >= 0 && address < ADDRESS_COUNT ? { functionCode, address } : null;

/**
 * Reads an address that names its table: `hr:0`, `holding-register:0`, `4x1`, `40001` and `400001` are one register. Names count from 0,
 * numbers from 1. Blanks around it and capitals make no difference.
 * @returns `null` when it names no table, or an address that the table does not have
 */
export function addressOf(text: string): NotedAddress | null {
	const plain = text.trim().toLowerCase();
	const [, name = '', offset = ''] = NAMED.exec(plain) ?? [];
	if (name !== '') return inTable(Object.hasOwn(namedTables, name) ? namedTables[name] : undefined, Number(offset));
	const [, digit = '', after, rest] = NUMBERED.exec(plain) ?? [];
	return inTable(digitTables[digit], Number(after ?? rest ?? 0) - 1);
}

/** What to say of a text that is no address. */
export const addressSentence = (text: string): string =>
	'must name its table, as in hr:0, 4x1, 40001 or 400001 (names count from 0 to 65535, numbers from 1); ' +
	`found ${JSON.stringify(text.slice(0, MAX_SHOWN_CHARS))}`;

const tableOf: Readonly<Record<ReadFunction, { readonly name: string; readonly digit: string }>> = {
	1: { name: 'c', digit: '0' },
	2: { name: 'di', digit: '1' },
	3: { name: 'hr', digit: '4' },
	4: { name: 'ir', digit: '3' },
};

/** The address by the short name of its table, e.g. `hr:0`. */
export const namedAddress = ({ functionCode, address }: NotedAddress): string =>
	`${tableOf[functionCode].name}:${address}`;

/** The reference number of six digits, which reaches every address, e.g. `400001`. */
export const referenceNumber = ({ functionCode, address }: NotedAddress): string =>
	`${tableOf[functionCode].digit}${String(address + 1).padStart(5, '0')}`;
