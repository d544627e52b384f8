import type { Plugin, Request, Server } from '@hapi/hapi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, publicAccess, TOKEN_STRATEGY } from '../http/access.ts';
import { described } from '../http/describe.ts';
import { createRateLimiter, type RateLimiter } from '../http/rate-limit.ts';
import { addressKey } from '../kernel/address-key.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { normalEmail } from './account.ts';
import {
	type ClaimBody,
	claimBody,
	type LoginBody,
	loginBody,
	type RefreshBody,
	refreshBody,
	type RegisterBody,
	registerBody,
	registeredAnswer,
	setupAnswer,
	tokensAnswer,
	toTokens,
	waitingAnswer,
} from './identity-schema.ts';
import type { Identity } from './identity.ts';
import { defineRefreshCookie, REFRESH_COOKIE, refreshCookieOf, withRefreshCookie } from './refresh-cookie.ts';
import { mountPasswordRoutes } from './password-routes.ts';
import { mountSessionRoutes } from './session-routes.ts';
import { type Client, shortUserAgent } from './session.ts';
import { mountUserRoutes } from './user-routes.ts';
import { userView } from './user-schema.ts';

export interface IdentityRoutesOptions {
	readonly identity: Identity;
	readonly clock: Clock;
	/** What this box is, for the page before anybody is logged in. */
	readonly role: 'gateway' | 'hub';
	readonly version: string;
	/** True behind a proxy that speaks HTTPS: browsers return the refresh cookie over HTTPS only, as they do when the request came over TLS. */
	readonly secureCookies: boolean;
	/** SHA-256 of the authority behind this box's HTTPS; `null`: it has none. */
	readonly authorityFingerprint?: string | null;
	/**
	 * Tries of login, registration and claim together, per address; of logins per account from networks it was never used from; and of
	 * changes of a password per account.
	 */
	readonly attemptsPerMinute?: number;
}

const ATTEMPTS_PER_MINUTE = 5;

/** Refreshes per try of a login, per address: every reload of a page is one, and no token of 256 bits is guessed. */
const REFRESHES_PER_ATTEMPT = 6;

const TAG = 'Auth';

/** Who calls is not known yet, but the email says whose account it is about. */
const publicByEmail = { ...publicAccess, app: { access: 'public', audit: 'caller-by-email' } } as const;

/** Renewing a token is no decision of a person. */
const publicUnaudited = { ...publicAccess, app: { access: 'public', audit: false } } as const;

interface Entrance {
	readonly identity: Identity;
	readonly attempts: RateLimiter;
	readonly refreshes: RateLimiter;
}

const clientOf = ({ info, headers }: Pick<Request, 'info' | 'headers'>): Client => ({
	address: info.remoteAddress,
	network: addressKey(info.remoteAddress),
	userAgent: shortUserAgent(headers['user-agent']),
});

function mountSetup(
	server: Server,
	{ identity, attempts }: Entrance,
	{ role, version, authorityFingerprint }: Pick<IdentityRoutesOptions, 'role' | 'version' | 'authorityFingerprint'>,
): void {
	const { entry } = identity;
	server.route({
		method: 'GET',
		path: '/setup',
		options: {
			...described(publicAccess, {
				operationId: 'getSetup',
				tag: TAG,
				summary: 'What this box is, and whether it has an administrator',
				answers: { 200: setupAnswer },
			}),
			handler: () => ({
				claimed: entry.isClaimed(),
				role,
				version,
				registration: entry.registration(),
				...(authorityFingerprint !== undefined && { certificate_authority_sha256: authorityFingerprint }),
			}),
		},
	});

	server.route<{ Payload: ClaimBody }>({
		method: 'POST',
		path: '/setup/claim',
		options: {
			...described(publicByEmail, {
				operationId: 'claimBox',
				tag: TAG,
				summary: 'Make the first administrator with the claim code, and log in',
				answers: { 201: tokensAnswer },
				refusals: [401],
			}),
			validate: { payload: claimBody },
			handler: async (request, h) => {
				const client = clientOf(request);
				attempts.take(client.network);
				const { claim_code: code, email, password, full_name: fullName } = request.payload;
				const grant = await entry.claim(code, { email, password, fullName }, client);
				const after = identity.users.me({ userId: grant.userId });
				noteChange(request, { target: after.id, before: null, after: userView(after) });
				return withRefreshCookie(request, h.response(toTokens(grant)).code(201), grant);
			},
		},
	});
}

