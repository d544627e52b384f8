import type { Request, Server } from '@hapi/hapi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, anyUserPasswordDue, permitted } from '../http/access.ts';
import { described } from '../http/describe.ts';
import type { RateLimiter } from '../http/rate-limit.ts';
import type { Identity } from './identity.ts';
import {
	type PasswordChangeBody,
	passwordChangeBody,
	type PasswordResetBody,
	passwordResetBody,
} from './password-schema.ts';
import { userParams, userView } from './user-schema.ts';

const TAG = 'Users';

/** Changing the own password and resetting that of others. @param attempts counts the tries of each user */
export function mountPasswordRoutes(server: Server, { passwordChanges }: Identity, attempts: RateLimiter): void {
	server.route<{ Payload: PasswordChangeBody }>({
		method: 'POST',
		path: '/users/me/password',
		options: {
			...described(anyUserPasswordDue, {
				operationId: 'changeMyPassword',
				tag: TAG,
				summary: 'Change the own password; the other logins end',
				answers: { 204: null },
			}),
			validate: { payload: passwordChangeBody },
			handler: async (request, h) => {
				const actor = actorOf(request);
				attempts.take(`password of ${actor.userId}`);
				const { current_password: current, new_password: next } = request.payload;
				const { before, after } = await passwordChanges.changeOwn(current, next, actor);
				noteChange(request, { target: after.id, before: userView(before), after: userView(after) });
				return h.response().code(204);
			},
		},
	});

	server.route({
		method: 'POST',
		path: '/users/{user_id}/password',
		options: {
			...described(permitted('users:write'), {
				operationId: 'resetUserPassword',
				tag: TAG,
				summary: 'Set the password of a user, who must change it after the next login',
				answers: { 204: null },
			}),
			validate: { params: userParams, payload: passwordResetBody },
			handler: async (request: Request<{ Params: { user_id: string }; Payload: PasswordResetBody }>, h) => {
				const { user_id: id } = request.params;
				const { before, after } = await passwordChanges.reset(id, request.payload.new_password, actorOf(request));
				noteChange(request, { target: id, before: userView(before), after: userView(after) });
				return h.response().code(204);
			},
		},
	});
}
