import { randomUUID } from 'node:crypto';

import type { Role } from '../../../core/identity/role.ts';
import { member } from '../../system/kit/rest.ts';
import { callerOf, type Case, type Plan } from '../kit/case.ts';
import { isTree } from '../kit/document.ts';
import { expecting, pageMistakes, repeats } from './expecting.ts';

const password = 'grey heron over the weir';

/** A call of somebody against a user, refused because of their levels. */
const againstLevel = (name: string, by: Role, target: Role, body: object | undefined): Case => ({
	name,
	status: 403,
	code: 'PERMISSION_DENIED',
	async run(stage, operation) {
		const { id } = await stage.people.of(target);
		const request = { path: { user_id: id }, ...(body === undefined ? {} : { body }) };
		return stage.sendAs(by, operation, request);
	},
});

const me: Plan = {
	request: async () => ({}),
	verify: (answer, _request, who) => expecting({ id: who?.id, _id: who?.id, email: who?.email })(answer),
};

const patchMe: Plan = {
	request: async (_stage, _who, example) => ({ body: example ?? { organization: 'ACME Corp' } }),
	verify: repeats,
	cases: [
		...Object.entries({ role: 'superadmin', is_active: false, disabled: true }).map(([field, value]): Case => ({
			name: `a ${field} other than the stored one`,
			status: 403,
			code: 'PERMISSION_DENIED',
			run: (stage, operation) => stage.sendAs('editor', operation, { body: { [field]: value, phone: 'changed' } }),
			verify: async (_answer, stage) => {
				const { body } = await stage.callAs('editor', 'GET', '/users/me');
				return member(body, 'phone') === 'changed' ? ['the rest of the refused change was made'] : [];
			},
		})),
		{
			name: 'the stored role, active state and an unknown field',
			status: 200,
			run: (stage, operation) =>
				stage.sendAs('editor', operation, {
					body: { role: 'editor', is_active: true, disabled: false, phone: '010-9999-8888', surprise: 1 },
				}),
			verify: expecting({ phone: '010-9999-8888', role: 'editor', is_active: true }),
		},
	],
};

const listUsers: Plan = {
	request: async () => ({}),
	verify: (answer) => pageMistakes(answer, 1, 20),
	cases: [
		{
			name: 'page 2 of size 1',
			status: 200,
			run: (stage, operation) => stage.sendAs('admin', operation, { query: { page: '2', size: '1' } }),
			verify: (answer) => pageMistakes(answer, 2, 1),
		},
		{
			name: 'the largest size',
			status: 200,
			run: (stage, operation) => stage.sendAs('admin', operation, { query: { size: '100' } }),
			verify: (answer) => pageMistakes(answer, 1, 100),
		},
	],
};

const newUser = (stage: { unique(prefix: string): string }) => ({
	email: `${stage.unique('made')}@example.com`,
	password,
	role: 'viewer',
	full_name: 'Made Here',
	phone: '010-1111-2222',
	organization: 'Dev Team',
});

const createUser: Plan = {
	request: async (stage, _who, example) => ({ body: example ?? newUser(stage) }),
	verify: (answer, { body }) =>
		repeats(answer, {
			body: Object.fromEntries(Object.entries(isTree(body) ? body : {}).filter(([name]) => name !== 'password')),
		}),
	cases: [
		{
			name: 'an email that is taken',
			status: 409,
			code: 'DUPLICATE_ENTRY',
			async run(stage, operation) {
				const { email } = await stage.people.of('viewer');
				const body = { ...newUser(stage), email: email.toUpperCase() };
				return stage.sendAs('admin', operation, { body });
			},
		},
		{
			name: 'a username that is taken',
			status: 409,
			code: 'DUPLICATE_ENTRY',
			async run(stage, operation) {
				const { accessToken } = await stage.people.of('admin');
				const username = stage.unique('named');
				await stage.send(operation, { body: { ...newUser(stage), username } }, accessToken);
				return stage.send(operation, { body: { ...newUser(stage), username } }, accessToken);
			},
		},
		{
			name: 'a role above the own one',
			status: 403,
			code: 'PERMISSION_DENIED',
			run: (stage, operation) => stage.sendAs('admin', operation, { body: { ...newUser(stage), role: 'superadmin' } }),
		},
		{
			name: 'with a slash at the end of the path',
			status: 201,
			run: (stage) => stage.callAs('admin', 'POST', '/users/', newUser(stage)),
		},
		{
			name: 'without a role the user is a user',
			status: 201,
			async run(stage, operation) {
				const { role: _, ...body } = newUser(stage);
				return stage.sendAs('admin', operation, { body });
			},
			verify: expecting({ role: 'user', is_active: true, disabled: false }),
		},
	],
};

const getUser: Plan = {
	request: async (_stage, who) => ({ path: { user_id: who?.id ?? '' } }),
	verify: (answer, _request, who) => expecting({ id: who?.id, _id: who?.id, email: who?.email })(answer),
	cases: [
		...(['user', 'viewer', 'editor', 'manager'] as const).map((role): Case =>
			againstLevel(`another user, as ${role}`, role, 'admin', undefined),
		),
		{
			name: 'another user, as admin',
			status: 200,
			async run(stage, operation) {
				const { id } = await stage.people.of('viewer');
				return stage.sendAs('admin', operation, { path: { user_id: id } });
			},
		},
	],
};

const updateUser: Plan = {
	request: async (stage, _who, example) => ({
		path: { user_id: (await stage.people.another('user')).id },
		body: example ?? { full_name: 'Another Name', is_active: true },
	}),
	verify: repeats,
	cases: [
		{
			name: 'the email of somebody else',
			status: 409,
			code: 'DUPLICATE_ENTRY',
			async run(stage, operation) {
				const { id } = await stage.people.another('user');
				const { email } = await stage.people.of('viewer');
				return stage.sendAs('admin', operation, { path: { user_id: id }, body: { email } });
			},
		},
		againstLevel('a user above the own level', 'admin', 'superadmin', { full_name: 'Lower' }),
		againstLevel('a role above the own one', 'admin', 'viewer', { role: 'superadmin' }),
	],
};

const deleteUser: Plan = {
	request: async (stage) => ({ path: { user_id: (await stage.people.another('user')).id } }),
	cases: [
		{
			name: 'the own account',
			status: 422,
			code: 'BUSINESS_RULE_VIOLATION',
			async run(stage, operation) {
				const who = await stage.people.of('admin');
				return stage.send(operation, { path: { user_id: who.id } }, who.accessToken);
			},
		},
		againstLevel('a user above the own level', 'admin', 'superadmin', undefined),
		{
			name: 'a user that is deleted already',
			status: 404,
			code: 'RESOURCE_NOT_FOUND',
			async run(stage, operation) {
				const request = await deleteUser.request(stage, null, null);
				const who = await callerOf(stage, deleteUser, 'admin');
				await stage.send(operation, request, who?.accessToken ?? null);
				return stage.send(operation, request, who?.accessToken ?? null);
			},
		},
		{
			name: 'a token of a user that is deleted',
			status: 401,
			code: 'INVALID_CREDENTIALS',
			async run(stage, operation) {
				const gone = await stage.people.another('admin');
				await stage.callAs('superadmin', 'DELETE', `/users/${gone.id}`);
				return stage.send(operation, { path: { user_id: randomUUID() } }, gone.accessToken);
			},
		},
	],
};

/** Users: the own one, and those of everybody. */
export const userPlans: Readonly<Record<string, Plan>> = {
	getMe: me,
	updateMe: patchMe,
	listUsers,
	createUser,
	getUser,
	updateUser,
	deleteUser,
};
