import { calling, type Case, type Plan } from '../kit/case.ts';
import { isTree } from '../kit/document.ts';
import type { Answer } from '../kit/http-client.ts';
import { member } from '../../system/kit/rest.ts';

const COOKIE = /^refresh_token=([^;]*)/m;

/** The refresh cookie that an answer sets, with its attributes; '' without one. */
const cookieOf = (answer: Answer): string =>
	(answer.header('set-cookie') ?? '').split('\n').find((line) => line.startsWith('refresh_token=')) ?? '';

/** What is wrong with the refresh cookie of a login. */
function cookieMistakes(answer: Answer): readonly string[] {
	const cookie = cookieOf(answer);
	const value = COOKIE.exec(cookie)?.[1];
	return [
		...(value === member(answer.body, 'refresh_token') ? [] : ['the cookie is not the refresh token of the body']),
		...['HttpOnly', 'SameSite=Strict', 'Path=/api'].flatMap((attribute) =>
			cookie.includes(attribute) ? [] : [`the cookie lacks ${attribute}: ${cookie.replace(COOKIE, 'refresh_token=…')}`],
		),
	];
}

const password = 'grey heron over the weir';

const wrongLogin = (name: string, body: Readonly<Record<string, unknown>>): Case => ({
	name,
	status: 401,
	code: 'INVALID_CREDENTIALS',
	run: calling(
		loginPlan,
		(request) => ({ ...request, body: { ...(isTree(request.body) ? request.body : {}), ...body } }),
		null,
	),
});

const registerPlan: Plan = {
	async request(stage, _who, example) {
		return { body: example ?? { email: `${stage.unique('somebody')}@example.com`, password, full_name: 'Somebody' } };
	},
	verify: (answer, { body }) => [
		...cookieMistakes(answer),
		...(member(answer.body, 'email') === member(body, 'email') ? [] : ['another email is answered']),
	],
	cases: [
		{
			name: 'an email that is registered already',
			status: 409,
			code: 'DUPLICATE_ENTRY',
			async run(stage, operation) {
				const { email } = await stage.people.of('user');
				return stage.send(operation, { body: { email: email.toUpperCase(), password } }, null);
			},
		},
		{
			name: 'a username that is registered already',
			status: 409,
			code: 'DUPLICATE_ENTRY',
			async run(stage, operation) {
				const username = stage.unique('taken');
				const body = { password, username };
				await stage.send(operation, { body: { ...body, email: `${username}@example.com` } }, null);
				return stage.send(operation, { body: { ...body, email: `${username}@example.org` } }, null);
			},
		},
		{
			name: 'without a username the local part of the email, numbered when it is taken',
			status: 201,
			async run(stage, operation) {
				const name = stage.unique('twin');
				await stage.send(operation, { body: { email: `${name}@example.com`, password } }, null);
				return stage.send(operation, { body: { email: `${name}@example.org`, password } }, null);
			},
			verify: ({ body }) =>
				/^twin-\d+-2$/.test(String(member(body, 'username'))) ? [] : [String(member(body, 'username'))],
		},
		{
			name: 'a password that everybody tries first',
			status: 422,
			code: 'BUSINESS_RULE_VIOLATION',
			amendment: 'R2: a rule violation on valid input',
			run: (stage, operation) =>
				stage.send(
					operation,
					{ body: { email: `${stage.unique('weak')}@example.com`, password: 'password123' } },
					null,
				),
		},
	],
};

const loginPlan: Plan = {
	async request(stage) {
		const { email, password: own } = await stage.people.another('user');
		return { body: { email, password: own } };
	},
	verify: cookieMistakes,
};

const loginCases: Plan = {
	...loginPlan,
	cases: [
		wrongLogin('a wrong password', { password: 'another heron over the weir' }),
		wrongLogin('an email that nobody has', { email: 'nobody@example.com' }),
		{
			name: 'an account that is not active',
			status: 401,
			code: 'INVALID_CREDENTIALS',
			async run(stage, operation) {
				const person = await stage.people.another('user');
				await stage.callAs('superadmin', 'PATCH', `/users/${person.id}`, { is_active: false });
				return stage.send(operation, { body: { email: person.email, password: person.password } }, null);
			},
		},
	],
};

const refreshPlan: Plan = {
	async request(stage) {
		return { body: { refresh_token: (await stage.people.another('user')).refreshToken } };
	},
	verify: (answer, { body }) => [
		...cookieMistakes(answer),
		...(member(answer.body, 'refresh_token') === member(body, 'refresh_token')
			? ['the refresh token is the old one']
			: []),
	],
	cases: [
		{
			name: 'the cookie alone',
			status: 200,
			async run(stage, operation) {
				const { refreshToken } = await stage.people.another('user');
				return stage.send(operation, { headers: { cookie: `refresh_token=${refreshToken}` } }, null);
			},
			verify: cookieMistakes,
		},
		{
			name: 'both given: the body counts',
			status: 200,
			async run(stage, operation) {
				const { refreshToken } = await stage.people.another('user');
				const headers = { cookie: 'refresh_token=garbage' };
				return stage.send(operation, { headers, body: { refresh_token: refreshToken } }, null);
			},
		},
		{
			name: 'neither body nor cookie',
			status: 401,
			code: 'NOT_AUTHENTICATED',
			run: (stage, operation) => stage.send(operation, {}, null),
		},
		{
			name: 'a refresh token that has expired',
			status: 401,
			code: 'TOKEN_EXPIRED',
			run: (stage, operation) => stage.send(operation, { body: { refresh_token: stage.expired.refreshToken } }, null),
		},
		{
			name: 'a refresh token that is none',
			status: 401,
			code: 'INVALID_CREDENTIALS',
			run: (stage, operation) => stage.send(operation, { body: { refresh_token: 'garbage' } }, null),
		},
		{
			name: 'a refresh token that was used',
			status: 401,
			code: 'INVALID_CREDENTIALS',
			async run(stage, operation) {
				const person = await stage.people.another('user');
				const request = { body: { refresh_token: person.refreshToken } };
				await stage.send(operation, request, null);
				return stage.send(operation, request, null);
			},
		},
	],
};

const logoutPlan: Plan = {
	// Everybody's own tokens are needed later, so each call is of a login that ends with it.
	request: async () => ({}),
	caller: (stage, who) => stage.people.another(who.role),
	verify: (answer) => (/Max-Age=0/.test(cookieOf(answer)) ? [] : ['the cookie is not cleared']),
	cases: [
		{
			name: 'the cookie alone',
			status: 204,
			async run(stage, operation) {
				const { refreshToken } = await stage.people.another('user');
				return stage.send(operation, { headers: { cookie: `refresh_token=${refreshToken}` } }, null);
			},
		},
		{
			name: 'a second time with the same token',
			status: 401,
			code: 'INVALID_CREDENTIALS',
			async run(stage, operation) {
				const { accessToken } = await stage.people.another('user');
				await stage.send(operation, {}, accessToken);
				return stage.send(operation, {}, accessToken);
			},
		},
	],
};

/** Registering, logging in and out. */
export const authPlans: Readonly<Record<string, Plan>> = {
	registerUser: registerPlan,
	login: loginCases,
	refreshTokens: refreshPlan,
	logout: logoutPlan,
};
