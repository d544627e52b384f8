import test from 'ava';

import type { AuditNote } from '../../core/audit/audit-note.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';
import { EMAIL, logIn, NOBODY, PASSWORD, peopled, refusalOf, textOf } from './identity-box.ts';

const idsOf = (list: unknown) => (Array.isArray(list) ? list.map(({ id }) => String(id)) : list);

test('an administrator makes a user, who may log in; unset fields have their defaults', async (t) => {
	const box = await peopled(t);
	const { call, superadmin, clock } = box;
	clock.advance(1_000);
	const body = { email: 'New@Example.com', password: PASSWORD, role: 'manager', phone: '010-1111-2222', nonsense: 1 };
	const made = await call({ path: '/users', token: superadmin.token, body });
	t.is(made.status, 201);
	const { id, _id: sameId, created_at: createdAt, ...rest } = made.body;
	t.is(id, sameId);
	t.is(createdAt, '2026-01-01T00:00:01.000Z');
	t.deepEqual(rest, {
		username: 'new',
		email: 'new@example.com',
		role: 'manager',
		is_active: true,
		disabled: false,
		is_verified: false,
		full_name: '',
		phone: '010-1111-2222',
		organization: '',
		avatar_url: '',
		last_login: null,
		tenant_id: DEFAULT_TENANT,
		permissions: [],
		must_change_password: false,
	});
	t.is((await logIn(box, 'new@example.com')).id, String(id));
});

test('a username that is taken gets a number, whoever asks; a given one that is taken is refused, whatever its case', async (t) => {
	const { call, superadmin } = await peopled(t);
	const make = (body: object) =>
		call({ path: '/users/', token: superadmin.token, body: { password: PASSWORD, ...body } });
	const names = [];
	for (const host of ['a', 'b', 'c']) names.push(textOf(await make({ email: `kim@${host}.example` }), 'username'));
	t.deepEqual(names, ['kim', 'kim-2', 'kim-3']);
	t.is(textOf(await make({ email: 'me@a.example' }), 'username'), 'me-2', 'not a path segment');
	t.deepEqual(refusalOf(await make({ email: 'x@a.example', username: 'KIM' })), [409, 'DUPLICATE_ENTRY']);
	t.deepEqual(refusalOf(await make({ email: 'KIM@a.example' })), [409, 'DUPLICATE_ENTRY']);
	for (const username of ['me', NOBODY, 'a/b', 'a\u0000b', '', 'x'.repeat(151)])
		t.deepEqual(refusalOf(await make({ email: 'y@a.example', username })), [422, 'VALIDATION_ERROR'], username);
});

test('of many requests for one email at the same time one succeeds', async (t) => {
	const { call, superadmin } = await peopled(t);
	const body = { email: 'twin@example.com', password: PASSWORD };
	const paths = ['/users', '/users', '/auth/register', '/auth/register'];
	const answers = await Promise.all(paths.map((path) => call({ path, token: superadmin.token, body })));
	t.deepEqual(
		answers.map(({ status }) => status).toSorted((a, b) => a - b),
		[201, 409, 409, 409],
	);
});

test('a body that breaks the schema is refused with its fields, and one that is no JSON too', async (t) => {
	const { call, superadmin, server, make } = await peopled(t);
	const { token } = superadmin;
	const { id } = await make('user');
	for (const [body, field] of [
		[{ password: PASSWORD }, 'email'],
		[{ email: 'no address', password: PASSWORD }, 'email'],
		[{ email: 'a@b.example' }, 'password'],
		[{ email: 'a@b.example', password: 'short' }, 'password'],
		[{ email: 'a@b.example', password: PASSWORD, role: 'root' }, 'role'],
		[{ email: 'a@b.example', password: PASSWORD, permissions: ['fly'] }, 'permissions'],
		[{ email: 'a@b.example', password: PASSWORD, is_active: true, disabled: true }, 'disabled'],
		[{ email: 'a@b.example', password: PASSWORD, tenant_id: 'x' }, 'tenant_id'],
	] as const) {
		const answer = await call({ path: '/users', token, body });
		t.deepEqual(refusalOf(answer), [422, 'VALIDATION_ERROR'], field);
		t.regex(JSON.stringify(answer.body['errors']), new RegExp(`"body","${field}"`));
	}
	t.is((await call({ method: 'PATCH', path: `/users/${id}`, token, body: { email: 7 } })).status, 422);
	t.is((await call({ method: 'GET', path: '/users?size=101', token })).status, 422);
	const broken = await server.inject({
		method: 'POST',
		url: '/api/v1/users',
		headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
		payload: '{',
	});
	t.is(broken.statusCode, 400);
});

