import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { actorOf, anyUser } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { queryOf } from '../../core/http/request-target.ts';
import { isInTenantOf } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import {
	CALL_HEADERS,
	CALL_METHODS,
	type CallMethod,
	headersThat,
	MOST_CALL_BYTES,
} from '../../core/link/call-messages.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { RemoteCalls } from './remote-calls.ts';

/** A caller waits for so long; the server itself gives up after 30 s. */
const TIMEOUT_MS = 15_000;
/** Between the gateway and the path there. */
const PREFIX = '/remote/';

export interface RemoteRoutesOptions {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly calls: Pick<RemoteCalls, 'call'>;
}

/** What a REST answers. Anything else a browser could take for a page, or a program, of this hub. */
const DATA = /^(?:application\/(?:json|[a-z]+\+json|x-ndjson|octet-stream)|text\/(?:csv|plain))(?:;|$)/i;

const typeOf = (given: string): string => (DATA.test(given) ? given : 'application/octet-stream');

type Remote = Request<{ Params: { gateway_id: string; path: string }; Payload: object }>;

const params = Joi.object({
	gateway_id: Joi.string().guid().lowercase().required(),
	path: Joi.string().max(4_096).required(),
});

const operationIdOf = (method: CallMethod): string => `remote${method.charAt(0)}${method.slice(1).toLowerCase()}`;

/** The REST of gateways, below `/gateways/{gateway_id}/remote`: `…/remote/lines` is the gateway's `/api/v1/lines`. */
export const remoteRoutes: Plugin<RemoteRoutesOptions> = {
	name: 'remote-routes',
	register(server, { gateways, calls }) {
		async function forward(
			method: CallMethod,
			request: Remote,
			h: ResponseToolkit<{ Params: { gateway_id: string; path: string }; Payload: object }>,
		) {
			const actor = actorOf(request);
			const id = gatewayId(request.params.gateway_id);
			const record = gateways.find(id);
			if (record === null || !isInTenantOf(actor, record)) throw new Fault('not-found', `gateway ${id} does not exist`);
			// As it was written: what is encoded stays encoded.
			const path = request.path.slice(request.path.indexOf(PREFIX) + PREFIX.length);
			const { payload } = request;
			const answer = await calls.call(
				id,
				{
					method,
					path: `/api/v1/${path}${queryOf(request)}`,
					headers: headersThat(CALL_HEADERS, request.headers),
					body: Buffer.isBuffer(payload) ? payload.toString('base64') : null,
				},
				actor,
				TIMEOUT_MS,
			);
			if (method !== 'GET')
				noteChange(request, {
					target: id,
					before: null,
					after: { method, path: `/api/v1/${path}`, status: answer.status },
				});
			const response = h
				.response(answer.body === '' ? undefined : Buffer.from(answer.body, 'base64'))
				.code(answer.status);
			for (const [name, value] of Object.entries(answer.headers)) {
				if (name === 'content-type') response.type(typeOf(value));
				else if (name !== 'location' || value.startsWith('/api/')) response.header(name, value);
			}
			return response;
		}

		for (const method of CALL_METHODS) {
			const route = described(anyUser, {
				operationId: operationIdOf(method),
				tag: 'Gateways',
				summary: `${method} of a path of the gateway's own REST, with the permissions of the caller there`,
				answers: { 200: null },
				refusals: [403, 404, 409, 422, 502, 503, 504],
			});
			server.route({
				method,
				path: '/gateways/{gateway_id}/remote/{path*}',
				options: {
					...route,
					...(method !== 'GET' && { payload: { parse: false, output: 'data', maxBytes: MOST_CALL_BYTES } }),
					validate: { params },
					handler: (request: Remote, h) => forward(method, request, h),
				},
			});
		}
	},
};
