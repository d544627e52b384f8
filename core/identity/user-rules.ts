import { Fault, fieldFault, notFound } from '../kernel/fault.ts';
import { isUuid } from '../kernel/id.ts';
import type { Account } from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import { type Permission, PERMISSIONS_OF } from './permission.ts';
import { type Actor, isInTenantOf, mayManage, type Role } from './role.ts';

/** Paths below `/users` that a name would hide behind. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['me', 'login', 'stats', 'change-password']);

/** Room for a counter below the longest username, 150 characters. */
const MAX_BASE = 140;

/** False for what stands for something else where a name or an id is taken (contract rule R1). */
export const isUsableName = (name: string): boolean =>
	!RESERVED_NAMES.has(name.toLowerCase()) && !isUuid(name.toLowerCase());

/** The local part of the email, with -2, -3 ... when that is taken (contract 000). */
export function freeUsername(email: string, isTaken: (name: string) => boolean): string {
	const base = email.slice(0, Math.min(email.indexOf('@'), MAX_BASE)).replaceAll('/', '-');
	for (let name = base, count = 2; ; name = `${base}-${count}`, count += 1)
		if (isUsableName(name) && !isTaken(name)) return name;
}

/** The account, when the caller may know of it. @throws Fault `not-found`, for those of other tenants too */
export function visibleAccount(accounts: Pick<AccountDirectory, 'byId'>, id: string, actor: Actor): Account {
	const account = accounts.byId(id);
	if (account === undefined || !isInTenantOf(actor, account)) throw notFound('user', id);
	return account;
}

/** Nobody changes a user who may do more. @throws Fault `forbidden` */
export function refuseAbove(actor: Actor, { role, granted }: Pick<Account, 'role' | 'granted'>): void {
	if (!mayManage(actor.role, role))
		throw new Fault('forbidden', `the role ${actor.role} may not change a user whose role is ${role}`);
	const beyond = granted.find((permission) => !actor.permissions.has(permission));
	if (beyond !== undefined)
		throw new Fault('forbidden', `a user with the permission ${beyond} is changed by those who have it too`);
}

/** Nobody gives a role above the own. @throws Fault `forbidden` */
export function refuseRole(actor: Actor, role: Role): void {
	if (!mayManage(actor.role, role))
		throw fieldFault('forbidden', 'role', `the role ${actor.role} may not give the role ${role}`);
}

/** Nobody gives a permission without having it. @throws Fault `forbidden` */
export function refuseGrants(actor: Actor, permissions: readonly Permission[]): void {
	const beyond = permissions.find((permission) => !actor.permissions.has(permission));
	if (beyond !== undefined)
		throw fieldFault('forbidden', 'permissions', `${beyond} can be given only by those who have it`);
}

type Standing = Pick<Account, 'role' | 'granted' | 'isActive' | 'deletedAt'>;

const isThere = ({ isActive, deletedAt }: Standing): boolean => isActive && deletedAt === null;

/** What a box always has one of, or nobody could manage it without a shell. */
const KEEPERS: Readonly<Record<string, (account: Standing) => boolean>> = {
	'the last active superadmin': (account) => isThere(account) && account.role === 'superadmin',
	'the last active administrator who may manage users': (account) =>
		isThere(account) && (PERMISSIONS_OF[account.role].has('users:write') || account.granted.includes('users:write')),
};

/** To be called where no other change can come between. @throws Fault `rule-violation` */
export function refuseLast(accounts: Pick<AccountDirectory, 'all'>, before: Account, after: Account): void {
	for (const [name, keeps] of Object.entries(KEEPERS)) {
		if (!keeps(before) || keeps(after)) continue;
		if (!accounts.all().some((other) => other.id !== before.id && keeps(other)))
			throw new Fault(
				'rule-violation',
				`${before.email} is ${name}, who can be neither deleted, demoted nor deactivated`,
			);
	}
}
