import { randomBytes } from 'node:crypto';

import Jwt from '@hapi/jwt';

import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { type Account, actorFor } from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { Actor } from './role.ts';

/** Issues and verifies access tokens: JWT, HS256, without any permission inside. */
export interface AccessTokens {
	readonly lifetimeSeconds: number;
	/** A token of one session of the account; it ends with the session. */
	issue(account: Pick<Account, 'id'>, sessionId: string): string;
	/**
	 * Who the token belongs to, with the role of this moment.
	 * @throws Fault `token-expired`, or `bad-credentials` for a token that is forged, revoked or of an inactive account.
	 */
	verify(token: string): Actor;
	/** When the token ends by itself. @throws Fault `bad-credentials` for a token that is forged */
	expiresAt(token: string): EpochMs;
}

interface Claims {
	readonly accountId: string;
	readonly sessionId: string;
	readonly expiresAtMs: number;
}

/** A token whose signature is good, and what was found out about it with this state of the account. */
interface Verified extends Claims {
	account: Account | null;
	actor: Actor | null;
}

/** Section of the settings document that keeps the signing key. */
export interface TokenKeySettings {
	/** base64; `null` before the first start. */
	readonly tokenKey: string | null;
}

interface KeyStore<T> {
	get(): Readonly<T>;
	update(change: (current: Readonly<T>) => T): Promise<Readonly<T>>;
}

/** 256 bits: as many as the hash has. */
const KEY_BYTES = 32;

/** The signing key of this box; made at its first start. */
export async function ensureTokenKey<T extends TokenKeySettings>(settings: KeyStore<T>): Promise<Buffer> {
	const known = settings.get().tokenKey;
	if (known !== null) return Buffer.from(known, 'base64');
	const key = randomBytes(KEY_BYTES);
	await settings.update((current) => ({ ...current, tokenKey: key.toString('base64') }));
	return key;
}

const ISSUER = 'drawbridge';
const ALGORITHM = 'HS256';

/** Most verified tokens remembered; verifying one again costs tens of microseconds. */
const MAX_CACHED = 2_000;

const forged = (): Fault => new Fault('bad-credentials', 'the access token is not valid');

function claimsOf(payload: unknown): Claims {
	if (typeof payload !== 'object' || payload === null) throw forged();
	const { sub, sid, exp, iss }: { sub?: unknown; sid?: unknown; exp?: unknown; iss?: unknown } = payload;
	if (iss !== ISSUER || typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') throw forged();
	return { accountId: sub, sessionId: sid, expiresAtMs: exp * 1_000 };
}

export function createAccessTokens({
	key,
	lifetimeSeconds,
	clock,
	accounts,
	maxCached = MAX_CACHED,
}: {
	readonly key: Buffer;
	readonly lifetimeSeconds: number;
	readonly clock: Clock;
	readonly accounts: Pick<AccountDirectory, 'byId'>;
	readonly maxCached?: number;
}): AccessTokens {
	/** Signatures that were found good. What can change - time, account, session - is looked at each time. */
	const verified = new Map<string, Verified>();

	function remember(token: string, known: Verified): void {
		const oldest = verified.keys().next();
		if (verified.size >= maxCached && oldest.done !== true) verified.delete(oldest.value);
		verified.set(token, known);
	}

	function read(token: string): Verified {
		const known = verified.get(token);
		if (known !== undefined) return known;
		let payload: unknown;
		try {
			const artifacts = Jwt.token.decode(token);
			Jwt.token.verifySignature(artifacts, { key, algorithm: ALGORITHM });
			payload = artifacts.decoded.payload;
		} catch {
			throw forged();
		}
		const fresh: Verified = { ...claimsOf(payload), account: null, actor: null };
		remember(token, fresh);
		return fresh;
	}

	/** Every change makes a new account, so one that was looked at before says the same again. */
	function actorOf(token: Verified): Actor {
		const account = accounts.byId(token.accountId);
		if (account !== undefined && account === token.account && token.actor !== null) return token.actor;
		token.account = null;
		token.actor = null;
		const { sessionId } = token;
		if (account === undefined || !account.isActive || !account.sessions.some(({ id }) => id === sessionId))
			throw forged();
		token.account = account;
		token.actor = actorFor(account, sessionId);
		return token.actor;
	}

	return {
		lifetimeSeconds,
		issue: ({ id }, sessionId) =>
			Jwt.token.generate(
				{ iss: ISSUER, sub: id, sid: sessionId, jti: randomBytes(9).toString('base64url') },
				{ key, algorithm: ALGORITHM },
				{ now: clock.now(), ttlSec: lifetimeSeconds },
			),
		expiresAt: (token) => epochMs(read(token).expiresAtMs),
		verify(token) {
			const known = read(token);
			if (known.expiresAtMs <= clock.now()) {
				verified.delete(token);
				throw new Fault('token-expired', 'the access token has expired');
			}
			return actorOf(known);
		},
	};
}
