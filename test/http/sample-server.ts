import type { Plugin, Server } from '@hapi/hapi';
import type { ExecutionContext } from 'ava';
import Joi from 'joi';

import { actorOf, anyUser, permitted, publicAccess } from '../../core/http/access.ts';
import { RateLimitFault } from '../../core/http/rate-limit.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import type { WebFolder } from '../../core/http/static-web.ts';
import { type Actor, type Role, ROLES } from '../../core/identity/role.ts';
import { Fault, type FaultReason } from '../../core/kernel/fault.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';

export const tokens = {
	/** Tokens of these tests are `role.x.y`. */
	verify(token: string): Actor {
		const role = ROLES.find((known) => known === token.split('.')[0]);
		if (role === undefined) throw new Fault('bad-credentials', 'the access token is not valid');
		return actorOfRole(role);
	},
};

export const bearer = (role: Role) => ({ authorization: `Bearer ${role}.x.y` });

/** Routes that fail in every way, and some that do not. */
const samples: Plugin<void> = {
	name: 'samples',
	multiple: true,
	register(server) {
		server.route<{ Params: { reason: FaultReason } }>({
			method: 'GET',
			path: '/fault/{reason}',
			options: {
				...publicAccess,
				handler: ({ params }) => {
					throw new Fault(params.reason, `refused: ${params.reason}`);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/broken',
			options: {
				...publicAccess,
				handler: () => {
					throw new TypeError('inner detail', { cause: new Error('disk on fire') });
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/limited',
			options: {
				...publicAccess,
				handler: () => {
					throw new RateLimitFault(17);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/things',
			options: {
				...publicAccess,
				validate: {
					payload: Joi.object({
						name: Joi.string().min(2).required(),
						tags: Joi.array().items(Joi.string()),
						password: Joi.string().pattern(/^\d+$/),
					}),
				},
				handler: ({ payload }) => payload,
			},
		});
		server.route({
			method: 'GET',
			path: '/things',
			options: { ...publicAccess, validate: { query: Joi.object({ page: Joi.number().min(1) }) }, handler: () => [] },
		});
		server.route({
			method: 'GET',
			path: '/things/{id}',
			options: { ...publicAccess, validate: { params: Joi.object({ id: Joi.string().uuid() }) }, handler: () => ({}) },
		});
		server.route({ method: 'GET', path: '/any', options: { ...anyUser, handler: (request) => actorOf(request) } });
		server.route({
			method: 'POST',
			path: '/managers',
			options: { ...permitted('devices:write'), handler: () => ({ done: true }) },
		});
	},
};

/** Serves the sample routes below `/api/v1` and below `/api/p`, which answer errors in different bodies. */
export const sampleServer = (log: Logger = silentLog, web: WebFolder | null = null): Promise<Server> =>
	createHttpServer({
		log,
		tokens,
		web,
		parts: [part(samples, undefined, '/api/v1'), part(samples, undefined, '/api/p')],
	});

/** Every answer carries them. */
export function assertHeaders(t: ExecutionContext, headers: Readonly<Record<string, unknown>>, name: string): void {
	t.regex(String(headers['content-security-policy']), /default-src 'self'.*frame-ancestors 'none'/, name);
	t.is(headers['x-content-type-options'], 'nosniff', name);
	t.is(headers['referrer-policy'], 'no-referrer', name);
	t.regex(String(headers['x-request-id']), /^[0-9a-f-]{36}$/, name);
}
