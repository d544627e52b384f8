/** What a cell with a number means; `null`: none. */
export interface CellNumber {
	readonly value: number;
	/** It could have meant another number: `1,000`. */
	readonly isAmbiguous: boolean;
}

const PLAIN = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const WITH_COMMA = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i;
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const HEX = /^(?:0x([0-9a-f]{1,8})|([0-9][0-9a-f]{0,7})h)$/i;
const FRACTION = /^([+-]?\d+(?:\.\d+)?)\s*\/\s*(\d+(?:\.\d+)?)$/;

/** A number as people write it: `0.1`, `0,1`, `1/10`, `1,234.5`; with a leading `x` or `*` as factors have it. */
export function numberIn(text: string): CellNumber | null {
	const plain = text.trim().replace(/^[x*×]\s*/i, '');
	if (PLAIN.test(plain)) return { value: Number(plain), isAmbiguous: false };
	if (WITH_COMMA.test(plain))
		return { value: Number(plain.replace(',', '.')), isAmbiguous: /^[+-]?[1-9]\d{0,2},\d{3}$/.test(plain) };
	if (GROUPED.test(plain)) return { value: Number(plain.replaceAll(',', '')), isAmbiguous: false };
	const [, over, under] = FRACTION.exec(plain) ?? [];
	if (over === undefined || under === undefined || Number(under) === 0) return null;
	return { value: Number(over) / Number(under), isAmbiguous: false };
}

/** A whole number, also hexadecimal as `0x1F` or `1Fh`; `null`: none. */
export function wholeIn(text: string): number | null {
	const plain = text.trim();
	const hex = HEX.exec(plain);
	if (hex !== null) return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
	return /^\d{1,9}(?:\.0+)?$/.test(plain) ? Number(plain) : null;
}

const FUNCTIONS: readonly (readonly [pattern: RegExp, code: 1 | 2 | 3 | 4])[] = [
	[/^(?:fc|f)?0?1$|^0x01$|coil|^0x$/, 1],
	[/^(?:fc|f)?0?2$|^0x02$|discrete|^1x$|^di$/, 2],
	[/^(?:fc|f)?0?4$|^0x04$|input|^3x$|^ir$/, 4],
	[/^(?:fc|f)?0?3$|^0x03$|hold|^4x$|^hr$/, 3],
];

/** The read function that a cell names: `3`, `FC03`, `holding register`, `4x`; `null`: none. */
export function functionIn(text: string): 1 | 2 | 3 | 4 | null {
	const plain = text
		.trim()
		.toLowerCase()
		.replaceAll(/[\s_-]+/g, '')
		.replace(/^read/, '');
	return FUNCTIONS.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}

/** What may be done with a point: `r`, `w` or `rw`; `null`: the cell says nothing that is known. */
export function accessIn(text: string): 'r' | 'w' | 'rw' | null {
	const plain = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
	if (['', 'r', 'ro', 'read', 'readonly', 'read only', 'read-only', 'in'].includes(plain)) return 'r';
	if (['w', 'wo', 'write', 'writeonly', 'write only', 'write-only', 'out'].includes(plain)) return 'w';
	const isBoth = /^(?:r\s*\/?\s*w|rd\/wr|read\s*[/&,-]?\s*(?:and\s*)?write|read,\s*write(?:,.*)?)$/.test(plain);
	return isBoth ? 'rw' : null;
}

/** Pairs of `number=text`, one after the other with bars: `0=off|1=on`; a bar or backslash in a text has a backslash before it. */
export function textsIn(text: string): Readonly<Record<string, string>> | null {
	const pairs = Array.from(text.matchAll(/(?:[^|\\]|\\.)+/gs), ([pair]) => pair.replaceAll(/\\(.)/gs, '$1'));
	const found = pairs.map((pair) => /^\s*(-?\d{1,10})\s*[=:]\s?(.*)$/s.exec(pair));
	if (found.length === 0 || found.some((pair) => pair === null)) return null;
	return Object.fromEntries(found.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

/** The same, written. */
export const textsCell = (texts: Readonly<Record<string, string>>): string =>
	Object.entries(texts)
		.map(([number, text]) => `${number}=${text.replaceAll(/[\\|]/g, '\\$&')}`)
		.join('|');

/** Begins what a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** A text that no spreadsheet takes for a formula. */
export const safeCell = (text: string): string =>
	FORMULA.test(text) && !PLAIN.test(text) ? `'${text}` : text.replace(/^'/, "''");

/** The text behind `safeCell`. */
export const cellText = (cell: string): string => (/^'['=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell);
