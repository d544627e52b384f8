import test from 'ava';

import {
	type Answer,
	bodyOf,
	claimed,
	logIn,
	loginBody,
	PASSWORD,
	peopled,
	refusalOf,
	textOf,
} from './identity-box.ts';

const listOf = ({ body }: Answer): Readonly<Record<string, unknown>>[] =>
	Object.values(body).map((entry) => bodyOf(JSON.stringify(entry)));

test('the own logins are listed, the one used last first, with where they come from', async (t) => {
	const { call, clock, first } = await claimed(t);
	clock.advance(60_000);
	const headers = { 'user-agent': `Browser\u0007 ${'x'.repeat(200)}` };
	const second = await call({ path: '/auth/login', body: loginBody, from: '2001:db8::7', headers });
	clock.advance(60_000);
	await call({ path: '/auth/refresh', body: { refresh_token: textOf(first, 'refresh_token') }, from: '192.0.2.8' });
	const answer = await call({ method: 'GET', path: '/users/me/sessions', token: textOf(second, 'access_token') });
	t.is(answer.status, 200);
	const [oldest, newest] = listOf(answer);
	t.like(newest, { created_at: '2026-01-01T00:01:00.000Z', address: '2001:db8::7', current: true });
	t.is(newest?.['user_agent'], `Browser ${'x'.repeat(112)}`);
	t.like(oldest, {
		created_at: '2026-01-01T00:00:00.000Z',
		last_used_at: '2026-01-01T00:02:00.000Z',
		expires_at: '2026-01-31T00:02:00.000Z',
		address: '192.0.2.8',
		current: false,
	});
	t.notRegex(JSON.stringify(answer.body), /hash|secret/i);
	clock.advance(30 * 86_400_000 - 30_000);
	const late = await logIn({ call }, loginBody.email);
	t.is(
		listOf(await call({ method: 'GET', path: '/users/me/sessions', token: late.token })).length,
		2,
		'without expired ones',
	);
});

test('ending one login ends its tokens at once, and no other', async (t) => {
	const box = await claimed(t);
	const { call } = box;
	const one = await logIn(box, loginBody.email);
	const two = await logIn(box, loginBody.email);
	const me = (token: string) => call({ method: 'GET', path: '/users/me', token });
	t.is((await me(one.token)).status, 200, 'the token is in the cache of verified ones');
	const [, other] = listOf(await call({ method: 'GET', path: '/users/me/sessions', token: two.token }));
	const path = `/users/me/sessions/${String(other?.['id'])}`;
	t.is((await call({ method: 'DELETE', path, token: two.token })).status, 204);
	t.deepEqual(refusalOf(await me(one.token)), [401, 'INVALID_CREDENTIALS']);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: one.refreshToken } })).status, 401);
	t.is((await me(two.token)).status, 200);
	t.deepEqual(refusalOf(await call({ method: 'DELETE', path, token: two.token })), [404, 'RESOURCE_NOT_FOUND']);
	t.deepEqual(refusalOf(await call({ method: 'DELETE', path: '/users/me/sessions/x', token: two.token })), [
		400,
		'VALIDATION_ERROR',
	]);
});

test('ending the others leaves the login in use', async (t) => {
	const box = await claimed(t);
	const { call, first } = box;
	const one = await logIn(box, loginBody.email);
	t.is((await call({ method: 'DELETE', path: '/users/me/sessions', token: one.token })).status, 204);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(first, 'access_token') })).status, 401);
	t.is((await call({ method: 'GET', path: '/users/me', token: one.token })).status, 200);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: one.refreshToken } })).status, 200);
});

test("nobody ends or sees another's login by its id", async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const user = await make('user');
	const [session] = listOf(await call({ method: 'GET', path: '/users/me/sessions', token: user.token }));
	const path = `/users/me/sessions/${String(session?.['id'])}`;
	t.is((await call({ method: 'DELETE', path, token: superadmin.token })).status, 404);
	t.is((await call({ method: 'GET', path: '/users/me', token: user.token })).status, 200);
});

test('an administrator sees the logins of a user and ends them all', async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const admin = await make('admin');
	const user = await make('user');
	const path = `/users/${user.id}/sessions`;
	const seen = await call({ method: 'GET', path, token: admin.token });
	t.is(seen.status, 200);
	t.deepEqual(
		listOf(seen).map((session) => session['current']),
		[false],
	);
	t.is((await call({ method: 'DELETE', path, token: admin.token })).status, 204);
	t.is((await call({ method: 'GET', path: '/users/me', token: user.token })).status, 401);
	const mine = `/users/${superadmin.id}/sessions`;
	t.deepEqual(refusalOf(await call({ method: 'DELETE', path: mine, token: admin.token })), [403, 'PERMISSION_DENIED']);
	t.is((await call({ method: 'GET', path: '/users/x/sessions', token: admin.token })).status, 400);
	t.is((await call({ path: '/auth/login', body: { email: user.email, password: PASSWORD } })).status, 200);
});
