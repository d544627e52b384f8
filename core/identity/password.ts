import { randomBytes } from 'node:crypto';

import { argon2id, hash, verify } from 'argon2';

import { createGate } from '../kernel/gate.ts';
import { checkPassword, normalPassword, type PasswordContext } from './password-policy.ts';

export interface Passwords {
	/** @throws Fault `rule-violation` for a password that `checkPassword` refuses; `unavailable` under a flood of logins. */
	hash(password: string, context?: PasswordContext): Promise<string>;
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

export function createPasswords(): Passwords {
	const gate = createGate({ what: 'logins', parallel: MAX_PARALLEL, waiting: MAX_WAITING });
	const nobody = impossibleHash();
	return {
		async hash(password, context) {
			checkPassword(password, context);
			return gate.run(() => hash(normalPassword(password), COST));
		},
		verify: (passwordHash, password) => gate.run(() => verify(passwordHash ?? nobody, normalPassword(password))),
	};
}
