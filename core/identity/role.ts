import { Fault } from '../kernel/fault.ts';
import { DEFAULT_TENANT, type TenantId } from '../kernel/id.ts';
import type { Permission } from './permission.ts';

/** Built-in levels, lowest first (contract rule R5). `user` and `viewer` are one level under two names. */
export const ROLES = ['user', 'viewer', 'editor', 'manager', 'admin', 'superadmin'] as const;

export type Role = (typeof ROLES)[number];

const LEVEL: Readonly<Record<Role, number>> = { user: 0, viewer: 0, editor: 1, manager: 2, admin: 3, superadmin: 4 };

/** True when the role stands at the level of `least` or above it. */
export const isAtLeast = (role: Role, least: Role): boolean => LEVEL[role] >= LEVEL[least];

/**
 * True when somebody of this role may manage people of the other one. `user` and `viewer` are one level, but a `user` sees only what it
 * owns: to give itself the name `viewer`, or to take the place of one, would show it everything.
 */
export const mayManage = (role: Role, other: Role): boolean =>
	isAtLeast(role, other) && (role !== 'user' || other === 'user');

/** Who is asking. Made from a verified access token and the account behind it, never from the request. */
export interface Actor {
	readonly userId: string;
	readonly email: string;
	readonly role: Role;
	readonly tenantId: TenantId;
	/** Those of the level and those granted directly. */
	readonly permissions: ReadonlySet<Permission>;
	/** Session of the access token; unset where no token of this box was used. */
	readonly sessionId?: string;
	/** An administrator has set the password: only what serves to change it is allowed. */
	readonly mustChangePassword?: boolean;
	/** Calls through the hub, whose account it is: there is none on this box, and nothing here can belong to it. */
	readonly isFromHub?: boolean;
}

/** The account of a caller to whom what is made may belong; `null`: there is none on this box. */
export const ownerFor = ({ userId, isFromHub = false }: Pick<Actor, 'userId' | 'isFromHub'>): string | null =>
	isFromHub ? null : userId;

/** @throws Fault `forbidden` while the password is one that an administrator has set */
export function refusePasswordDue({ mustChangePassword = false }: Pick<Actor, 'mustChangePassword'>): void {
	if (mustChangePassword)
		throw new Fault(
			'forbidden',
			'the password was set by an administrator; change it first, then everything else works',
		);
}

/** The one question behind every check of a permission. */
export const may = (actor: Pick<Actor, 'permissions'>, permission: Permission): boolean =>
	actor.permissions.has(permission);

/** A superadmin is at home in all tenants; for everybody else a record of another tenant does not exist. */
export const isInTenantOf = (
	actor: Pick<Actor, 'role' | 'tenantId'>,
	record: { readonly tenantId: TenantId },
): boolean => record.tenantId === actor.tenantId || actor.role === 'superadmin';

/**
 * What is about the box as a whole - a login that hears all devices, its lines, its hub - belongs to the tenant of the box.
 * @throws Fault `forbidden` for people of other tenants
 */
export function refuseGuest(actor: Pick<Actor, 'role' | 'tenantId'>): void {
	if (!isInTenantOf(actor, { tenantId: DEFAULT_TENANT }))
		throw new Fault('forbidden', 'this is about the box as a whole, which belongs to another tenant');
}
