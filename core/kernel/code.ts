import { randomInt } from 'node:crypto';

/** Crockford's base 32: no I, L, O, U, so that a code survives being read aloud and typed on a phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const group = (): string => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)] ?? '0').join('');

/** A random code of `groups` groups of four symbols (20 bits each), joined by dashes. */
export function randomCode(groups: number): string {
	return Array.from({ length: groups }, group).join('-');
}

/** The code as it was made, from what a person typed: any case, spaces or dashes anywhere, O for 0, I or L for 1. */
export function normalCode(typed: string): string {
	const symbols = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
	return symbols.match(/.{1,4}/g)?.join('-') ?? '';
}
