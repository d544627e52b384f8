import { randomBytes } from 'node:crypto';

import { isSameSecret } from './secret-text.ts';

/** The code that makes the first administrator: whoever reads it has the box, or its console, in hand (decision D2). */
export interface ClaimCode {
	/** The code as it is shown; `null` once it is used. */
	current(): string | null;
	/** Constant time; case, dashes and spaces do not count, and letters that look like digits are read as such. */
	matches(text: string): boolean;
	/** Deletes it for good. */
	consume(): Promise<void>;
}

/** Crockford's base32: no I, L, O, U. 256 is a multiple of 32, so that a byte picks fairly. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 4 groups of 5 letters with 5 bits each: 100 bits. */
const GROUPS = 4;
const GROUP_LENGTH = 5;

const FORM = /^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}$/;

/** A new code, e.g. `7K2QX-…`. */
export function newClaimCode(): string {
	const letters = [...randomBytes(GROUPS * GROUP_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '0');
	const groups = Array.from({ length: GROUPS }, (_, group) =>
		letters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join(''),
	);
	return groups.join('-');
}

/** True for a text in the form of `newClaimCode`. */
export const isClaimCode = (text: string): boolean => FORM.test(text);

/** What was typed, as the letters that were meant. */
const plain = (text: string): string =>
	text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');

/** Constant time for any input. */
export const isSameClaimCode = (a: string, b: string): boolean => isSameSecret(plain(a), plain(b));
