import type { Plugin, Request } from '@hapi/hapi';

import type { Actor } from '../identity/role.ts';
import { Fault } from '../kernel/fault.ts';
import { TOKEN_STRATEGY } from './access.ts';

/** Knows who an access token belongs to, at this moment. */
export interface TokenVerifier {
	/** @throws Fault `token-expired`, or `bad-credentials` for a token that is forged, revoked or of an inactive account. */
	verify(token: string): Actor;
}

/** Longest header that is looked at; a token of ours has about 300 characters. */
const MAX_HEADER_LENGTH = 4_096;

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** The bearer token of a request. @throws Fault `not-authenticated` when there is none. */
function bearerOf(request: Request): string {
	const header: unknown = request.headers['authorization'];
	if (typeof header !== 'string') throw new Fault('not-authenticated', 'a valid access token is required');
	const token = header.length > MAX_HEADER_LENGTH ? undefined : BEARER.exec(header)?.[1];
	if (token === undefined) throw new Fault('bad-credentials', 'the Authorization header holds no bearer token');
	return token;
}

/** The strategy `token` of `access.ts`: bearer access tokens (contract rule R7). */
export const tokenStrategy: Plugin<{ readonly tokens: TokenVerifier }> = {
	name: 'token-strategy',
	register(server, { tokens }) {
		server.auth.scheme('bearer', () => ({
			authenticate: (request, h) => {
				const actor = tokens.verify(bearerOf(request));
				return h.authenticated({ credentials: { user: { actor } } });
			},
		}));
		server.auth.strategy(TOKEN_STRATEGY, 'bearer');
	},
};
