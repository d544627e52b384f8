import { PERMISSIONS_OF } from '../../core/identity/permission.ts';
import type { Actor, Role } from '../../core/identity/role.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';

/** Somebody of this level, in the default tenant. */
export const actorOfRole = (role: Role, userId = 'u', email = `${role}@example.com`): Actor => ({
	userId,
	email,
	role,
	tenantId: DEFAULT_TENANT,
	permissions: PERMISSIONS_OF[role],
});
