import { randomUUID } from 'node:crypto';

import type { Clock } from '../kernel/clock.ts';
import { Fault, fieldFault } from '../kernel/fault.ts';
import type { TenantId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { Page, Window } from '../kernel/page.ts';
import type { RevisionCheck } from '../kernel/revision.ts';
import { type Account, loggedOut, normalEmail } from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { Passwords } from './password.ts';
import { isGuessable } from './password-policy.ts';
import type { Permission } from './permission.ts';
import { type Actor, isAtLeast, isInTenantOf, may, type Role } from './role.ts';
import { freeUsername, refuseAbove, refuseGrants, refuseLast, refuseRole, visibleAccount } from './user-rules.ts';

/** What a user may change about itself. */
export interface ProfileChange {
	readonly fullName?: string;
	readonly phone?: string;
	readonly organization?: string;
	readonly avatarUrl?: string;
}

/** What an administrator may change. */
export interface UserChange extends ProfileChange {
	readonly email?: string;
	readonly username?: string;
	readonly role?: Role;
	readonly isActive?: boolean;
	readonly granted?: readonly Permission[];
}

/** A user to be made. Without a username it takes that of its email. */
export interface NewUser extends UserChange {
	readonly email: string;
	readonly password: string;
	readonly role: Role;
	/** Without it, that of who makes it. */
	readonly tenantId?: TenantId;
	readonly mustChangePassword?: boolean;
}

/** A change as the audit log shows it. */
export interface Changed {
	readonly before: Account;
	readonly after: Account;
}

export interface UserFilter {
	/** Of this level: `user` and `viewer` are one. */
	readonly role?: Role;
	readonly isActive?: boolean;
	/** Part of username, email or name; case does not count. */
	readonly search?: string;
}

export interface UserServiceDeps {
	readonly accounts: AccountDirectory;
	readonly passwords: Passwords;
	readonly clock: Clock;
	readonly log: Logger;
}

/** A new account without logins; the username is to be free. */
export function newAccount(draft: NewUser & { readonly tenantId: TenantId }, username: string, clock: Clock): Account {
	const { password: _password, ...facts } = draft;
	return {
		id: randomUUID(),
		fullName: '',
		phone: '',
		organization: '',
		avatarUrl: '',
		granted: [],
		isActive: true,
		isVerified: false,
		mustChangePassword: false,
		...facts,
		email: normalEmail(draft.email),
		username,
		passwordHash: '',
		sessions: [],
		knownNetworks: [],
		revision: 1,
		createdAt: clock.now(),
		lastLoginAt: null,
		deletedAt: null,
	};
}

const isOfLevel = (role: Role, other: Role): boolean => isAtLeast(role, other) && isAtLeast(other, role);

function matches(account: Account, { role, isActive, search = '' }: UserFilter): boolean {
	if (role !== undefined && !isOfLevel(account.role, role)) return false;
	if (isActive !== undefined && account.isActive !== isActive) return false;
	const text = search.toLowerCase();
	return [account.username, account.email, account.fullName].some((field) => field.toLowerCase().includes(text));
}

/** What a new password is compared with. */
export const ownTexts = (
	owner: Pick<Account, 'email' | 'fullName'> & { readonly username?: string },
): readonly string[] => [owner.email, owner.fullName, ...(owner.username === undefined ? [] : [owner.username])];

/** The accounts as their administrators and owners see and change them. */
export function createUserService({ accounts, passwords, clock, log }: UserServiceDeps) {
	const visible = (filter: UserFilter, actor: Actor): readonly Account[] =>
		accounts.all().filter((account) => isInTenantOf(actor, account) && matches(account, filter));

	/** The users the caller may know of, newest first. */
	function page({ skip, limit }: Window, filter: UserFilter, actor: Actor): Page<Account> {
		const found = visible(filter, actor);
		return { items: found.slice(skip, skip + limit), total: found.length };
	}

	/** @throws Fault `forbidden` for another user without `users:read`, `not-found` */
	function get(id: string, actor: Actor): Account {
		if (id !== actor.userId && !may(actor, 'users:read'))
			throw new Fault('forbidden', `another user is shown to those who have the permission users:read`);
		return visibleAccount(accounts, id, actor);
	}

	/** The caller's own account. @throws Fault `not-authenticated` for a caller who has none here */
	function me({ userId }: Pick<Actor, 'userId'>): Account {
		const account = accounts.byId(userId);
		if (account === undefined) throw new Fault('not-authenticated', 'a valid access token is required');
		return account;
	}

	const isTakenName = (name: string): boolean => accounts.byUsername(name) !== undefined;

	/** @throws Fault `duplicate` before work is spent on a password */
	function refuseTakenEarly({ email, username }: Pick<NewUser, 'email' | 'username'>): void {
		if (accounts.byEmail(email) !== undefined) throw fieldFault('duplicate', 'email', `${email} already exists`);
		if (username !== undefined && isTakenName(username))
			throw fieldFault('duplicate', 'username', `${username} already exists`);
	}

	/**
	 * Makes an account for somebody, whoever asks. Where the password has to be changed at the first login, it may be a poor one.
	 * @throws Fault `duplicate`, `rule-violation` for a poor password
	 */
	async function add(draft: NewUser & { readonly tenantId: TenantId }): Promise<Account> {
		refuseTakenEarly(draft);
		const owner = ownTexts({ fullName: '', ...draft });
		const isForFirstLogin = draft.mustChangePassword ?? false;
		const passwordHash = await passwords.hash(draft.password, { owner, isForFirstLogin });
		return accounts.create(() => {
			const username = draft.username ?? freeUsername(normalEmail(draft.email), isTakenName);
			return { ...newAccount(draft, username, clock), passwordHash };
		});
	}

	/** @throws Fault `forbidden` for a role, a permission or a tenant beyond the caller's own, `duplicate`, `rule-violation` */
	async function create(draft: NewUser, actor: Actor): Promise<Account> {
		const { tenantId = actor.tenantId, role, granted = [] } = draft;
		refuseRole(actor, role);
		refuseGrants(actor, granted);
		if (!isInTenantOf(actor, { tenantId }))
			throw fieldFault('forbidden', 'tenant_id', 'only a superadmin makes users of another tenant');
		// What an administrator thinks up for somebody else may be easy to guess; then it is good for one thing only.
		const isEasy = isGuessable(draft.password, ownTexts({ fullName: '', ...draft }));
		const mustChangePassword = (draft.mustChangePassword ?? false) || isEasy;
		const account = await add({ ...draft, tenantId, mustChangePassword });
		log.info('user-created', { userId: account.id, role, by: actor.userId });
		return account;
	}

	/** The one way an account changes by somebody's hand: the rules are checked where no other change comes between. */
	async function alter(
		id: string,
		actor: Actor,
		change: (current: Account) => Account,
		expected?: RevisionCheck,
	): Promise<Changed> {
		let before = visibleAccount(accounts, id, actor);
		const after = await accounts.change(id, (current) => {
			refuseAbove(actor, current);
			expected?.(current.revision);
			before = current;
			const changed = { ...change(current), revision: current.revision + 1 };
			refuseLast(accounts, current, changed);
			return changed;
		});
		return { before, after };
	}

	/**
	 * A user who is deactivated is logged out.
	 * @throws Fault `not-found`, `forbidden` beyond the caller's own role and permissions, `duplicate`, `rule-violation` for the last administrator
	 */
	async function patch(id: string, change: UserChange, actor: Actor, expected?: RevisionCheck): Promise<Changed> {
		function next(current: Account): Account {
			if (change.role !== undefined) refuseRole(actor, change.role);
			if (change.granted !== undefined) refuseGrants(actor, change.granted);
			const email = normalEmail(change.email ?? current.email);
			const changed = { ...current, ...change, email };
			return changed.isActive ? changed : loggedOut(changed);
		}
		const changed = await alter(id, actor, next, expected);
		log.info('user-changed', { userId: id, by: actor.userId });
		return changed;
	}

	/**
	 * The own profile. Role and state are no part of it, but a form may send them back as they are.
	 * @throws Fault `forbidden` for another role or state than the stored one
	 */
	async function patchOwn(
		change: ProfileChange,
		stays: Pick<UserChange, 'role' | 'isActive'>,
		actor: Actor,
		expected?: RevisionCheck,
	): Promise<Changed> {
		let before = me(actor);
		const after = await accounts.change(actor.userId, (current) => {
			if ((stays.role ?? current.role) !== current.role)
				throw fieldFault('forbidden', 'role', 'the own role is changed by an administrator');
			if ((stays.isActive ?? current.isActive) !== current.isActive)
				throw fieldFault('forbidden', 'is_active', 'the own state is changed by an administrator');
			expected?.(current.revision);
			before = current;
			return { ...current, ...change, revision: current.revision + 1 };
		});
		return { before, after };
	}

	const gone = (current: Account): Account => ({
		...loggedOut(current),
		isActive: false,
		passwordHash: '',
		knownNetworks: [],
		deletedAt: clock.now(),
	});

	/**
	 * Keeps a record without rights, and frees email and username; all tokens end.
	 * @throws Fault `not-found`, `forbidden`, `rule-violation` for the own account and the last administrator
	 */
	async function remove(id: string, actor: Actor, expected?: RevisionCheck): Promise<Account> {
		if (id === actor.userId) throw new Fault('rule-violation', 'the own account cannot be deleted');
		const { before } = await alter(id, actor, gone, expected);
		log.info('user-deleted', { userId: id, by: actor.userId });
		return before;
	}

	return { page, get, me, add, create, patch, patchOwn, remove, alter };
}

export type UserService = ReturnType<typeof createUserService>;
