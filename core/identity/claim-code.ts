import { normalCode, randomCode } from '../kernel/code.ts';
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

/** 5 groups of 4 symbols with 5 bits each: 100 bits. */
const GROUPS = 5;

const FORM = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){4}$/;

/** A new code, e.g. `7K2Q-…`. */
export const newClaimCode = (): string => randomCode(GROUPS);

/** True for a text in the form of `newClaimCode`. */
export const isClaimCode = (text: string): boolean => FORM.test(text);

/** Constant time for any input. */
export const isSameClaimCode = (a: string, b: string): boolean => isSameSecret(normalCode(a), normalCode(b));
