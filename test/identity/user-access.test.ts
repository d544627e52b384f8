import test from 'ava';

import { ROLES } from '../../core/identity/role.ts';
import { type Call, loginBody, NOBODY, PASSWORD, peopled, refusalOf, textOf } from './identity-box.ts';

const OTHER_TENANT = 'ee000000-0000-4000-8000-000000000001';

test('each level may do with users what the table of permissions says', async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const target = await make('user');
	const isAdmin = { user: false, viewer: false, editor: false, manager: false, admin: true, superadmin: true };
	for (const role of ROLES) {
		const { token, id } = role === 'superadmin' ? superadmin : await make(role);
		const status = (ok: number) => (isAdmin[role] ? ok : 403);
		const get = (path: string) => call({ method: 'GET', path, token });
		t.is((await get('/users')).status, status(200), role);
		t.is((await get('/users/')).status, status(200), role);
		t.is((await get(`/users/${target.id}`)).status, status(200), role);
		t.is((await get(`/users/${NOBODY}`)).status, status(404), role);
		t.is((await get(`/users/${id}`)).status, 200, 'the own one');
		t.is((await get(`/users/${target.id}/sessions`)).status, status(200), role);
		const body = { email: `by-${role}@example.com`, password: PASSWORD };
		const made = await call({ path: '/users', token, body });
		t.is(made.status, status(201), role);
		const path = `/users/${isAdmin[role] ? textOf(made, 'id') : target.id}`;
		t.is((await call({ method: 'PATCH', path, token, body: { phone: '1' } })).status, status(200), role);
		t.is(
			(await call({ path: `${path}/password`, token, body: { new_password: 'a long new one' } })).status,
			status(204),
		);
		t.is((await call({ method: 'DELETE', path: `${path}/sessions`, token })).status, status(204), role);
		t.is((await call({ method: 'DELETE', path, token })).status, status(204), role);
	}
});

test('every route but the public ones wants a token', async (t) => {
	const { call } = await peopled(t);
	for (const [method, path] of [
		['GET', '/users'],
		['GET', '/users/'],
		['POST', '/users'],
		['POST', '/users/'],
		['GET', '/users/me'],
		['PATCH', '/users/me'],
		['POST', '/users/me/password'],
		['GET', '/users/me/sessions'],
		['DELETE', '/users/me/sessions'],
		['DELETE', '/users/me/sessions/x'],
		['GET', `/users/${NOBODY}`],
		['PATCH', `/users/${NOBODY}`],
		['DELETE', `/users/${NOBODY}`],
		['POST', `/users/${NOBODY}/password`],
		['GET', `/users/${NOBODY}/sessions`],
		['DELETE', `/users/${NOBODY}/sessions`],
	] as const)
		t.deepEqual(refusalOf(await call({ method, path, body: {} })), [401, 'NOT_AUTHENTICATED'], `${method} ${path}`);
});

test('nobody gives a role or a permission beyond the own, or touches a user above', async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const admin = await make('admin');
	const manager = await make('manager', { permissions: ['users:read', 'users:write', 'users:delete'] });
	const denied = [403, 'PERMISSION_DENIED'];
	const create = (token: string, more: object) =>
		call({ path: '/users', token, body: { email: 'x@example.com', password: PASSWORD, ...more } });
	t.deepEqual(refusalOf(await create(admin.token, { role: 'superadmin' })), denied);
	t.deepEqual(refusalOf(await create(manager.token, { role: 'admin' })), denied);
	t.deepEqual(refusalOf(await create(admin.token, { permissions: ['system:configure'] })), denied);
	t.deepEqual(refusalOf(await create(admin.token, { tenant_id: OTHER_TENANT })), denied);
	const peer = await make('manager');
	const armed = await make('manager', { permissions: ['firmware:release'] });
	for (const [actor, target] of [
		[admin, superadmin],
		[manager, admin],
		[manager, armed],
	] as const) {
		const path = `/users/${target.id}`;
		const { token } = actor;
		t.deepEqual(refusalOf(await call({ method: 'PATCH', path, token, body: { phone: '1' } })), denied);
		t.deepEqual(refusalOf(await call({ method: 'DELETE', path, token })), denied);
		t.deepEqual(
			refusalOf(await call({ path: `${path}/password`, token, body: { new_password: 'a long new one' } })),
			denied,
		);
		t.deepEqual(refusalOf(await call({ method: 'DELETE', path: `${path}/sessions`, token })), denied);
	}
	const patch = (id: string, body: object) =>
		call({ method: 'PATCH', path: `/users/${id}`, token: manager.token, body });
	t.deepEqual(refusalOf(await patch(peer.id, { role: 'admin' })), denied);
	t.deepEqual(refusalOf(await patch(peer.id, { permissions: ['users:read', 'audit:read'] })), denied);
	t.deepEqual(refusalOf(await patch(manager.id, { role: 'admin' })), denied, 'not even to itself');
	t.is((await patch(peer.id, { permissions: ['users:read'] })).status, 200);
	t.is((await call({ method: 'GET', path: '/users', token: peer.token })).status, 200, 'a grant counts at once');
	t.is((await call({ method: 'GET', path: `/users/${superadmin.id}`, token: superadmin.token })).body['phone'], '');
});

