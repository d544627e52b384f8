import type { Request, ResponseToolkit, Server } from '@hapi/hapi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, anyUser, anyUserPasswordDue, ownerOr, permitted } from '../http/access.ts';
import { described, type RouteDescription } from '../http/describe.ts';
import type { Identity } from './identity.ts';
import {
	meAnswer,
	meView,
	profilePatchBody,
	toFilter,
	toNewUser,
	toProfile,
	toStanding,
	toUserChange,
	userAnswer,
	type UserArrayQuery,
	userArrayAnswer,
	userArrayQuery,
	type UserBody,
	userCreateBody,
	type UserCreateBody,
	userPageAnswer,
	type UserPageQuery,
	userPageQuery,
	userParams,
	userPatchBody,
	userView,
} from './user-schema.ts';

const TAG = 'Users';

type ById = Request<{ Params: { user_id: string }; Payload: UserBody }>;

/** What an operation is called and answers in the API document. */
const api = (
	operationId: string,
	summary: string,
	answers: RouteDescription['answers'],
	refusals: readonly number[] = [],
): RouteDescription => ({ operationId, tag: TAG, summary, answers, refusals });

function mountOwn(server: Server, { users }: Identity): void {
	server.route({
		method: 'GET',
		path: '/users/me',
		options: {
			...described(anyUserPasswordDue, api('getMe', "The caller's own user", { 200: meAnswer })),
			handler: (request) => meView(users.me(actorOf(request))),
		},
	});

	server.route<{ Payload: UserBody }>({
		method: 'PATCH',
		path: '/users/me',
		options: {
			...described(anyUser, api('updateMe', 'Change the own profile', { 200: meAnswer }, [403])),
			validate: { payload: profilePatchBody },
			handler: async (request) => {
				const { payload } = request;
				const { before, after } = await users.patchOwn(toProfile(payload), toStanding(payload), actorOf(request));
				noteChange(request, { target: after.id, before: userView(before), after: userView(after) });
				return meView(after);
			},
		},
	});
}

function mountLists(server: Server, { users }: Identity): void {
	server.route<{ Query: UserPageQuery }>({
		method: 'GET',
		path: '/users',
		options: {
			...described(permitted('users:read'), api('listUsers', 'List users by page', { 200: userPageAnswer })),
			validate: { query: userPageQuery },
			handler: (request) => {
				const { page, size } = request.query;
				const { items, total } = users.page({ skip: (page - 1) * size, limit: size }, {}, actorOf(request));
				return { items: items.map(userView), total, page, size, pages: Math.ceil(total / size) };
			},
		},
	});

	// With the slash, as reference 001 writes it (contract rule R3).
	server.route<{ Query: UserArrayQuery }>({
		method: 'GET',
		path: '/users/',
		options: {
			...described(permitted('users:read'), api('listUsersArray', 'List users', { 200: userArrayAnswer })),
			validate: { query: userArrayQuery },
			handler: (request) => users.page(request.query, toFilter(request.query), actorOf(request)).items.map(userView),
		},
	});
}

function mountCreate(server: Server, { users }: Identity): void {
	async function create(request: Request<{ Payload: UserCreateBody }>, h: ResponseToolkit) {
		const account = await users.create(toNewUser(request.payload), actorOf(request));
		noteChange(request, { target: account.id, before: null, after: userView(account) });
		return h.response(userView(account)).code(201);
	}

	for (const [path, operationId] of [
		['/users', 'createUser'],
		['/users/', 'createUserConsole'],
	] as const)
		server.route<{ Payload: UserCreateBody }>({
			method: 'POST',
			path,
			options: {
				...described(permitted('users:write'), api(operationId, 'Create a user', { 201: userAnswer })),
				validate: { payload: userCreateBody },
				handler: create,
			},
		});
}

function mountById(server: Server, { users }: Identity): void {
	server.route({
		method: 'GET',
		path: '/users/{user_id}',
		options: {
			...described(ownerOr('users:read'), api('getUser', 'One user', { 200: userAnswer })),
			validate: { params: userParams },
			handler: (request: ById) => userView(users.get(request.params.user_id, actorOf(request))),
		},
	});

	server.route({
		method: 'PATCH',
		path: '/users/{user_id}',
		options: {
			...described(permitted('users:write'), api('updateUser', 'Change a user', { 200: userAnswer })),
			validate: { params: userParams, payload: userPatchBody },
			handler: async (request: ById) => {
				const { user_id: id } = request.params;
				const { before, after } = await users.patch(id, toUserChange(request.payload), actorOf(request));
				noteChange(request, { target: id, before: userView(before), after: userView(after) });
				return userView(after);
			},
		},
	});

	server.route({
		method: 'DELETE',
		path: '/users/{user_id}',
		options: {
			...described(permitted('users:delete'), api('deleteUser', 'Delete a user (soft delete)', { 204: null }, [422])),
			validate: { params: userParams },
			handler: async (request: ById, h: ResponseToolkit) => {
				const { user_id: id } = request.params;
				const before = await users.remove(id, actorOf(request));
				noteChange(request, { target: id, before: userView(before), after: null });
				return h.response().code(204);
			},
		},
	});
}

/** `/users` of references 000 and 001. */
export function mountUserRoutes(server: Server, identity: Identity): void {
	mountOwn(server, identity);
	mountLists(server, identity);
	mountCreate(server, identity);
	mountById(server, identity);
}
