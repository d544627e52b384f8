import { randomBytes, randomUUID } from 'node:crypto';

import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { DEFAULT_TENANT } from '../kernel/id.ts';
import { createGate } from '../kernel/gate.ts';
import type { Logger } from '../kernel/log.ts';
import type { AccessTokens } from './access-token.ts';
import {
	type Account,
	loggedOut,
	normalEmail,
	type RecentToken,
	type Session,
	withoutSession,
	withSession,
} from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { ClaimCode } from './claim-code.ts';
import type { Passwords } from './password.ts';
import type { Actor } from './role.ts';
import { isSameSecret, secretHash } from './secret-text.ts';

/** What a login gives. */
export interface Grant {
	readonly accessToken: string;
	readonly accessLifetimeSeconds: number;
	readonly refreshToken: string;
	readonly refreshLifetimeSeconds: number;
}

export interface NewAdministrator {
	readonly email: string;
	readonly password: string;
	readonly fullName: string;
}

export interface IdentityServiceDeps {
	readonly accounts: AccountDirectory;
	readonly passwords: Passwords;
	readonly tokens: AccessTokens;
	readonly claimCode: ClaimCode;
	readonly refreshTokenDays: number;
	readonly clock: Clock;
	readonly log: Logger;
}

const DAY_SECONDS = 86_400;
const SECRET_BYTES = 32;

/**
 * Tabs of a browser share one cookie and may renew at the same moment, their answers may arrive in any order, and one may be lost:
 * for this long the tokens of such a moment all count.
 */
const GRACE_MS = 10_000;
/** Most tokens of such a moment; the oldest give way. */
const MAX_RECENT = 16;

/** account, session, secret */
const REFRESH_TOKEN = /^([0-9a-f-]{36})\.([\w-]{22})\.([\w-]{43})$/;

interface RefreshToken {
	readonly accountId: string;
	readonly sessionId: string;
	readonly secret: string;
}

const wrongLogin = (): Fault => new Fault('bad-credentials', 'the email or the password is wrong');
const wrongRefresh = (): Fault => new Fault('bad-credentials', 'the refresh token is not valid');

function parseRefreshToken(text: string): RefreshToken {
	const [, accountId, sessionId, secret] = REFRESH_TOKEN.exec(text) ?? [];
	if (accountId === undefined || sessionId === undefined || secret === undefined) throw wrongRefresh();
	return { accountId, sessionId, secret };
}

function newAdministrator(draft: NewAdministrator, passwordHash: string, createdAt: EpochMs): Account {
	const email = normalEmail(draft.email);
	return {
		id: randomUUID(),
		email,
		username: email.slice(0, email.indexOf('@')),
		fullName: draft.fullName,
		phone: '',
		organization: '',
		avatarUrl: '',
		role: 'superadmin',
		tenantId: DEFAULT_TENANT,
		granted: [],
		isActive: true,
		isVerified: true,
		passwordHash,
		tokenGeneration: 1,
		sessions: [],
		createdAt,
		lastLoginAt: null,
	};
}

