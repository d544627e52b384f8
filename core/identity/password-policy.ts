import { Fault } from '../kernel/fault.ts';
import { COMMON_PASSWORDS } from './common-passwords.ts';

export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 128;

/** What else is known about a new password. */
export interface PasswordContext {
	/** Wire name of the field it came in. */
	readonly field?: string;
	/** Email, username and name of its owner. */
	readonly owner?: readonly string[];
	/** It opens nothing but the change of itself: only its length is judged. */
	readonly isForFirstLogin?: boolean;
}

/** One password typed on two keyboards must be one sequence of bytes. */
export const normalPassword = (password: string): string => password.normalize('NFKC');

/** Neighbours on a keyboard or in a series, forwards and backwards. */
const ROWS = [
	'abcdefghijklmnopqrstuvwxyz',
	'01234567890',
	'qwertyuiop',
	'asdfghjkl',
	'zxcvbnm',
	'qwertzuiop',
	'azertyuiop',
];
const COLUMNS = ['1qaz', '2wsx', '3edc', '4rfv', '5tgb', '6yhn', '7ujm', '8ik', '9ol', '0p'];

const STEPS: ReadonlySet<string> = new Set(
	[...ROWS, ...COLUMNS].flatMap((row) =>
		Array.from(row.slice(1), (symbol, index) => [`${row[index]}${symbol}`, `${symbol}${row[index]}`]).flat(),
	),
);

/** Symbols for one step that breaks a pattern: a third of the steps of a word are no pattern. */
const SYMBOLS_PER_BREAK = 6;

/** True when nearly each symbol follows from the one before: `12345678`, `qwerty12`, `aaaabbbb`. */
function isWalk(text: string): boolean {
	let breaks = 0;
	for (let at = 1; at < text.length; at += 1) {
		const [before = '', symbol = ''] = [text[at - 1], text[at]];
		if (before !== symbol && !STEPS.has(before + symbol)) breaks += 1;
	}
	return breaks <= text.length / SYMBOLS_PER_BREAK;
}

/** Longest piece whose repetition makes a poor password. */
const MAX_PIECE = 4;

/** True for a short piece typed again and again: `ab1ab1ab1` is one, `abab1212` is none. */
function isRepeated(text: string): boolean {
	for (let length = 1; length <= MAX_PIECE; length += 1)
		if (
			text.startsWith(
				text
					.slice(0, length)
					.repeat(Math.ceil(text.length / length))
					.slice(0, text.length),
			)
		)
			return true;
	return false;
}

/** Letters for the digits and signs that stand for them. */
const LEET: Readonly<Record<string, string>> = {
	'0': 'o',
	'1': 'i',
	'!': 'i',
	'3': 'e',
	'4': 'a',
	'@': 'a',
	'5': 's',
	$: 's',
	'7': 't',
	'+': 't',
	'8': 'b',
	'9': 'g',
};

const unleet = (text: string, one = 'i'): string =>
	Array.from(text, (symbol) => (symbol === '1' || symbol === '!' ? one : (LEET[symbol] ?? symbol))).join('');

/** Up to four digits or signs before and after a word add next to nothing: `password2026!`. */
const DECORATION = /^[^\p{L}]{0,4}(.*?)[^\p{L}]{0,4}$/su;

/** What a guessing program makes of a password before it compares: without case, decoration and digits for letters. */
function formsOf(password: string): readonly string[] {
	const lower = password.toLowerCase();
	const bare = DECORATION.exec(lower)?.[1] ?? lower;
	return [lower, bare].flatMap((text) => [text, unleet(text), unleet(text, 'l')]);
}

const letters = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

/** The owner's own names, whole and in their parts that are long enough to tell. */
function ownForms(owner: readonly string[]): ReadonlySet<string> {
	const whole = owner.flatMap((text) => [text, text.split('@')[0] ?? text]);
	return new Set(whole.map(letters).filter((text) => text.length >= MAX_PIECE));
}

function lengthMistakeOf({ length }: string): string | null {
	if (length >= MIN_PASSWORD_LENGTH && length <= MAX_PASSWORD_LENGTH) return null;
	return `a password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters; this one has ${length}`;
}

/** Why a password is among the first that are tried, as a sentence; `null`: it is not. */
function guessOf(password: string, owner: readonly string[]): string | null {
	const forms = formsOf(password);
	if (forms.some((form) => COMMON_PASSWORDS.has(form)))
		return 'this password is one of the most common ones; choose another';
	const [lower = password] = forms;
	if (isWalk(lower) || isRepeated(lower))
		return 'this password is a row of keys, a series or a repetition; choose another';
	const own = ownForms(owner);
	if (forms.some((form) => own.has(letters(form))))
		return 'this password is the email, the username or the name of its owner; choose another';
	return null;
}

/** True for a password that somebody who guesses tries early. */
export const isGuessable = (password: string, owner: readonly string[]): boolean =>
	guessOf(normalPassword(password), owner) !== null;

/** The rules for new passwords. The sentence never repeats the password. @throws Fault `rule-violation` */
export function checkPassword(password: string, context: PasswordContext = {}): void {
	const { field = 'password', owner = [], isForFirstLogin = false } = context;
	const normal = normalPassword(password);
	const mistake = lengthMistakeOf(normal) ?? (isForFirstLogin ? null : guessOf(normal, owner));
	if (mistake !== null) throw new Fault('rule-violation', mistake, { field });
}
