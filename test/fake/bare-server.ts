import { type Plugin, server as createHapi, type Server } from '@hapi/hapi';
import Joi from 'joi';

import { Fault, type FaultReason } from '../../core/kernel/fault.ts';
import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import { may, ROLES, type Role } from '../../core/identity/role.ts';
import { actorOfRole } from './actor-of-role.ts';

const STATUS: Readonly<Record<FaultReason, number>> = {
	'not-found': 404,
	duplicate: 409,
	'state-conflict': 409,
	'rule-violation': 422,
	malformed: 400,
	'precondition-failed': 412,
	'not-authenticated': 401,
	'token-expired': 401,
	'bad-credentials': 401,
	forbidden: 403,
	'rate-limited': 429,
	unreachable: 502,
	unavailable: 503,
	timeout: 504,
};

/** The identity of the caller `role` in every bare server. */
export const userIdOf = (role: Role): string => `aa000000-0000-4000-8000-00000000000${ROLES.indexOf(role)}`;

export const bearer = (role: Role) => ({ authorization: `Bearer ${role}` });

/** A hapi server without the product's own: tokens are names of roles, faults become bare statuses. */
export async function bareServer<T>(plugin: Plugin<T>, options: T): Promise<Server> {
	const server = createHapi({
		routes: {
			validate: {
				options: { abortEarly: false },
				failAction: (_request, h, error) =>
					h.response({ detail: error?.message, error_code: 'VALIDATION_ERROR' }).code(422).takeover(),
			},
		},
	});
	server.validator(Joi);
	server.auth.scheme('stub', () => ({
		authenticate(request, h) {
			const role = ROLES.find((known) => `Bearer ${known}` === request.headers['authorization']);
			if (role === undefined) return h.response({ error_code: 'NOT_AUTHENTICATED' }).code(401).takeover();
			const actor = actorOfRole(role, userIdOf(role));
			return h.authenticated({ credentials: { user: { actor } } });
		},
	}));
	server.auth.strategy(TOKEN_STRATEGY, 'stub');
	server.ext('onPostAuth', (request, h) => {
		const access = request.route.settings.app?.access;
		const actor = request.auth.credentials?.user?.actor;
		if (access === undefined || access === 'public' || access === 'authenticated') return h.continue;
		if (actor !== undefined && may(actor, access)) return h.continue;
		return h.response({ error_code: 'PERMISSION_DENIED' }).code(403).takeover();
	});
	server.ext('onPreResponse', ({ response }, h) => {
		if (response instanceof Fault)
			return h.response({ detail: response.message, reason: response.reason }).code(STATUS[response.reason]);
		return h.continue;
	});
	await server.register({ plugin, options });
	return server;
}
