import { Fault, fieldFault } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { loggedOut, withOnlySession } from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { Passwords } from './password.ts';
import { normalPassword } from './password-policy.ts';
import type { Actor } from './role.ts';
import { refuseAbove, visibleAccount } from './user-rules.ts';
import { type Changed, ownTexts, type UserService } from './user-service.ts';

export interface PasswordServiceDeps {
	readonly accounts: AccountDirectory;
	readonly users: UserService;
	readonly passwords: Passwords;
	readonly log: Logger;
}

/** Changing the own password, and setting that of somebody who has lost it. */
export function createPasswordService({ accounts, users, passwords, log }: PasswordServiceDeps) {
	/**
	 * The login in use stays, all others end.
	 * @throws Fault `rule-violation` for a wrong current password, a poor new one, or the same again
	 */
	async function changeOwn(currentPassword: string, newPassword: string, actor: Actor): Promise<Changed> {
		const account = users.me(actor);
		if (!(await passwords.verify(account.passwordHash, currentPassword)))
			throw fieldFault('rule-violation', 'current_password', 'this is not the current password');
		if (normalPassword(currentPassword) === normalPassword(newPassword))
			throw fieldFault('rule-violation', 'new_password', 'this is the current password; choose another');
		const passwordHash = await passwords.hash(newPassword, { field: 'new_password', owner: ownTexts(account) });
		const after = await accounts.change(actor.userId, (current) => {
			if (current.passwordHash !== account.passwordHash)
				throw new Fault('state-conflict', 'the password was changed by another request meanwhile');
			return { ...withOnlySession(current, actor.sessionId), passwordHash, mustChangePassword: false };
		});
		log.info('password-changed', { userId: actor.userId });
		return { before: account, after };
	}

	/**
	 * Ends every login of the user, who must choose another password after the next one.
	 * @throws Fault `not-found`, `forbidden` for a user above the caller, `rule-violation` for a poor password or the own account
	 */
	async function reset(userId: string, newPassword: string, actor: Actor): Promise<Changed> {
		if (userId === actor.userId)
			throw new Fault('rule-violation', 'the own password is changed with the current one, under /users/me/password');
		const account = visibleAccount(accounts, userId, actor);
		refuseAbove(actor, account);
		const passwordHash = await passwords.hash(newPassword, { field: 'new_password', owner: ownTexts(account) });
		const changed = await users.alter(userId, actor, (current) => ({
			...loggedOut(current),
			// Whoever had the old password may have logged in from one of them.
			knownNetworks: [],
			passwordHash,
			mustChangePassword: true,
		}));
		log.info('password-reset', { userId, by: actor.userId });
		return changed;
	}

	return { changeOwn, reset };
}