test('users of another tenant do not exist, except for a superadmin', async (t) => {
	const { call, make, superadmin } = await peopled(t);
	const admin = await make('admin');
	const stranger = await make('admin', { tenant_id: OTHER_TENANT });
	const of = async (token: string) => (await call({ method: 'GET', path: '/users', token })).body['total'];
	t.deepEqual([await of(superadmin.token), await of(admin.token), await of(stranger.token)], [3, 2, 1]);
	for (const [actor, target] of [
		[admin, stranger],
		[stranger, admin],
	] as const) {
		const { token } = actor;
		const path = `/users/${target.id}`;
		for (const method of ['GET', 'PATCH', 'DELETE']) t.is((await call({ method, path, token, body: {} })).status, 404);
		t.is((await call({ path: `${path}/password`, token, body: { new_password: 'a long new one' } })).status, 404);
		t.is((await call({ method: 'GET', path: `${path}/sessions`, token })).status, 404);
		t.is((await call({ method: 'DELETE', path: `${path}/sessions`, token })).status, 404);
	}
	const made = await call({
		path: '/users',
		token: stranger.token,
		body: { email: 's@x.example', password: PASSWORD },
	});
	t.is(made.body['tenant_id'], OTHER_TENANT, 'a user belongs to the tenant of who makes it');
	t.is((await call({ method: 'GET', path: `/users/${stranger.id}`, token: superadmin.token })).status, 200);
});

test('nobody deletes the own account, and the last superadmin stays as it is', async (t) => {
	const box = await peopled(t);
	const { call, make, superadmin } = box;
	const rule = [422, 'BUSINESS_RULE_VIOLATION'];
	const path = `/users/${superadmin.id}`;
	const { token } = superadmin;
	t.deepEqual(refusalOf(await call({ method: 'DELETE', path, token })), rule);
	for (const body of [{ role: 'admin' }, { is_active: false }, { disabled: true }]) {
		const answer = await call({ method: 'PATCH', path, token, body });
		t.deepEqual(refusalOf(answer), rule);
		t.regex(textOf(answer, 'detail'), /the last active superadmin/);
	}
	const second = await make('superadmin');
	t.is((await call({ method: 'PATCH', path, token, body: { role: 'admin' } })).status, 200);
	t.deepEqual(refusalOf(await call({ method: 'DELETE', path: `/users/${second.id}`, token })), [
		403,
		'PERMISSION_DENIED',
	]);
	t.is((await call({ method: 'DELETE', path, token: second.token })).status, 204);
	t.is((await call({ path: '/auth/login', body: loginBody })).status, 401);
});

test('a user who may manage users stays one who sees only what it owns', async (t) => {
	const { call, make } = await peopled(t);
	const user = await make('user', { permissions: ['users:read', 'users:write'] });
	const viewer = await make('viewer');
	const { token } = user;
	const refused: readonly Call[] = [
		{ method: 'PATCH', path: `/users/${user.id}`, token, body: { role: 'viewer' } },
		{ path: '/users', token, body: { email: 'puppet@example.com', password: PASSWORD, role: 'viewer' } },
		{ path: `/users/${viewer.id}/password`, token, body: { new_password: 'another horse battery' } },
		{ method: 'PATCH', path: `/users/${viewer.id}`, token, body: { email: 'mine@example.com' } },
		{ method: 'DELETE', path: `/users/${viewer.id}/sessions`, token },
	];
	for (const request of refused)
		t.deepEqual(refusalOf(await call(request)), [403, 'PERMISSION_DENIED'], `${request.method} ${request.path}`);
	t.is((await call({ path: '/users', token, body: { email: 'twin@example.com', password: PASSWORD } })).status, 201);
});
