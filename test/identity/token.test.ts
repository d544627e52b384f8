import { createHmac } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { createAccessTokens, ensureTokenKey } from '../../core/identity/access-token.ts';
import { openAccountDirectory } from '../../core/identity/account-directory.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { EMAIL, DAY_MS, memoryAccounts, refusalOf, textOf, claimed, loginBody } from './identity-box.ts';

test('an access token ends after half an hour', async (t) => {
	const { call, clock, first } = await claimed(t);
	const me = { method: 'GET', path: '/users/me', token: textOf(first, 'access_token') };
	clock.advance(1_799_000);
	t.is((await call(me)).status, 200);
	clock.advance(1_000);
	const late = await call(me);
	t.deepEqual([late.status, late.body['error_code']], [401, 'TOKEN_EXPIRED']);
});

test('deactivating an account refuses its access and refresh tokens at once; a change of role counts at once', async (t) => {
	const { call, accounts, first } = await claimed(t);
	const token = textOf(first, 'access_token');
	const me = { method: 'GET', path: '/users/me', token };
	t.is((await call(me)).body['role'], 'superadmin');
	const id = accounts.byEmail(EMAIL)?.id ?? '';
	await accounts.change(id, (account) => ({ ...account, role: 'viewer' }));
	t.is((await call(me)).body['role'], 'viewer');
	await accounts.change(id, (account) => ({ ...account, isActive: false }));
	t.is((await call(me)).body['error_code'], 'INVALID_CREDENTIALS');
	const refresh = await call({ path: '/auth/refresh', body: { refresh_token: textOf(first, 'refresh_token') } });
	t.deepEqual([refresh.status, refresh.body['error_code']], [401, 'INVALID_CREDENTIALS']);
});

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a forged access token is refused, however it is forged', async (t) => {
	const { call, accounts, first } = await claimed(t);
	const token = textOf(first, 'access_token');
	const [header = '', payload = '', signature = ''] = token.split('.');
	const account = accounts.byEmail(EMAIL);
	const claims = { iss: 'drawbridge', sub: account?.id, sid: account?.sessions[0]?.id, exp: 9_999_999_999 };
	const signed = (head: object, key: string): string => {
		const content = `${base64url(head)}.${base64url(claims)}`;
		return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
	};
	const forgeries: Readonly<Record<string, string>> = {
		'another payload': `${header}.${base64url(claims)}.${signature}`,
		'no signature': `${header}.${payload}.`,
		'algorithm none': `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims)}.`,
		'algorithm none with a signature': `${base64url({ alg: 'none' })}.${payload}.${signature}`,
		'another key': signed({ alg: 'HS256' }, 'guessed'),
		'an empty key': signed({ alg: 'HS256' }, ''),
		'another algorithm': signed({ alg: 'HS512' }, 'guessed'),
		'a payload that is no object': `${header}.${Buffer.from('7').toString('base64url')}.${signature}`,
		'a cut signature': token.slice(0, -1),
	};
	for (const [name, forgery] of Object.entries(forgeries)) {
		const answer = await call({ method: 'GET', path: '/users/me', token: forgery });
		t.deepEqual([answer.status, answer.body['error_code']], [401, 'INVALID_CREDENTIALS'], name);
	}
	t.is((await call({ method: 'GET', path: '/users/me', token })).status, 200);
});

test('a refresh token works once; the pair it gives goes on', async (t) => {
	const { call, clock, first } = await claimed(t);
	clock.advance(2_000_000);
	const next = await call({ path: '/auth/refresh', body: { refresh_token: textOf(first, 'refresh_token') } });
	t.is(next.status, 200);
	t.not(next.body['refresh_token'], first.body['refresh_token']);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(next, 'access_token') })).status, 200);
	// By cookie, as a page does it.
	const third = await call({ path: '/auth/refresh', cookie: textOf(next, 'refresh_token') });
	t.is(third.status, 200);
	t.true(String(third.headers['set-cookie']).includes(textOf(third, 'refresh_token')));
});

test('re-use of a rotated refresh token ends its whole session, and no other', async (t) => {
	const { call, first } = await claimed(t);
	const other = await call({ path: '/auth/login', body: loginBody });
	const stolen = textOf(first, 'refresh_token');
	const next = await call({ path: '/auth/refresh', body: { refresh_token: stolen } });
	const reuse = await call({ path: '/auth/refresh', body: { refresh_token: stolen } });
	t.deepEqual([reuse.status, reuse.body['error_code']], [401, 'INVALID_CREDENTIALS']);
	const after = await call({ path: '/auth/refresh', body: { refresh_token: textOf(next, 'refresh_token') } });
	t.is(after.status, 401);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(next, 'access_token') })).status, 401);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: textOf(other, 'refresh_token') } })).status, 200);
});

