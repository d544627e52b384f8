import type { Request, ResponseToolkit, Server } from '@hapi/hapi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, anyUser, anyUserPasswordDue, ownerOr, permitted } from '../http/access.ts';
import { described, type RouteDescription } from '../http/describe.ts';
import { ifMatch, withEtag } from '../http/etag.ts';
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

/** As `api`, of one user under an ETag. */
const oneUser = (...given: Parameters<typeof api>) => ({ ...api(...given), etag: true });

function mountOwn(server: Server, { users }: Identity): void {
	server.route({
		method: 'GET',
		path: '/users/me',
		options: {
			...described(anyUserPasswordDue, oneUser('getMe', "The caller's own user", { 200: meAnswer })),
			handler(request, h) {
				const account = users.me(actorOf(request));
				return withEtag(h.response(meView(account)), account.revision);
			},
		},
	});

	server.route<{ Payload: UserBody }>({
		method: 'PATCH',
		path: '/users/me',
		options: {
			...described(anyUser, oneUser('updateMe', 'Change the own profile', { 200: meAnswer }, [403])),
			validate: { payload: profilePatchBody },
			handler: async (request, h) => {
				const { payload } = request;
				const stays = toStanding(payload);
				const { before, after } = await users.patchOwn(toProfile(payload), stays, actorOf(request), ifMatch(request));
				noteChange(request, { target: after.id, before: userView(before), after: userView(after) });
				return withEtag(h.response(meView(after)), after.revision);
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
		return withEtag(h.response(userView(account)), account.revision).code(201);
	}

	for (const [path, operationId] of [
		['/users', 'createUser'],
		['/users/', 'createUserConsole'],
	] as const)
		server.route<{ Payload: UserCreateBody }>({
			method: 'POST',
			path,
			options: {
				...described(permitted('users:write'), oneUser(operationId, 'Create a user', { 201: userAnswer })),
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
			...described(ownerOr('users:read'), oneUser('getUser', 'One user', { 200: userAnswer })),
			validate: { params: userParams },
			handler(request: ById, h: ResponseToolkit) {
				const account = users.get(request.params.user_id, actorOf(request));
				return withEtag(h.response(userView(account)), account.revision);
			},
		},
	});

	server.route({
		method: 'PATCH',
		path: '/users/{user_id}',
		options: {
			...described(permitted('users:write'), oneUser('updateUser', 'Change a user', { 200: userAnswer })),
			validate: { params: userParams, payload: userPatchBody },
			handler: async (request: ById, h: ResponseToolkit) => {
				const { user_id: id } = request.params;
				const change = toUserChange(request.payload);
				const { before, after } = await users.patch(id, change, actorOf(request), ifMatch(request));
				noteChange(request, { target: id, before: userView(before), after: userView(after) });
				return withEtag(h.response(userView(after)), after.revision);
			},
		},
	});

	server.route({
		method: 'DELETE',
		path: '/users/{user_id}',
		options: {
			...described(
				permitted('users:delete'),
				oneUser('deleteUser', 'Delete a user (soft delete)', { 204: null }, [422]),
			),
			validate: { params: userParams },
			handler: async (request: ById, h: ResponseToolkit) => {
				const { user_id: id } = request.params;
				const before = await users.remove(id, actorOf(request), ifMatch(request));
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
