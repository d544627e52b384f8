import type { Plugin, Request } from '@hapi/hapi';
import Joi from 'joi';

import { actorOf, publicAccess, TOKEN_STRATEGY } from '../http/access.ts';
import { described } from '../http/describe.ts';
import { may, refuseGuest, refusePasswordDue } from '../identity/role.ts';
import { type Clock, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { type Component, statusOf } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface SystemRoutesOptions {
	/** e.g. `drawbridge-gateway` */
	readonly service: string;
	readonly version: string;
	readonly clock: Clock;
	readonly components: readonly Component[];
	/** False until everything is started, and again while it stops. */
	readonly isStarted: () => boolean;
	readonly metrics: Metrics;
}

const connection = (isConnected: boolean): 'connected' | 'disconnected' => (isConnected ? 'connected' : 'disconnected');

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

/** A process of this machine asks; a proxy that forwards for others does not count. */
const isLocal = ({ info, headers }: Request): boolean =>
	LOOPBACK.test(info.remoteAddress) && headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined;

/** Health, readiness and metrics. To be mounted at the root. */
export const systemRoutes: Plugin<SystemRoutesOptions> = {
	name: 'system-routes',
	register(server, { service, version, clock, components, isStarted, metrics }) {
		const startedAtMs = clock.monotonicMs();

		server.route({
			method: 'GET',
			path: '/health',
			options: {
				...publicAccess,
				handler: () => {
					const states = components.map((component) => ({ name: component.name, ...component.state() }));
					return {
						status: statusOf(states),
						service,
						version,
						timestamp: toIso(clock.now()),
						uptime_seconds: Math.floor((clock.monotonicMs() - startedAtMs) / 1_000),
						...Object.fromEntries(states.map(({ name, isConnected }) => [name, connection(isConnected)])),
						reasons: Object.fromEntries(
							states.flatMap(({ name, reason }) => (reason === null ? [] : [[name, reason] as const])),
						),
					};
				},
			},
		});

		server.route({
			method: 'GET',
			path: '/readiness',
			options: {
				...publicAccess,
				handler: (_request, h) => {
					const states = components.map((component) => ({ ...component, ...component.state() }));
					const isReady = isStarted() && states.every(({ isEssential, isConnected }) => isConnected || !isEssential);
					return h
						.response({
							status: isReady ? 'ready' : 'not_ready',
							checks: Object.fromEntries(states.map(({ name, isConnected }) => [name, connection(isConnected)])),
							timestamp: toIso(clock.now()),
						})
						.code(isReady ? 200 : 503);
				},
			},
		});

		server.route({
			method: 'GET',
			path: '/metrics',
			options: {
				auth: { strategy: TOKEN_STRATEGY, mode: 'try' },
				app: { access: 'public' },
				handler: async (request, h) => {
					if (!request.auth.isAuthenticated && !isLocal(request))
						throw new Fault('not-authenticated', 'metrics need an access token, or a caller on this machine');
					// They tell of all tenants.
					if (request.auth.isAuthenticated) {
						refusePasswordDue(actorOf(request));
						if (!may(actorOf(request), 'system:read'))
							throw new Fault('forbidden', 'metrics need the permission system:read');
						refuseGuest(actorOf(request));
					}
					return h.response(await metrics.text()).type(metrics.contentType);
				},
			},
		});

		server.route({
			method: 'GET',
			path: '/api/v1/system/health',
			options: {
				...described(publicAccess, {
					operationId: 'getSystemHealth',
					tag: 'System',
					summary: 'Whether the service answers',
					answers: {
						200: Joi.object({
							status: Joi.valid('ok').required(),
							service: Joi.string().required(),
							version: Joi.string().required(),
						}),
					},
				}),
				handler: () => ({ status: 'ok', service, version }),
			},
		});
	},
};
