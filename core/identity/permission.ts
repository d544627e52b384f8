import type { Role } from './role.ts';

/** Every permission of the product. Names with a colon are `resource:action`; the flat ones are those of reference 004. */
export const PERMISSIONS = [
	'users:read',
	'users:write',
	'users:delete',
	'roles:read',
	'roles:write',
	'roles:delete',
	'regions:read',
	'regions:write',
	'regions:delete',
	'gateways:read',
	'gateways:write',
	'gateways:configure',
	'gateways:delete',
	'devices:read',
	'devices:write',
	'devices:command',
	'devices:delete',
	'telemetry:write',
	'templates:read',
	'templates:write',
	'templates:delete',
	'measurements:read',
	'measurements:export',
	'alarms:read',
	'alarms:write',
	'alarms:ack',
	'alarms:delete',
	'analytics:run',
	'keywords:write',
	'pipelines:write',
	'firmware:read',
	'firmware:write',
	'firmware:release',
	'firmware:delete',
	'ota:read',
	'ota:write',
	'ota:delete',
	'loto:read',
	'loto:write',
	'loto:approve',
	'loto:apply',
	'loto:override',
	'zigbee:read',
	'zigbee:write',
	'zigbee:delete',
	'widgets:read',
	'widgets:write',
	'widgets:delete',
	'system:read',
	'system:configure',
	'audit:read',
	'create_server',
	'manage_servers',
	'assign_roles',
	'manage_firewall',
	'manage_backups',
	'admin_access',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** What a level may beyond the level below it (decision D1). */
type Grants = Readonly<Record<Exclude<Role, 'user'>, (permission: Permission) => boolean>>;

/** Reading is for everybody, but for what is about people and about the box itself. */
const CONFIDENTIAL: ReadonlySet<Permission> = new Set(['users:read', 'roles:read', 'system:read', 'audit:read']);

const EDITOR: ReadonlySet<Permission> = new Set([
	'alarms:ack',
	'widgets:write',
	'measurements:export',
	'telemetry:write',
	'keywords:write',
	'pipelines:write',
]);

const MANAGER: ReadonlySet<Permission> = new Set([
	'regions:write',
	'gateways:write',
	'gateways:configure',
	'devices:write',
	'devices:command',
	'templates:write',
	'alarms:write',
	'analytics:run',
	'firmware:write',
	'ota:write',
	'zigbee:write',
	'loto:write',
	'loto:approve',
	'loto:apply',
	'system:read',
	'create_server',
	'manage_servers',
	'manage_backups',
]);

/** What is about the box as a whole stays with the superadmin. */
const SUPERADMIN_ONLY: ReadonlySet<Permission> = new Set(['system:configure']);

const ADDED: Grants = {
	viewer: (permission) => permission.endsWith(':read') && !CONFIDENTIAL.has(permission),
	editor: (permission) => EDITOR.has(permission),
	manager: (permission) => MANAGER.has(permission),
	admin: (permission) => !SUPERADMIN_ONLY.has(permission),
	superadmin: () => true,
};

const LADDER = ['viewer', 'editor', 'manager', 'admin', 'superadmin'] as const;

function grantsOf(level: (typeof LADDER)[number]): ReadonlySet<Permission> {
	const steps = LADDER.slice(0, LADDER.indexOf(level) + 1);
	return new Set(PERMISSIONS.filter((permission) => steps.some((step) => ADDED[step](permission))));
}

/** The table behind every check: what each built-in level may. `user` and `viewer` are one level under two names. */
export const PERMISSIONS_OF: Readonly<Record<Role, ReadonlySet<Permission>>> = {
	user: grantsOf('viewer'),
	viewer: grantsOf('viewer'),
	editor: grantsOf('editor'),
	manager: grantsOf('manager'),
	admin: grantsOf('admin'),
	superadmin: grantsOf('superadmin'),
};

/** What somebody of this level may who was also granted these directly. */
export const permissionsOf = (role: Role, granted: readonly Permission[]): ReadonlySet<Permission> =>
	granted.length === 0 ? PERMISSIONS_OF[role] : new Set([...PERMISSIONS_OF[role], ...granted]);