/** Who may come in: the first administrator, logins, refresh tokens and their revocation. */
export function createIdentityService(deps: IdentityServiceDeps) {
	const { accounts, passwords, tokens, claimCode, refreshTokenDays, clock, log } = deps;
	const refreshLifetimeSeconds = refreshTokenDays * DAY_SECONDS;
	const claims = createGate({ what: 'claims', parallel: 1, waiting: 8 });

	const isClaimed = (): boolean => accounts.count() > 0;

	function newSession(id: string, secret: string): Session {
		return { id, secretHash: secretHash(secret), expiresAt: epochMs(clock.now() + refreshLifetimeSeconds * 1_000) };
	}

	function grant(account: Account, sessionId: string, secret: string): Grant {
		return {
			accessToken: tokens.issue(account),
			accessLifetimeSeconds: tokens.lifetimeSeconds,
			refreshToken: `${account.id}.${sessionId}.${secret}`,
			refreshLifetimeSeconds,
		};
	}

	async function startSession(accountId: string): Promise<Grant> {
		const sessionId = randomBytes(16).toString('base64url');
		const secret = randomBytes(SECRET_BYTES).toString('base64url');
		const account = await accounts.change(accountId, (current) => {
			// The account may have been deactivated while its password was checked.
			if (!current.isActive) throw wrongLogin();
			const now = clock.now();
			return { ...withSession(current, newSession(sessionId, secret), now), lastLoginAt: now };
		});
		return grant(account, sessionId, secret);
	}

	async function createAdministrator(draft: NewAdministrator): Promise<Account> {
		const made = newAdministrator(draft, await passwords.hash(draft.password), clock.now());
		const existing = accounts.byEmail(made.email);
		const account =
			existing === undefined
				? made
				: await accounts.change(existing.id, (current) => ({
						...loggedOut(current),
						role: made.role,
						isActive: true,
						passwordHash: made.passwordHash,
					}));
		if (existing === undefined) await accounts.add(made);
		await claimCode.consume();
		log.info('administrator-created', { userId: account.id });
		return account;
	}

	/**
	 * Makes the first administrator and logs in; with a code of the shell a further one, or resets the account of this email to one.
	 * @throws Fault `state-conflict` once there is one and nobody has made a code at the shell, `bad-credentials` for a wrong code, `rule-violation` for a poor password.
	 */
	function claim(code: string, draft: NewAdministrator): Promise<Grant> {
		return claims.run(async () => {
			const isReset = await claimCode.matchesReset(code);
			if (isClaimed() && isReset === null)
				throw new Fault('state-conflict', 'this box is already claimed; log in instead');
			if (isReset !== true && (isClaimed() || !claimCode.matches(code)))
				throw new Fault('bad-credentials', 'the claim code is wrong', { field: 'claim_code' });
			const account = await createAdministrator(draft);
			return startSession(account.id);
		});
	}

	/** For unattended set-ups: does nothing, and answers false, once there is an account. @throws Fault `rule-violation` */
	function createFirstAdministrator(draft: NewAdministrator): Promise<boolean> {
		return claims.run(async () => {
			if (isClaimed()) return false;
			await createAdministrator(draft);
			return true;
		});
	}

	/** @throws Fault `bad-credentials`: one answer, after the same time, for an unknown email, a wrong password and an inactive account. */
	async function login(email: string, password: string): Promise<Grant> {
		const account = accounts.byEmail(email);
		const isRight = await passwords.verify(account?.passwordHash ?? null, password);
		if (account === undefined || !isRight || !account.isActive) {
			log.warn('login-refused', { userId: account?.id });
			throw wrongLogin();
		}
		const given = await startSession(account.id);
		log.info('logged-in', { userId: account.id });
		return given;
	}

	/** The session that a refresh token names, in this state of the account. */
	function sessionFor(account: Account | undefined, { sessionId }: RefreshToken): Session {
		const session = account?.sessions.find(({ id }) => id === sessionId);
		if (account === undefined || session === undefined || !account.isActive) throw wrongRefresh();
		if (session.expiresAt <= clock.now()) throw new Fault('token-expired', 'the refresh token has expired');
		return session;
	}

	/** Every token of the session that may still be used, and those just replaced. */
	const tokensOf = ({ secretHash: newest, recent = [], expiresAt }: Session): readonly RecentToken[] => [
		...recent,
		{ secretHash: newest, issuedAt: epochMs(expiresAt - refreshLifetimeSeconds * 1_000), replacedAt: null },
	];

	/** A clock that was set makes nothing a moment ago. */
	const isMomentAgo = (at: EpochMs): boolean => Math.abs(clock.now() - at) < GRACE_MS;

	/** The token, when its use is none of a replaced one; `null` otherwise. */
	function usable(session: Session, secret: string, isShared: boolean): RecentToken | null {
		const used = secretHash(secret);
		const token = tokensOf(session).find((known) => isSameSecret(known.secretHash, used));
		if (token === undefined) return null;
		return token.replacedAt === null || (isShared && isMomentAgo(token.replacedAt)) ? token : null;
	}

	/** What the session is after the use of one of its tokens; `null` when the token had been replaced before. */
	function afterUse(session: Session, usedSecret: string, nextSecret: string, isShared: boolean): Session | null {
		const used = usable(session, usedSecret, isShared);
		if (used === null) return null;
		const next = newSession(session.id, nextSecret);
		if (!isShared) return next;
		const now = clock.now();
		const recent = tokensOf(session)
			.map((token) =>
				token.secretHash === used.secretHash
					? Object.assign({}, token, { replacedAt: token.replacedAt ?? now })
					: token,
			)
			.filter(({ issuedAt, replacedAt }) => isMomentAgo(replacedAt ?? issuedAt));
		return { ...next, recent: recent.slice(-MAX_RECENT) };
	}

	/**
	 * A new pair for a refresh token, which is then used up. A token that comes a second time was copied: its session ends, and the
	 * account's access tokens with it (decision D4).
	 * @param isShared the token may be in the hands of several tabs (a cookie): one just replaced is then excused for a moment. A thief
	 * gains nothing lasting by that: the first refresh after that moment makes the tokens of everybody else re-used ones.
	 * @throws Fault `token-expired` | `bad-credentials`
	 */
	async function refresh(refreshToken: string, { isShared = false } = {}): Promise<Grant> {
		const given = parseRefreshToken(refreshToken);
		const secret = randomBytes(SECRET_BYTES).toString('base64url');
		let isReused = false;
		if (accounts.byId(given.accountId) === undefined) throw wrongRefresh();
		const account = await accounts.change(given.accountId, (current) => {
			const next = afterUse(sessionFor(current, given), given.secret, secret, isShared);
			isReused = next === null;
			return next === null ? withoutSession(current, given.sessionId) : withSession(current, next, clock.now());
		});
		if (isReused) {
			log.warn('refresh-token-reused', { userId: account.id });
			throw wrongRefresh();
		}
		return grant(account, given.sessionId, secret);
	}

	/** Revokes every token of the account. */
	async function logout(userId: string): Promise<void> {
		await accounts.change(userId, loggedOut);
		log.info('logged-out', { userId });
	}

	/** Whose refresh token this is. @throws Fault `token-expired` | `bad-credentials` */
	function ownerOf(refreshToken: string): string {
		const given = parseRefreshToken(refreshToken);
		const session = sessionFor(accounts.byId(given.accountId), given);
		if (usable(session, given.secret, true) === null) throw wrongRefresh();
		return given.accountId;
	}

	/** The caller's own account. */
	function me({ userId }: Actor): Account {
		const account = accounts.byId(userId);
		if (account === undefined) throw new Fault('not-authenticated', 'a valid access token is required');
		return account;
	}

	return { isClaimed, claim, createFirstAdministrator, login, refresh, logout, ownerOf, me };
}

export type IdentityService = ReturnType<typeof createIdentityService>;