test('users are listed by page, newest first, and with the slash as an array with filters', async (t) => {
	const { call, superadmin, make, clock } = await peopled(t);
	const { token } = superadmin;
	const ids = [superadmin.id];
	for (const role of ['viewer', 'user', 'editor'] as const) {
		clock.advance(1_000);
		ids.unshift((await make(role)).id);
	}
	const page = await call({ method: 'GET', path: '/users?page=2&size=3', token });
	t.like(page.body, { total: 4, page: 2, size: 3, pages: 2 });
	t.deepEqual(idsOf(page.body['items']), ids.slice(3));
	t.deepEqual(idsOf((await call({ method: 'GET', path: '/users', token })).body['items']), ids);
	const array = async (query: string) =>
		idsOf(Object.values((await call({ method: 'GET', path: `/users/${query}`, token })).body));
	t.deepEqual(await array(''), ids);
	t.deepEqual(await array('?role=viewer'), ids.slice(1, 3), 'user and viewer are one level');
	t.deepEqual(await array('?search=EDITOR'), ids.slice(0, 1));
	t.deepEqual(await array('?disabled=true'), []);
	t.deepEqual(await array('?skip=1&limit=2'), ids.slice(1, 3));
});

test('a malformed id is 400, an unknown one 404', async (t) => {
	const { call, superadmin } = await peopled(t);
	const { token } = superadmin;
	for (const method of ['GET', 'PATCH', 'DELETE']) {
		const one = { method, token, body: {} };
		for (const id of ['7', `{${NOBODY}}`, NOBODY.replaceAll('-', '')])
			t.deepEqual(refusalOf(await call({ ...one, path: `/users/${id}` })), [400, 'VALIDATION_ERROR'], id);
		t.deepEqual(refusalOf(await call({ ...one, path: `/users/${NOBODY}` })), [404, 'RESOURCE_NOT_FOUND']);
	}
});

test('a change of a user counts at once; a taken email or username is refused and nothing changes', async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const user = await make('user');
	const other = await make('user');
	const patch = (body: object) => call({ method: 'PATCH', path: `/users/${user.id}`, token: superadmin.token, body });
	const changed = await patch({ email: 'Renamed@Example.com', username: 'renamed', role: 'admin', full_name: 'R' });
	t.like(changed.body, { email: 'renamed@example.com', username: 'renamed', role: 'admin', full_name: 'R' });
	t.is((await call({ method: 'GET', path: '/users', token: user.token })).status, 200);
	t.is((await patch({ email: 'RENAMED@example.com', username: 'Renamed' })).status, 200, 'the own ones are not taken');
	t.deepEqual(refusalOf(await patch({ email: other.email.toUpperCase(), phone: '1' })), [409, 'DUPLICATE_ENTRY']);
	t.deepEqual(refusalOf(await patch({ username: 'ADA' })), [409, 'DUPLICATE_ENTRY']);
	t.is((await call({ method: 'GET', path: '/users/me', token: user.token })).body['phone'], '');
});

test('a deactivated user is out at once and for good, until activated and logged in again', async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const user = await make('user');
	const patch = (body: object) => call({ method: 'PATCH', path: `/users/${user.id}`, token: superadmin.token, body });
	t.like((await patch({ disabled: true })).body, { is_active: false, disabled: true });
	const me = { method: 'GET', path: '/users/me', token: user.token };
	t.deepEqual(refusalOf(await call(me)), [401, 'INVALID_CREDENTIALS']);
	t.is((await call({ path: '/auth/login', body: { email: user.email, password: PASSWORD } })).status, 401);
	t.is((await patch({ is_active: true })).status, 200);
	t.is((await call(me)).status, 401, 'the old token stays revoked');
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: user.refreshToken } })).status, 401);
	t.is((await call({ path: '/auth/login', body: { email: user.email, password: PASSWORD } })).status, 200);
});

test('the own profile can be changed, the own role and state cannot, and then nothing changes', async (t) => {
	const { call, make } = await peopled(t);
	const { token, id } = await make('user');
	const patch = (body: object) => call({ method: 'PATCH', path: '/users/me', token, body });
	const changed = await patch({
		full_name: '김철수',
		phone: '010',
		avatar_url: '/a.png',
		role: 'user',
		is_active: true,
	});
	t.like(changed.body, { id, full_name: '김철수', phone: '010', avatar_url: '/a.png', role: 'user' });
	for (const stays of [{ role: 'viewer' }, { role: 'admin' }, { is_active: false }, { disabled: true }])
		t.deepEqual(refusalOf(await patch({ phone: '999', ...stays })), [403, 'PERMISSION_DENIED'], JSON.stringify(stays));
	t.is((await patch({ email: 'other@example.com', permissions: ['users:read'] })).body['phone'], '010');
	t.is((await patch({ phone: 7 })).status, 422);
});

