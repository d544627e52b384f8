import test from 'ava';

import { box, claimed, EMAIL, logIn, PASSWORD, refusalOf, textOf } from './identity-box.ts';

const draft = { email: 'User@Example.com', password: PASSWORD, full_name: '홍길동' };

test('where registration is open, anybody becomes a user and is logged in', async (t) => {
	const { call, accounts } = await claimed(t);
	const answer = await call({ path: '/auth/register', body: { ...draft, role: 'admin', is_active: false } });
	t.is(answer.status, 201);
	t.like(answer.body, { username: 'user', email: 'user@example.com', token_type: 'bearer', expires_in: 1_800 });
	t.true(String(answer.headers['set-cookie']).startsWith(`refresh_token=${textOf(answer, 'refresh_token')};`));
	const me = await call({ method: 'GET', path: '/users/me', token: textOf(answer, 'access_token') });
	t.like(me.body, { id: answer.body['id'], role: 'user', full_name: '홍길동', is_active: true, is_verified: false });
	t.is(accounts.count(), 2);
	const refresh = await call({ path: '/auth/refresh', body: { refresh_token: textOf(answer, 'refresh_token') } });
	t.is(refresh.status, 200);
});

test('a taken email or username is refused, and so is a poor password', async (t) => {
	const { call } = await claimed(t);
	const register = (more: object) => call({ path: '/auth/register', body: { ...draft, ...more } });
	t.deepEqual(refusalOf(await register({ email: EMAIL.toUpperCase() })), [409, 'DUPLICATE_ENTRY']);
	t.deepEqual(refusalOf(await register({ username: 'ada' })), [409, 'DUPLICATE_ENTRY']);
	t.is((await register({ email: 'ada@else.example' })).body['username'], 'ada-2');
	t.deepEqual(refusalOf(await register({ password: 'password123' })), [422, 'BUSINESS_RULE_VIOLATION']);
	t.deepEqual(refusalOf(await register({ password: 'x' })), [422, 'VALIDATION_ERROR']);
	t.deepEqual(refusalOf(await call({ path: '/auth/register', body: {} })), [422, 'VALIDATION_ERROR']);
});

test('of registrations of one email at the same time one succeeds', async (t) => {
	const { call } = await claimed(t);
	const answers = await Promise.all([1, 2, 3].map(() => call({ path: '/auth/register', body: draft })));
	t.deepEqual(
		answers.map(({ status }) => status).toSorted((a, b) => a - b),
		[201, 409, 409],
	);
});

test('registrations have five tries a minute per address', async (t) => {
	const { call, clock } = await claimed(t, 5);
	clock.advance(60_000);
	const register = (from?: string) =>
		call({ path: '/auth/register', body: { ...draft, password: 'password1' }, ...(from !== undefined && { from }) });
	for (let count = 0; count < 5; count += 1) t.is((await register()).status, 422);
	const refused = await register();
	t.deepEqual([...refusalOf(refused), refused.headers['retry-after']], [429, 'RATE_LIMITED', '12']);
	t.is((await register('192.0.2.2')).status, 422);
});

test('with approval an account waits, without tokens, until an administrator activates it', async (t) => {
	const one = await claimed(t, undefined, 'approval');
	const { call } = one;
	const answer = await call({ path: '/auth/register', body: draft });
	t.is(answer.status, 202);
	const { id, ...rest } = answer.body;
	t.deepEqual(rest, { username: 'user', email: 'user@example.com', status: 'awaiting_approval' });
	t.is(answer.headers['set-cookie'], undefined);
	t.deepEqual(refusalOf(await call({ path: '/auth/login', body: { email: draft.email, password: PASSWORD } })), [
		401,
		'INVALID_CREDENTIALS',
	]);
	const { token } = await logIn(one, EMAIL);
	const waiting = await call({ method: 'GET', path: '/users/?disabled=true', token });
	t.regex(JSON.stringify(waiting.body), new RegExp(`"id":"${String(id)}"`));
	await call({ method: 'PATCH', path: `/users/${String(id)}`, token, body: { is_active: true } });
	t.is((await logIn(one, draft.email)).id, String(id));
});

test('where registration is closed, or the box has no administrator yet, nobody registers', async (t) => {
	const closed = await claimed(t, undefined, 'closed');
	t.deepEqual(refusalOf(await closed.call({ path: '/auth/register', body: draft })), [403, 'PERMISSION_DENIED']);
	const unclaimed = await box(t);
	t.deepEqual(refusalOf(await unclaimed.call({ path: '/auth/register', body: draft })), [403, 'PERMISSION_DENIED']);
	t.is((await unclaimed.call({ method: 'GET', path: '/setup' })).body['claimed'], false);
});
