import type { Request, Server } from '@hapi/hapi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, anyUser, permitted } from '../http/access.ts';
import { described } from '../http/describe.ts';
import type { Identity } from './identity.ts';
import { ownSessionParams, sessionOwnerParams, sessionsAnswer, sessionView } from './session-schema.ts';

const TAG = 'Sessions';

function mountOwn(server: Server, { sessions }: Identity): void {
	server.route({
		method: 'GET',
		path: '/users/me/sessions',
		options: {
			...described(anyUser, {
				operationId: 'listMySessions',
				tag: TAG,
				summary: 'The own logins, the one used last first',
				answers: { 200: sessionsAnswer },
			}),
			handler: (request) => {
				const actor = actorOf(request);
				return sessions.list(actor.userId, actor).map((session) => sessionView(session, actor.sessionId));
			},
		},
	});

	server.route({
		method: 'DELETE',
		path: '/users/me/sessions',
		options: {
			...described(anyUser, {
				operationId: 'endMyOtherSessions',
				tag: TAG,
				summary: 'End the own logins but for the one in use',
				answers: { 204: null },
			}),
			handler: async (request, h) => {
				const actor = actorOf(request);
				await sessions.endOthers(actor);
				noteChange(request, { target: actor.userId, before: null, after: null });
				return h.response().code(204);
			},
		},
	});

	server.route({
		method: 'DELETE',
		path: '/users/me/sessions/{session_id}',
		options: {
			...described(anyUser, {
				operationId: 'endMySession',
				tag: TAG,
				summary: 'End one of the own logins, with its tokens',
				answers: { 204: null },
			}),
			validate: { params: ownSessionParams },
			handler: async (request: Request<{ Params: { session_id: string } }>, h) => {
				const actor = actorOf(request);
				const ended = await sessions.end(request.params.session_id, actor);
				noteChange(request, { target: actor.userId, before: sessionView(ended, actor.sessionId), after: null });
				return h.response().code(204);
			},
		},
	});
}

type OfUser = Request<{ Params: { user_id: string } }>;

function mountOthers(server: Server, { sessions }: Identity): void {
	server.route({
		method: 'GET',
		path: '/users/{user_id}/sessions',
		options: {
			...described(permitted('users:read'), {
				operationId: 'listUserSessions',
				tag: TAG,
				summary: 'The logins of a user, the one used last first',
				answers: { 200: sessionsAnswer },
			}),
			validate: { params: sessionOwnerParams },
			handler: (request: OfUser) => {
				const actor = actorOf(request);
				return sessions.list(request.params.user_id, actor).map((session) => sessionView(session, actor.sessionId));
			},
		},
	});

	server.route({
		method: 'DELETE',
		path: '/users/{user_id}/sessions',
		options: {
			...described(permitted('users:write'), {
				operationId: 'endUserSessions',
				tag: TAG,
				summary: 'End every login of a user',
				answers: { 204: null },
			}),
			validate: { params: sessionOwnerParams },
			handler: async (request: OfUser, h) => {
				await sessions.endAllOf(request.params.user_id, actorOf(request));
				noteChange(request, { target: request.params.user_id, before: null, after: null });
				return h.response().code(204);
			},
		},
	});
}

/** Logins, as their owner and administrators see and end them. */
export function mountSessionRoutes(server: Server, identity: Identity): void {
	mountOwn(server, identity);
	mountOthers(server, identity);
}