function mountRegister(server: Server, { identity, attempts }: Entrance): void {
	server.route<{ Payload: RegisterBody }>({
		method: 'POST',
		path: '/auth/register',
		options: {
			...described(publicByEmail, {
				operationId: 'registerUser',
				tag: TAG,
				summary: 'Register and receive tokens, or wait for an approval',
				answers: { 201: registeredAnswer, 202: waitingAnswer },
				refusals: [403],
			}),
			validate: { payload: registerBody },
			handler: async (request, h) => {
				const client = clientOf(request);
				attempts.take(client.network);
				const { full_name: fullName, ...rest } = request.payload;
				const { account, grant } = await identity.entry.register({ ...rest, fullName }, client);
				noteChange(request, { target: account.id, before: null, after: userView(account) });
				const { id, username, email } = account;
				if (grant === null) return h.response({ id, username, email, status: 'awaiting_approval' }).code(202);
				return withRefreshCookie(request, h.response({ id, username, email, ...toTokens(grant) }).code(201), grant);
			},
		},
	});
}

function mountLogin(server: Server, { identity, attempts, refreshes }: Entrance): void {
	const { entry, sessions } = identity;

	/**
	 * An address has few tries, whoever it asks for. Guessing at one account from many addresses has few tries too, and none of them
	 * can be taken from the places where its owner has logged in before: nobody is locked out by others.
	 */
	function takeAttempt({ network }: Client, email: string): void {
		attempts.take(network);
		if (!entry.isKnownNetwork(email, network)) attempts.take(`account ${normalEmail(email)}`);
	}

	server.route<{ Payload: LoginBody }>({
		method: 'POST',
		path: '/auth/login',
		options: {
			...described(publicByEmail, {
				operationId: 'login',
				tag: TAG,
				summary: 'Log in with email and password',
				answers: { 200: tokensAnswer },
				refusals: [401],
			}),
			validate: { payload: loginBody },
			handler: async (request, h) => {
				const { email, password } = request.payload;
				const client = clientOf(request);
				takeAttempt(client, email);
				const grant = await entry.login(email, password, client);
				noteChange(request, { target: grant.userId, before: null, after: null });
				return withRefreshCookie(request, h.response(toTokens(grant)), grant);
			},
		},
	});

	server.route<{ Payload: RefreshBody }>({
		method: 'POST',
		path: '/auth/refresh',
		options: {
			...described(publicUnaudited, {
				operationId: 'refreshTokens',
				tag: TAG,
				summary: 'Exchange a refresh token for a new pair',
				answers: { 200: tokensAnswer },
				refusals: [401, 403],
			}),
			validate: { payload: refreshBody },
			handler: async (request, h) => {
				const client = clientOf(request);
				refreshes.take(client.network);
				const own = request.payload.refresh_token;
				const token = own ?? refreshCookieOf(request);
				if (token === null)
					throw new Fault('not-authenticated', 'a refresh token is required, in the body or as cookie');
				const grant = await sessions.refresh(token, { isShared: own === undefined, client });
				return withRefreshCookie(request, h.response(toTokens(grant)), grant);
			},
		},
	});
}

function mountLogout(server: Server, { sessions }: Identity): void {
	/** The access token, or else the cookie alone, says who it is. @throws what is wrong with the token when there is no cookie */
	function callerOf(request: Request): string {
		if (request.auth.isAuthenticated) return actorOf(request).userId;
		const token = refreshCookieOf(request);
		if (token === null) throw request.auth.error ?? new Fault('not-authenticated', 'a valid access token is required');
		return sessions.ownerOf(token);
	}

	server.route({
		method: 'POST',
		path: '/auth/logout',
		options: {
			...described({ auth: { strategy: TOKEN_STRATEGY, mode: 'try' }, app: { access: 'public' } } as const, {
				operationId: 'logout',
				tag: TAG,
				summary: 'Log out everywhere',
				answers: { 204: null },
				refusals: [401, 403],
			}),
			handler: async (request, h) => {
				const userId = callerOf(request);
				await sessions.logout(userId);
				noteChange(request, { target: userId, before: null, after: null });
				return h.response().code(204).unstate(REFRESH_COOKIE);
			},
		},
	});
}

/** Claiming the box, registering, logging in and out, users, logins and passwords. To be mounted below `/api/v1`. */
export const identityRoutes: Plugin<IdentityRoutesOptions> = {
	name: 'identity-routes',
	register(server, options) {
		const { identity, clock, secureCookies, attemptsPerMinute = ATTEMPTS_PER_MINUTE } = options;
		const entrance = {
			identity,
			attempts: createRateLimiter({ clock, perMinute: attemptsPerMinute }),
			refreshes: createRateLimiter({ clock, perMinute: attemptsPerMinute * REFRESHES_PER_ATTEMPT }),
		};
		defineRefreshCookie(server, secureCookies);
		mountSetup(server, entrance, options);
		mountRegister(server, entrance);
		mountLogin(server, entrance);
		mountLogout(server, identity);
		mountUserRoutes(server, identity);
		mountSessionRoutes(server, identity);
		mountPasswordRoutes(server, identity, entrance.attempts);
	},
};
