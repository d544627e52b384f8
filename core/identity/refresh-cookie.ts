import type { Request, ResponseObject, Server } from '@hapi/hapi';

import { isEncrypted } from '../http/encrypted.ts';
import { Fault } from '../kernel/fault.ts';
import type { Grant } from './session-service.ts';

export const REFRESH_COOKIE = 'refresh_token';

/** @param isSecure browsers return it over HTTPS only */
export function defineRefreshCookie(server: Server, isSecure: boolean): void {
	server.state(REFRESH_COOKIE, {
		isHttpOnly: true,
		isSecure,
		isSameSite: 'Strict',
		path: '/api',
		encoding: 'none',
		ignoreErrors: true,
	});
}

/**
 * The refresh token of the cookie. Cookies know no ports: a page of another service on this host is "same site" and could send it,
 * so the page's own origin is compared too. @throws Fault `forbidden` for a page of another origin
 */
export function refreshCookieOf(request: Pick<Request, 'state' | 'headers' | 'info'>): string | null {
	const token: unknown = request.state[REFRESH_COOKIE];
	if (typeof token !== 'string' || token === '') return null;
	const origin: unknown = request.headers['origin'];
	const isForeign = typeof origin === 'string' && !(URL.canParse(origin) && new URL(origin).host === request.info.host);
	if (isForeign) throw new Fault('forbidden', 'the refresh cookie is accepted from pages of this host only');
	return token;
}

/** Over TLS the browser is told to return it over TLS only. */
export const withRefreshCookie = (
	request: Pick<Request, 'raw'>,
	answer: ResponseObject,
	{ refreshToken, refreshLifetimeSeconds }: Grant,
): ResponseObject =>
	answer.state(REFRESH_COOKIE, refreshToken, {
		ttl: refreshLifetimeSeconds * 1_000,
		...(isEncrypted(request) && { isSecure: true }),
	});