test('of two refreshes with one token at the same time at most one succeeds', async (t) => {
	const { call, first } = await claimed(t);
	const body = { refresh_token: textOf(first, 'refresh_token') };
	const answers = await Promise.all([1, 2, 3].map(() => call({ path: '/auth/refresh', body })));
	t.deepEqual(
		answers.map(({ status }) => status).toSorted((a, b) => a - b),
		[200, 401, 401],
	);
});

test('tabs that renew with one cookie at the same time all stay logged in, and the session goes on with any of their tokens', async (t) => {
	for (const kept of [0, 1, 2]) {
		const { call, first } = await claimed(t);
		const cookie = textOf(first, 'refresh_token');
		const tabs = await Promise.all([1, 2, 3].map(() => call({ path: '/auth/refresh', cookie })));
		t.deepEqual(
			tabs.map(({ status }) => status),
			[200, 200, 200],
		);
		t.is(new Set(tabs.map((tab) => textOf(tab, 'refresh_token'))).size, 3);
		for (const tab of tabs)
			t.is((await call({ method: 'GET', path: '/users/me', token: textOf(tab, 'access_token') })).status, 200);
		const next = tabs[kept];
		if (next === undefined) throw new TypeError('no such tab');
		t.is((await call({ path: '/auth/refresh', cookie: textOf(next, 'refresh_token') })).status, 200);
	}
});

test('of the tokens that one replaced token gave, the use of one makes the others re-used ones', async (t) => {
	const { call, clock, first } = await claimed(t);
	const stolen = textOf(first, 'refresh_token');
	const mine = await call({ path: '/auth/refresh', cookie: stolen });
	clock.advance(9_999);
	const thief = await call({ path: '/auth/refresh', cookie: stolen });
	t.is(thief.status, 200);
	clock.advance(10_000);
	const next = await call({ path: '/auth/refresh', cookie: textOf(mine, 'refresh_token') });
	t.is(next.status, 200);
	t.is((await call({ path: '/auth/refresh', cookie: textOf(thief, 'refresh_token') })).status, 401);
	t.is((await call({ path: '/auth/refresh', cookie: textOf(next, 'refresh_token') })).status, 401);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(next, 'access_token') })).status, 401);
});

test("tabs that renew together may send each other's new cookies too, and keep any of them", async (t) => {
	const { call, clock, first } = await claimed(t);
	const renew = async (cookie: string): Promise<string> => {
		const answer = await call({ path: '/auth/refresh', cookie });
		t.is(answer.status, 200);
		return textOf(answer, 'refresh_token');
	};
	const start = textOf(first, 'refresh_token');
	const one = await renew(start);
	const two = await renew(start);
	const three = await renew(one);
	await renew(start);
	clock.advance(60_000);
	// The answers arrived in another order than they were given: the browser kept the second.
	const next = await renew(two);
	t.is((await call({ path: '/auth/refresh', cookie: three })).status, 401);
	t.is((await call({ path: '/auth/refresh', cookie: next })).status, 401);
});

test('the tokens of a moment are bounded', async (t) => {
	const { call, accounts, first } = await claimed(t);
	const cookie = textOf(first, 'refresh_token');
	let most = 0;
	for (let count = 0; count < 40; count += 1) {
		await call({ path: '/auth/refresh', cookie });
		most = Math.max(most, ...(accounts.byEmail(EMAIL)?.sessions ?? []).map(({ recent = [] }) => recent.length));
	}
	t.is(most, 16);
});

test('a replaced cookie is excused for ten seconds', async (t) => {
	const late = await claimed(t);
	const cookie = textOf(late.first, 'refresh_token');
	t.is((await late.call({ path: '/auth/refresh', cookie })).status, 200);
	late.clock.advance(10_000);
	t.is((await late.call({ path: '/auth/refresh', cookie })).status, 401);
});

test('refresh tokens end after thirty days without use', async (t) => {
	const { call, clock, first } = await claimed(t);
	clock.advance(30 * DAY_MS - 1);
	const next = await call({ path: '/auth/refresh', body: { refresh_token: textOf(first, 'refresh_token') } });
	t.is(next.status, 200);
	clock.advance(30 * DAY_MS);
	const late = await call({ path: '/auth/refresh', body: { refresh_token: textOf(next, 'refresh_token') } });
	t.deepEqual([late.status, late.body['error_code']], [401, 'TOKEN_EXPIRED']);
});

