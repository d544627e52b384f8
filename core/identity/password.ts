import { randomBytes } from 'node:crypto';

import { argon2id, hash, verify } from 'argon2';

import { Fault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import { COMMON_PASSWORDS } from './common-passwords.ts';

export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 128;

export interface Passwords {
	/** @throws Fault `rule-violation` for a password that is too short, too long or too common. */
	hash(password: string): Promise<string>;
	/** `null`: there is no such account; takes as long and is always false. @throws Fault `unavailable` under a flood of logins. */
	verify(passwordHash: string | null, password: string): Promise<boolean>;
}

/** argon2id with the least memory that OWASP recommends: 19 MiB for tens of milliseconds; the box has little to spare. */
const COST = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Each runs on a thread of the pool that also flushes the journal. */
const MAX_PARALLEL = 2;
const MAX_WAITING = 32;

const base64 = (length: number): string => randomBytes(length).toString('base64').replaceAll('=', '');

/** A hash that no password has, at the same cost. */
const impossibleHash = (): string =>
	`$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${base64(16)}$${base64(32)}`;

/** One password typed on two keyboards must be one sequence of bytes. */
const normal = (password: string): string => password.normalize('NFKC');

/** The rule for new passwords. @throws Fault `rule-violation` */
export function checkPassword(password: string): void {
	const { length } = normal(password);
	if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
		throw new Fault(
			'rule-violation',
			`a password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters; this one has ${length}`,
			{ field: 'password' },
		);
	}
	if (COMMON_PASSWORDS.has(normal(password).toLowerCase()))
		throw new Fault('rule-violation', 'this password is one of the most common ones; choose another', {
			field: 'password',
		});
}

export function createPasswords(): Passwords {
	const gate = createGate({ what: 'logins', parallel: MAX_PARALLEL, waiting: MAX_WAITING });
	const nobody = impossibleHash();
	return {
		async hash(password) {
			checkPassword(password);
			return gate.run(() => hash(normal(password), COST));
		},
		verify: (passwordHash, password) => gate.run(() => verify(passwordHash ?? nobody, normal(password))),
	};
}
