import type { Request } from '@hapi/hapi';

import { Fault } from '../kernel/fault.ts';
import type { Permission } from '../identity/permission.ts';
import { type Actor, ROLES } from '../identity/role.ts';

declare module '@hapi/hapi' {
	interface RouteOptionsApp {
		/** Who may call. Every route states it; the server refuses to start with one that does not. */
		readonly access: Permission | 'authenticated' | 'public';
		/** With access `authenticated`: others than the owner of the record need this permission; the service decides. */
		readonly ownerOr?: Permission;
		/** About the box as a whole: only for people of the tenant that it belongs to. */
		readonly ofBox?: true;
		/** Open even to somebody who must change the password first. */
		readonly evenPasswordDue?: true;
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

/** Route options: any valid token, even of somebody who must change the password before anything else. */
export const anyUserPasswordDue = {
	auth: TOKEN_STRATEGY,
	app: { access: 'authenticated', evenPasswordDue: true },
} as const;

/** Route options: whoever has this permission. */
export const permitted = (permission: Permission) => ({ auth: TOKEN_STRATEGY, app: { access: permission } }) as const;

/** The same, about the box as a whole: nobody of another tenant. */
export const ofBox = <T extends { readonly app: object }>(access: T) => ({
	...access,
	app: { ...access.app, ofBox: true as const },
});

/** Route options: the owner of the record, or whoever has this permission. The service behind the route checks it. */
export const ownerOr = (permission: Permission) =>
	({ auth: TOKEN_STRATEGY, app: { access: 'authenticated', ownerOr: permission } }) as const;

/** The caller of an authenticated route. */
export function actorOf(request: Pick<Request, 'auth'>): Actor {
	const actor = request.auth.credentials?.user?.actor;
	if (actor === undefined || !ROLES.includes(actor.role))
		throw new Fault('not-authenticated', 'a valid access token is required');
	return actor;
}
