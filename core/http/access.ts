import type { Request } from '@hapi/hapi';

import { Fault } from '../kernel/fault.ts';
import { type Actor, ROLES, type Role } from '../identity/role.ts';

declare module '@hapi/hapi' {
	interface RouteOptionsApp {
		/** Who may call. Every route states it; the server refuses to start with one that does not. */
		readonly access: Role | 'authenticated' | 'public';
	}
	interface UserCredentials {
		readonly actor: Actor;
	}
}

/** Name of the bearer-token authentication strategy. */
export const TOKEN_STRATEGY = 'token';

/** Route options: anybody, without a token. */
export const publicAccess = { auth: false, app: { access: 'public' } } as const;

/** Route options: any valid token. */
export const anyUser = { auth: TOKEN_STRATEGY, app: { access: 'authenticated' } } as const;

/** Route options: this level or a higher one. */
export const atLeast = (role: Role) => ({ auth: TOKEN_STRATEGY, app: { access: role } }) as const;

/** The caller of an authenticated route. */
export function actorOf(request: Pick<Request, 'auth'>): Actor {
	const actor = request.auth.credentials?.user?.actor;
	if (actor === undefined || !ROLES.includes(actor.role))
		throw new Fault('not-authenticated', 'a valid access token is required');
	return actor;
}
