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
	issue(account: Account): string;
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
	readonly generation: number;
	readonly expiresAtMs: number;
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
	const { sub, gen, exp, iss }: { sub?: unknown; gen?: unknown; exp?: unknown; iss?: unknown } = payload;
	if (iss !== ISSUER || typeof sub !== 'string' || typeof gen !== 'number' || typeof exp !== 'number') throw forged();
	return { accountId: sub, generation: gen, expiresAtMs: exp * 1_000 };
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
	/** Signatures that were found good. What can change - time, account, revocation - is looked at each time. */
	const verified = new Map<string, Claims>();

	function remember(token: string, claims: Claims): void {
		const oldest = verified.keys().next();
		if (verified.size >= maxCached && oldest.done !== true) verified.delete(oldest.value);
		verified.set(token, claims);
	}

	function read(token: string): Claims {
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
		const claims = claimsOf(payload);
		remember(token, claims);
		return claims;
	}

	return {
		lifetimeSeconds,
		issue: ({ id, tokenGeneration }) =>
			Jwt.token.generate(
				{ iss: ISSUER, sub: id, gen: tokenGeneration, jti: randomBytes(9).toString('base64url') },
				{ key, algorithm: ALGORITHM },
				{ now: clock.now(), ttlSec: lifetimeSeconds },
			),
		expiresAt: (token) => epochMs(read(token).expiresAtMs),
		verify(token) {
			const { accountId, generation, expiresAtMs } = read(token);
			if (expiresAtMs <= clock.now()) {
				verified.delete(token);
				throw new Fault('token-expired', 'the access token has expired');
			}
			const account = accounts.byId(accountId);
			if (account === undefined || !account.isActive || account.tokenGeneration !== generation) throw forged();
			return actorFor(account);
		},
	};
}
