import { randomBytes } from 'node:crypto';

import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { Fault, notFound } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import type { AccessTokens } from './access-token.ts';
import { type Account, loggedOut, withKnownNetwork, withOnlySession, withoutSession, withSession } from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { Actor } from './role.ts';
import { isSameSecret, secretHash } from './secret-text.ts';
import { type Client, type RecentToken, type Session, UNKNOWN_CLIENT } from './session.ts';
import { refuseAbove, visibleAccount } from './user-rules.ts';

/** What a login gives. */
export interface Grant {
	readonly userId: string;
	readonly accessToken: string;
	readonly accessLifetimeSeconds: number;
	readonly refreshToken: string;
	readonly refreshLifetimeSeconds: number;
}

export interface SessionServiceDeps {
	readonly accounts: AccountDirectory;
	readonly tokens: AccessTokens;
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

const wrongRefresh = (): Fault => new Fault('bad-credentials', 'the refresh token is not valid');

function parseRefreshToken(text: string): RefreshToken {
	const [, accountId, sessionId, secret] = REFRESH_TOKEN.exec(text) ?? [];
	if (accountId === undefined || sessionId === undefined || secret === undefined) throw wrongRefresh();
	return { accountId, sessionId, secret };
}

/** Lines of refresh tokens: their begin, their renewal, and every way they end. An access token ends with its session, at once. */
export function createSessionService({ accounts, tokens, refreshTokenDays, clock, log }: SessionServiceDeps) {
	const refreshLifetimeSeconds = refreshTokenDays * DAY_SECONDS;

	const freshSession = (id: string, secret: string, { address, userAgent }: Client, createdAt: EpochMs): Session => ({
		id,
		secretHash: secretHash(secret),
		createdAt,
		lastUsedAt: clock.now(),
		expiresAt: epochMs(clock.now() + refreshLifetimeSeconds * 1_000),
		address,
		userAgent,
	});

	const grant = (account: Account, sessionId: string, secret: string): Grant => ({
		userId: account.id,
		accessToken: tokens.issue(account, sessionId),
		accessLifetimeSeconds: tokens.lifetimeSeconds,
		refreshToken: `${account.id}.${sessionId}.${secret}`,
		refreshLifetimeSeconds,
	});

	/**
	 * Logs somebody in who has proved who it is.
	 * @param refuseInactive makes the error for an account that was deactivated meanwhile
	 */
	async function start(accountId: string, client: Client, refuseInactive: () => Fault): Promise<Grant> {
		const sessionId = randomBytes(16).toString('base64url');
		const secret = randomBytes(SECRET_BYTES).toString('base64url');
		const account = await accounts.change(accountId, (current) => {
			if (!current.isActive) throw refuseInactive();
			const now = clock.now();
			const known = withKnownNetwork(current, client.network);
			return { ...withSession(known, freshSession(sessionId, secret, client, now)), lastLoginAt: now };
		});
		return grant(account, sessionId, secret);
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
	function afterUse(session: Session, used: RecentToken | null, next: Session, isShared: boolean): Session | null {
		if (used === null) return null;
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
	 * A new pair for a refresh token, which is then used up. A token that comes a second time was copied: its session ends, and its
	 * access tokens with it (decision D4).
	 * @param isShared the token may be in the hands of several tabs (a cookie): one just replaced is then excused for a moment. A thief
	 * gains nothing lasting by that: the first refresh after that moment makes the tokens of everybody else re-used ones.
	 * @throws Fault `token-expired` | `bad-credentials`
	 */
	async function refresh(
		refreshToken: string,
		{ isShared = false, client = UNKNOWN_CLIENT }: { readonly isShared?: boolean; readonly client?: Client } = {},
	): Promise<Grant> {
		const given = parseRefreshToken(refreshToken);
		const secret = randomBytes(SECRET_BYTES).toString('base64url');
		let isReused = false;
		if (accounts.byId(given.accountId) === undefined) throw wrongRefresh();
		const account = await accounts.change(given.accountId, (current) => {
			const session = sessionFor(current, given);
			const renewed = freshSession(session.id, secret, client, session.createdAt);
			const next = afterUse(session, usable(session, given.secret, isShared), renewed, isShared);
			isReused = next === null;
			return next === null ? withoutSession(current, given.sessionId) : withSession(current, next);
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

	const living = ({ sessions }: Account): readonly Session[] =>
		sessions.filter(({ expiresAt }) => expiresAt > clock.now()).toReversed();

	/** The logins of a user that may still be used, the one used last first. @throws Fault `not-found` */
	const list = (userId: string, actor: Actor): readonly Session[] => living(visibleAccount(accounts, userId, actor));

	/** Ends one of the caller's own logins. @throws Fault `not-found` */
	async function end(sessionId: string, actor: Actor): Promise<Session> {
		const known = list(actor.userId, actor).find(({ id }) => id === sessionId);
		if (known === undefined) throw notFound('session', sessionId);
		await accounts.change(actor.userId, (current) => withoutSession(current, sessionId));
		log.info('session-ended', { userId: actor.userId });
		return known;
	}

	/** Ends the caller's logins but for the one in use. */
	async function endOthers(actor: Actor): Promise<void> {
		await accounts.change(actor.userId, (current) => withOnlySession(current, actor.sessionId));
		log.info('other-sessions-ended', { userId: actor.userId });
	}

	/** Ends every login of somebody else. @throws Fault `not-found` | `forbidden` for a user above the caller */
	async function endAllOf(userId: string, actor: Actor): Promise<void> {
		visibleAccount(accounts, userId, actor);
		await accounts.change(userId, (current) => {
			refuseAbove(actor, current);
			return loggedOut(current);
		});
		log.info('sessions-ended', { userId, by: actor.userId });
	}

	return { start, refresh, logout, ownerOf, list, end, endOthers, endAllOf };
}

export type SessionService = ReturnType<typeof createSessionService>;