test('a deleted user is gone: tokens, login and record; its email and username can be used again', async (t) => {
	const box = await peopled(t);
	const { call, make, superadmin } = box;
	const user = await make('user', { username: 'kim' });
	const path = `/users/${user.id}`;
	t.is((await call({ method: 'DELETE', path, token: superadmin.token })).status, 204);
	t.deepEqual(refusalOf(await call({ method: 'GET', path: '/users/me', token: user.token })), [
		401,
		'INVALID_CREDENTIALS',
	]);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: user.refreshToken } })).status, 401);
	t.is((await call({ path: '/auth/login', body: { email: user.email, password: PASSWORD } })).status, 401);
	for (const method of ['GET', 'PATCH', 'DELETE'])
		t.is((await call({ method, path, token: superadmin.token, body: {} })).status, 404);
	const body = { email: user.email, password: PASSWORD, username: 'kim' };
	const again = await call({ path: '/users', token: superadmin.token, body });
	t.is(again.status, 201);
	t.not(again.body['id'], user.id);
	t.is((await call({ method: 'GET', path: '/users', token: superadmin.token })).body['total'], 2);
});

test('no answer, log line or audit note ever holds a password or its hash', async (t) => {
	const { call, make, superadmin, logged, server } = await peopled(t);
	const notes: AuditNote[] = [];
	server.ext('onPreResponse', (request, h) => {
		if (request.app.audit !== undefined) notes.push(request.app.audit);
		return h.continue;
	});
	const secrets = [PASSWORD, 'another long secret', 'wrong guess here', 'argon2'];
	const user = await make('user');
	const path = `/users/${user.id}`;
	const answers = [
		await call({ path: '/users', token: superadmin.token, body: { email: 'k@x.example', password: secrets[1] } }),
		await call({ path: '/users', token: superadmin.token, body: { email: 'k@x.example', password: secrets[1] } }),
		await call({ path: '/users', token: superadmin.token, body: { email: 7, password: secrets[1] } }),
		await call({ path: '/auth/register', body: { email: 'r@x.example', password: secrets[1] } }),
		await call({ method: 'PATCH', path, token: superadmin.token, body: { phone: '1', password: secrets[1] } }),
		await call({ path: `${path}/password`, token: superadmin.token, body: { new_password: secrets[1] } }),
		await call({ path: '/auth/login', body: { email: EMAIL, password: secrets[2] } }),
		await call({ method: 'DELETE', path, token: superadmin.token }),
		await call({ method: 'GET', path: '/users', token: superadmin.token }),
	];
	const output = JSON.stringify([answers, notes]) + logged();
	for (const secret of secrets) t.false(output.includes(secret), secret);
	t.true(notes.length >= 5);
	t.regex(JSON.stringify(notes), new RegExp(`"target":"${user.id}","before":{.*"phone":"".*"after":{.*"phone":"1"`));
});

test('whoever listens hears of an account that has changed, and finds its newest state', async (t) => {
	const { accounts, call, superadmin, make } = await peopled(t);
	const { id } = await make('viewer');
	const seen: unknown[] = [];
	accounts.listen((account) => void seen.push([account.id, accounts.byId(account.id)?.isActive]));
	await call({ method: 'PATCH', path: `/users/${id}`, token: superadmin.token, body: { is_active: false } });
	await call({ method: 'DELETE', path: `/users/${id}`, token: superadmin.token });
	t.deepEqual(seen, [
		[id, false],
		[id, undefined],
	]);
});

test('a poor password that an administrator thinks up is good for the first login only', async (t) => {
	const box = await peopled(t);
	const { call, superadmin } = box;
	const easy = 'password123';
	const body = { email: 'new@example.com', password: easy };
	const made = await call({ path: '/users', token: superadmin.token, body });
	t.is(made.status, 201);
	t.true(made.body['must_change_password']);
	const login = await call({ path: '/auth/login', body });
	const token = textOf(login, 'access_token');
	t.is((await call({ method: 'PATCH', path: '/users/me', token, body: { phone: '1' } })).status, 403);
	const change = (next: string) =>
		call({ path: '/users/me/password', token, body: { current_password: easy, new_password: next } });
	t.deepEqual(refusalOf(await change('letmein123')), [422, 'BUSINESS_RULE_VIOLATION']);
	t.is((await change(PASSWORD)).status, 204);
	t.is((await call({ method: 'PATCH', path: '/users/me', token, body: { phone: '1' } })).status, 200);
	const short = { email: 'other@example.com', password: 'short' };
	t.is((await call({ path: '/users', token: superadmin.token, body: short })).status, 422);
});
