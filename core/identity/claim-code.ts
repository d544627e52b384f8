import { normalCode, randomCode } from '../kernel/code.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { isSameSecret, secretHash } from './secret-text.ts';

/** The code that makes the first administrator: whoever reads it has the box, or its console, in hand (decision D2). */
export interface ClaimCode {
	/** The code as it is shown; `null` once it is used. */
	current(): string | null;
	/** Constant time; case, dashes and spaces do not count, and letters that look like digits are read as such. */
	matches(text: string): boolean;
	/** Whether this is the code that a person with a shell on this box has made lately, claimed or not; `null`: there is none. */
	matchesReset(text: string): Promise<boolean | null>;
	/** Deletes both for good. */
	consume(): Promise<void>;
}

/** 5 groups of 4 symbols with 5 bits each: 100 bits. */
const GROUPS = 5;

const FORM = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){4}$/;

/** A new code, e.g. `7K2Q-…`. */
export const newClaimCode = (): string => randomCode(GROUPS);

/** True for a text in the form of `newClaimCode`. */
export const isClaimCode = (text: string): boolean => FORM.test(text);

/** A code made at the shell is for now; a terminal keeps what it has shown. */
const RESET_LIFETIME_MS = 3_600_000;

/** What is kept of a code of the shell: its hash, and when it ends. */
export const resetRecord = (code: string, now: EpochMs): string =>
	`${secretHash(normalCode(code))} ${now + RESET_LIFETIME_MS}\n`;

/** Whether the text is the code of a record; `null`: the record has ended, or is none. */
export function matchesResetRecord(record: string, text: string, now: EpochMs): boolean | null {
	const [hash = '', end = ''] = record.trim().split(' ');
	if (hash === '' || !(now < Number(end))) return null;
	return isSameSecret(hash, secretHash(normalCode(text)));
}

/** Constant time for any input. */
export const isSameClaimCode = (a: string, b: string): boolean => isSameSecret(normalCode(a), normalCode(b));