test('refresh without a token, and with one that nobody issued', async (t) => {
	const { call, accounts } = await claimed(t);
	const none = await call({ path: '/auth/refresh' });
	t.deepEqual([none.status, none.body['error_code']], [401, 'NOT_AUTHENTICATED']);
	const id = accounts.byEmail(EMAIL)?.id ?? '';
	for (const token of [
		'x',
		`${id}.${'a'.repeat(22)}.${'b'.repeat(43)}`,
		`${'0'.repeat(36)}.${'a'.repeat(22)}.${'b'.repeat(43)}`,
	]) {
		const answer = await call({ path: '/auth/refresh', body: { refresh_token: token } });
		t.deepEqual([answer.status, answer.body['error_code']], [401, 'INVALID_CREDENTIALS'], token);
	}
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: 7 } })).status, 422);
});

test('the cookie is refused when a page of another origin sends it', async (t) => {
	const { call, first } = await claimed(t);
	const cookie = textOf(first, 'refresh_token');
	for (const origin of ['http://evil.example', 'http://box.local:9000', 'null', 'nonsense']) {
		const headers = { host: 'box.local:8000', origin };
		const answer = await call({ path: '/auth/refresh', cookie, headers });
		t.deepEqual([answer.status, answer.body['error_code']], [403, 'PERMISSION_DENIED'], origin);
	}
	const own = { host: 'box.local:8000', origin: 'http://box.local:8000' };
	t.is((await call({ path: '/auth/refresh', cookie, headers: own })).status, 200);
});

test('logout revokes every token of the account and clears the cookie', async (t) => {
	const { call, first } = await claimed(t);
	const other = await call({ path: '/auth/login', body: loginBody });
	const token = textOf(first, 'access_token');
	const answer = await call({ path: '/auth/logout', token });
	t.is(answer.status, 204);
	t.regex(String(answer.headers['set-cookie']), /refresh_token=; Max-Age=0/);
	t.is((await call({ method: 'GET', path: '/users/me', token })).status, 401);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(other, 'access_token') })).status, 401);
	for (const given of [first, other])
		t.is((await call({ path: '/auth/refresh', body: { refresh_token: textOf(given, 'refresh_token') } })).status, 401);
});

test('logout knows the caller by the cookie alone, and nobody without either', async (t) => {
	const { call, first } = await claimed(t);
	t.deepEqual(refusalOf(await call({ path: '/auth/logout' })), [401, 'NOT_AUTHENTICATED']);
	t.deepEqual(refusalOf(await call({ path: '/auth/logout', token: 'a.b.c' })), [401, 'INVALID_CREDENTIALS']);
	t.is((await call({ path: '/auth/logout', cookie: 'x' })).status, 401);
	t.is((await call({ path: '/auth/logout', cookie: textOf(first, 'refresh_token') })).status, 204);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(first, 'access_token') })).status, 401);
});

test('the cache of verified tokens stays bounded and never outlives a token', async (t) => {
	const accounts = await openAccountDirectory(memoryAccounts());
	const clock = createManualClock();
	const { first, accounts: known } = await claimed(t);
	t.truthy(first);
	const account = known.byEmail(EMAIL);
	if (account === undefined) throw new TypeError('no account');
	const [session] = account.sessions;
	if (session === undefined) throw new TypeError('no session');
	await accounts.add(account);
	const tokens = createAccessTokens({ key: Buffer.alloc(32), lifetimeSeconds: 60, clock, accounts, maxCached: 2 });
	const issued = Array.from({ length: 5 }, () => tokens.issue(account, session.id));
	t.is(new Set(issued).size, 5);
	for (const token of [...issued, ...issued]) t.is(tokens.verify(token).userId, account.id);
	clock.advance(60_000);
	for (const token of issued) t.throws(() => tokens.verify(token), { message: /expired/ });
});

test('the signing key is made once and kept for its owner only', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'key-'));
	t.teardown(() => rm(folder, { recursive: true }));
	const path = join(folder, 'settings.json');
	const open = () =>
		openSettingsStore<{ tokenKey: string | null }>({ path, defaults: { tokenKey: null }, log: silentLog });
	const key = await ensureTokenKey(await open());
	t.is(key.length, 32);
	t.deepEqual(await ensureTokenKey(await open()), key);
	t.is((await stat(path)).mode & 0o777, 0o600);
});
