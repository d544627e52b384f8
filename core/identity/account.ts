import type { EpochMs } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/id.ts';
import { type Permission, permissionsOf } from './permission.ts';
import type { Actor, Role } from './role.ts';

export interface RecentToken {
	readonly secretHash: string;
	readonly issuedAt: EpochMs;
	/** `null`: not used yet. */
	readonly replacedAt: EpochMs | null;
}

/** One line of refresh tokens: begins with a login, and is replaced at each refresh (decision D4). */
export interface Session {
	readonly id: string;
	/** SHA-256 of the refresh token that was given last, base64url. */
	readonly secretHash: string;
	/** Tokens before it that were given or replaced a moment ago, oldest first; only where several tabs share one (a cookie). */
	readonly recent?: readonly RecentToken[];
	readonly expiresAt: EpochMs;
}

/** A person who may log in. Unset texts are ''. */
export interface Account {
	/** A UUID. */
	readonly id: string;
	/** Lower case; unique. */
	readonly email: string;
	/** Unique. */
	readonly username: string;
	readonly fullName: string;
	readonly phone: string;
	readonly organization: string;
	readonly avatarUrl: string;
	readonly role: Role;
	readonly tenantId: TenantId;
	/** Permissions beyond those of the level. */
	readonly granted: readonly Permission[];
	readonly isActive: boolean;
	readonly isVerified: boolean;
	/** argon2id in the PHC string format. */
	readonly passwordHash: string;
	/** Access tokens carry the generation they were issued in; counting up revokes them all. */
	readonly tokenGeneration: number;
	/** Oldest first; at most `MAX_SESSIONS`. */
	readonly sessions: readonly Session[];
	readonly createdAt: EpochMs;
	readonly lastLoginAt: EpochMs | null;
}

/** Most logins of one account at the same time; the oldest gives way. */
export const MAX_SESSIONS = 20;

/** The form in which addresses are compared and kept. */
export const normalEmail = (email: string): string => email.trim().toLowerCase();

export const actorFor = ({ id, email, role, tenantId, granted }: Account): Actor => ({
	userId: id,
	email,
	role,
	tenantId,
	permissions: permissionsOf(role, granted),
});

/** The account with this session in place of one with the same id, without expired ones. */
export function withSession(account: Account, session: Session, now: EpochMs): Account {
	const others = account.sessions.filter(({ id, expiresAt }) => id !== session.id && expiresAt > now);
	return { ...account, sessions: [...others, session].slice(-MAX_SESSIONS) };
}

/** The account without this session, and with all its access tokens revoked; the other sessions refresh theirs. */
export const withoutSession = (account: Account, sessionId: string): Account => ({
	...account,
	tokenGeneration: account.tokenGeneration + 1,
	sessions: account.sessions.filter(({ id }) => id !== sessionId),
});

/** The account with every token revoked. */
export const loggedOut = (account: Account): Account => ({
	...account,
	tokenGeneration: account.tokenGeneration + 1,
	sessions: [],
});
