import type { EpochMs } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/id.ts';
import { type Permission, permissionsOf } from './permission.ts';
import type { Actor, Role } from './role.ts';
import type { Session } from './session.ts';

/** A person who may log in. Unset texts are ''. */
export interface Account {
	/** A UUID. */
	readonly id: string;
	/** Lower case; unique. */
	readonly email: string;
	/** Unique; case does not count. */
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
	/** argon2id in the PHC string format; '' once deleted. */
	readonly passwordHash: string;
	/** The password was set by an administrator: until it is changed, nothing else is allowed. */
	readonly mustChangePassword: boolean;
	/** In the order of their last use; at most `MAX_SESSIONS`. */
	readonly sessions: readonly Session[];
	/** Networks of logins that succeeded (`Client.network`), the newest last; at most `MAX_KNOWN_NETWORKS`. */
	readonly knownNetworks: readonly string[];
	/** Counts up with each change that a person makes; logins do not count. */
	readonly revision: number;
	readonly createdAt: EpochMs;
	readonly lastLoginAt: EpochMs | null;
	/** `null` while the account is there. A deleted one is a record without rights, and its email and username are free. */
	readonly deletedAt: EpochMs | null;
}

/** Most logins of one account at the same time; the one unused for longest gives way. */
export const MAX_SESSIONS = 20;

/** Places a person works from; the oldest gives way. */
export const MAX_KNOWN_NETWORKS = 8;

/** The form in which addresses are compared and kept. */
export const normalEmail = (email: string): string => email.trim().toLowerCase();

/** @param sessionId session of the token in use; none where no token of this box is */
export const actorFor = (
	{ id, email, role, tenantId, granted, mustChangePassword }: Account,
	sessionId?: string,
): Actor => ({
	userId: id,
	email,
	role,
	tenantId,
	permissions: permissionsOf(role, granted),
	mustChangePassword,
	...(sessionId !== undefined && { sessionId }),
});

/** The account with this session in place of one with the same id. Expired ones stay for a while: their tokens are told that they are. */
export function withSession(account: Account, session: Session): Account {
	const others = account.sessions.filter(({ id }) => id !== session.id);
	return { ...account, sessions: [...others, session].slice(-MAX_SESSIONS) };
}

/** The account without this session, whose access tokens end with it; the other sessions go on. */
export const withoutSession = (account: Account, sessionId: string): Account => ({
	...account,
	sessions: account.sessions.filter(({ id }) => id !== sessionId),
});

/** The account with every token revoked, but for those of one session. */
export const withOnlySession = (account: Account, sessionId: string | undefined): Account => ({
	...account,
	sessions: account.sessions.filter(({ id }) => id === sessionId),
});

/** The account with every token revoked. */
export const loggedOut = (account: Account): Account => ({ ...account, sessions: [] });

/** The account with a network that its owner has proved to use. */
export function withKnownNetwork(account: Account, network: string): Account {
	if (network === '') return account;
	const others = account.knownNetworks.filter((known) => known !== network);
	return { ...account, knownNetworks: [...others, network].slice(-MAX_KNOWN_NETWORKS) };
}
