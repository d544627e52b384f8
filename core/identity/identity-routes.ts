import type { Plugin, Request, ResponseObject, Server } from '@hapi/hapi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, anyUser, publicAccess, TOKEN_STRATEGY } from '../http/access.ts';
import { addressKey, createRateLimiter, type RateLimiter } from '../http/rate-limit.ts';
import { type Clock, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { type Account, normalEmail } from './account.ts';
import {
	type ClaimBody,
	claimBody,
	type LoginBody,
	loginBody,
	type RefreshBody,
	refreshBody,
} from './identity-schema.ts';
import type { Grant, IdentityService } from './identity-service.ts';

export interface IdentityRoutesOptions {
	readonly identity: IdentityService;
	readonly clock: Clock;
	/** What this box is, for the page before anybody is logged in. */
	readonly role: 'gateway' | 'hub';
	readonly version: string;
	/** True where the pages come over HTTPS: then browsers may return the refresh cookie over HTTPS only. */
	readonly secureCookies: boolean;
	/** Tries of login and claim together, per address; and of logins per account. */
	readonly attemptsPerMinute?: number;
}

const ATTEMPTS_PER_MINUTE = 5;

/** Refreshes per try of a login, per address: every reload of a page is one, and no token of 256 bits is guessed. */
const REFRESHES_PER_ATTEMPT = 6;

const COOKIE = 'refresh_token';

const toTokens = (grant: Grant) => ({
	access_token: grant.accessToken,
	refresh_token: grant.refreshToken,
	token_type: 'bearer',
	expires_in: grant.accessLifetimeSeconds,
});

const toView = (account: Account) => ({
	id: account.id,
	_id: account.id,
	username: account.username,
	email: account.email,
	role: account.role,
	is_active: account.isActive,
	disabled: !account.isActive,
	is_verified: account.isVerified,
	full_name: account.fullName,
	phone: account.phone,
	organization: account.organization,
	avatar_url: account.avatarUrl,
	created_at: toIso(account.createdAt),
	last_login: account.lastLoginAt === null ? null : toIso(account.lastLoginAt),
});

/**
 * The refresh token of the cookie. Cookies know no ports: a page of another service on this host is "same site" and could send it,
 * so the page's own origin is compared too.
 */
function cookieOf(request: Pick<Request, 'state' | 'headers' | 'info'>): string | null {
	const token: unknown = request.state[COOKIE];
	if (typeof token !== 'string' || token === '') return null;
	const origin: unknown = request.headers['origin'];
	const isForeign = typeof origin === 'string' && !(URL.canParse(origin) && new URL(origin).host === request.info.host);
	if (isForeign) throw new Fault('forbidden', 'the refresh cookie is accepted from pages of this host only');
	return token;
}

const withCookie = (answer: ResponseObject, { refreshToken, refreshLifetimeSeconds }: Grant): ResponseObject =>
	answer.state(COOKIE, refreshToken, { ttl: refreshLifetimeSeconds * 1_000 });

function setupRoutes(server: Server, options: IdentityRoutesOptions, limiter: RateLimiter): void {
	const { identity, role, version } = options;
	server.route({
		method: 'GET',
		path: '/setup',
		options: { ...publicAccess, handler: () => ({ claimed: identity.isClaimed(), role, version }) },
	});

	server.route<{ Payload: ClaimBody }>({
		method: 'POST',
		path: '/setup/claim',
		options: {
			...publicAccess,
			app: { access: 'public', audit: 'caller-by-email' },
			validate: { payload: claimBody },
			handler: async (request, h) => {
				limiter.take(addressKey(request.info.remoteAddress));
				const { claim_code: code, email, password, full_name: fullName } = request.payload;
				const grant = await identity.claim(code, { email, password, fullName });
				return withCookie(h.response(toTokens(grant)).code(201), grant);
			},
		},
	});
}

function loginRoutes(server: Server, { identity }: IdentityRoutesOptions, limiter: RateLimiter): void {
	server.route<{ Payload: LoginBody }>({
		method: 'POST',
		path: '/auth/login',
		options: {
			...publicAccess,
			app: { access: 'public', audit: 'caller-by-email' },
			validate: { payload: loginBody },
			handler: async (request, h) => {
				const { email, password } = request.payload;
				limiter.take(addressKey(request.info.remoteAddress));
				limiter.take(`account ${normalEmail(email)}`);
				const grant = await identity.login(email, password);
				return withCookie(h.response(toTokens(grant)), grant);
			},
		},
	});
}

function refreshRoute(server: Server, { identity }: IdentityRoutesOptions, limiter: RateLimiter): void {
	server.route<{ Payload: RefreshBody }>({
		method: 'POST',
		path: '/auth/refresh',
		options: {
			...publicAccess,
			app: { access: 'public', audit: false },
			validate: { payload: refreshBody },
			handler: async (request, h) => {
				limiter.take(addressKey(request.info.remoteAddress));
				const own = request.payload.refresh_token;
				const token = own ?? cookieOf(request);
				if (token === null)
					throw new Fault('not-authenticated', 'a refresh token is required, in the body or as cookie');
				const grant = await identity.refresh(token, { isShared: own === undefined });
				return withCookie(h.response(toTokens(grant)), grant);
			},
		},
	});
}

function sessionRoutes(server: Server, { identity }: IdentityRoutesOptions): void {
	/** The access token, or else the cookie alone, says who it is. */
	function callerOf(request: Request): string {
		if (request.auth.isAuthenticated) return actorOf(request).userId;
		const token = cookieOf(request);
		if (token === null) throw new Fault('not-authenticated', 'a valid access token is required');
		return identity.ownerOf(token);
	}

	server.route({
		method: 'POST',
		path: '/auth/logout',
		options: {
			auth: { strategy: TOKEN_STRATEGY, mode: 'try' },
			app: { access: 'public' },
			handler: async (request, h) => {
				const userId = callerOf(request);
				await identity.logout(userId);
				noteChange(request, { target: userId, before: null, after: null });
				return h.response().code(204).unstate(COOKIE);
			},
		},
	});

	server.route({
		method: 'GET',
		path: '/users/me',
		options: { ...anyUser, handler: (request) => toView(identity.me(actorOf(request))) },
	});
}

/** Claiming the box, logging in and out, and the own account. To be mounted below `/api/v1`. */
export const identityRoutes: Plugin<IdentityRoutesOptions> = {
	name: 'identity-routes',
	register(server, options) {
		const { clock, secureCookies, attemptsPerMinute = ATTEMPTS_PER_MINUTE } = options;
		const limiter = createRateLimiter({ clock, perMinute: attemptsPerMinute });
		server.state(COOKIE, {
			isHttpOnly: true,
			isSecure: secureCookies,
			isSameSite: 'Strict',
			path: '/api',
			encoding: 'none',
			ignoreErrors: true,
		});
		const refreshLimiter = createRateLimiter({ clock, perMinute: attemptsPerMinute * REFRESHES_PER_ATTEMPT });
		setupRoutes(server, options, limiter);
		loginRoutes(server, options, limiter);
		refreshRoute(server, options, refreshLimiter);
		sessionRoutes(server, options);
	},
};
