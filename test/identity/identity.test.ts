import { access, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { createAccessTokens } from '../../core/identity/access-token.ts';
import { MAX_KNOWN_NETWORKS, MAX_SESSIONS } from '../../core/identity/account.ts';
import { openAccountDirectory } from '../../core/identity/account-directory.ts';
import { createAccountStore } from '../../core/identity/account-store.ts';
import { isClaimCode, isSameClaimCode, newClaimCode } from '../../core/identity/claim-code.ts';
import { openClaimCode } from '../../core/identity/claim-code-store.ts';
import { createIdentity } from '../../core/identity/identity.ts';
import { createPasswords } from '../../core/identity/password.ts';
import { PERMISSIONS } from '../../core/identity/permission.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { EMAIL, PASSWORD, memoryAccounts, bodyOf, box, claimBody, textOf, claimed, loginBody } from './identity-box.ts';

test('the claim code makes the first administrator, logs in, and is deleted', async (t) => {
	const { call, code, folder } = await box(t);
	t.true(isClaimCode(code));
	const file = join(folder, 'claim-code');
	t.is((await readFile(file, 'utf8')).trim(), code);
	t.is((await stat(file)).mode & 0o777, 0o600);
	t.deepEqual((await call({ method: 'GET', path: '/setup' })).body, {
		claimed: false,
		role: 'gateway',
		version: '1.2.3',
		registration: 'open',
	});

	const answer = await call({ path: '/setup/claim', body: claimBody(code.toLowerCase().replaceAll('-', ' ')) });
	t.is(answer.status, 201);
	t.like(answer.body, { token_type: 'bearer', expires_in: 1_800 });
	t.is((await call({ method: 'GET', path: '/setup' })).body['claimed'], true);
	await t.throwsAsync(access(file));

	const me = await call({ method: 'GET', path: '/users/me', token: textOf(answer, 'access_token') });
	t.is(me.status, 200);
	const { id, _id: sameId, effective_permissions: permissions, ...user } = me.body;
	t.deepEqual(permissions, [...PERMISSIONS]);
	t.is(id, sameId);
	t.deepEqual(user, {
		username: 'ada',
		email: EMAIL,
		role: 'superadmin',
		is_active: true,
		disabled: false,
		is_verified: true,
		full_name: 'Ada',
		phone: '',
		organization: '',
		avatar_url: '',
		created_at: '2026-01-01T00:00:00.000Z',
		last_login: '2026-01-01T00:00:00.000Z',
		tenant_id: DEFAULT_TENANT,
		permissions: [],
		must_change_password: false,
	});
});

test('a wrong code is refused, and any code once the box is claimed', async (t) => {
	const { call, code } = await box(t);
	const wrong = await call({ path: '/setup/claim', body: claimBody(newClaimCode()) });
	t.deepEqual([wrong.status, wrong.body['error_code']], [401, 'INVALID_CREDENTIALS']);
	t.is((await call({ path: '/setup/claim', body: claimBody('') })).status, 422);
	const poor = await call({ path: '/setup/claim', body: { ...claimBody(code), password: 'Password123' } });
	t.deepEqual([poor.status, poor.body['error_code']], [422, 'BUSINESS_RULE_VIOLATION']);
	const [one, other] = await Promise.all([
		call({ path: '/setup/claim', body: claimBody(code) }),
		call({ path: '/setup/claim', body: { ...claimBody(code), email: 'eve@example.com' } }),
	]);
	t.deepEqual([one.status, other.status], [201, 409]);
	t.is(other.body['error_code'], 'STATE_CONFLICT');
});

test('the unattended administrator is made at the first start only', async (t) => {
	const { identity, accounts, folder } = await box(t);
	const draft = { email: 'Ada@Example.com', password: PASSWORD, fullName: '' };
	t.true(await identity.entry.createFirstAdministrator(draft));
	t.false(await identity.entry.createFirstAdministrator({ ...draft, email: 'eve@example.com' }));
	t.is(accounts.count(), 1);
	t.is(accounts.byEmail('ADA@example.com ')?.role, 'superadmin');
	await t.throwsAsync(access(join(folder, 'claim-code')));
});

test('the claim code survives restarts until it is used; a left-over of a claimed box is deleted', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'claim-'));
	t.teardown(() => rm(folder, { recursive: true }));
	const path = join(folder, 'claim-code');
	const code = (await openClaimCode({ path, isClaimed: false })).current();
	t.is((await openClaimCode({ path, isClaimed: false })).current(), code);
	await writeFile(path, 'torn');
	const fresh = await openClaimCode({ path, isClaimed: false });
	t.not(fresh.current(), code);
	t.true(fresh.matches(fresh.current() ?? ''));
	const late = await openClaimCode({ path, isClaimed: true });
	t.is(late.current(), null);
	t.false(late.matches(''));
	await t.throwsAsync(access(path));
});

test('codes are all different, of one form, and forgive case, dashes and look-alikes', (t) => {
	const codes = new Set(Array.from({ length: 200 }, newClaimCode));
	t.is(codes.size, 200);
	t.true([...codes].every(isClaimCode));
	t.true(isSameClaimCode('10ABC-DEFGH-JKMNP-QRSTV', ' ioabc defgh-JKMNPqrstv'));
	fc.assert(
		fc.property(fc.string(), (text) => {
			t.false(isSameClaimCode('10ABC-DEFGH-JKMNP-QRSTV', text));
		}),
	);
});

test('login gives tokens and sets the refresh cookie for this site only', async (t) => {
	const { call } = await claimed(t);
	const answer = await call({ path: '/auth/login', body: { email: 'ADA@example.com', password: PASSWORD } });
	t.is(answer.status, 200);
	const cookie = String(answer.headers['set-cookie']);
	t.true(cookie.startsWith(`refresh_token=${textOf(answer, 'refresh_token')};`));
	for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/api', 'Max-Age=2592000'])
		t.true(cookie.includes(attribute), attribute);
});

test('unknown email, wrong password and inactive account have one answer', async (t) => {
	const { call, accounts } = await claimed(t);
	const unknown = await call({ path: '/auth/login', body: { email: 'eve@example.com', password: PASSWORD } });
	const wrong = await call({ path: '/auth/login', body: { email: EMAIL, password: 'wrong' } });
	await accounts.change(accounts.byEmail(EMAIL)?.id ?? '', (account) => ({ ...account, isActive: false }));
	const inactive = await call({ path: '/auth/login', body: loginBody });
	for (const answer of [unknown, wrong, inactive]) {
		t.is(answer.status, 401);
		t.is(answer.body['error_code'], 'INVALID_CREDENTIALS');
		t.deepEqual(answer.body, unknown.body);
	}
});

test('an unknown email costs the same work as a wrong password', async (t) => {
	const verified: (string | null)[] = [];
	const accounts = await openAccountDirectory(memoryAccounts());
	const clock = createManualClock();
	const tokens = createAccessTokens({ key: Buffer.alloc(32), lifetimeSeconds: 1, clock, accounts });
	const passwords = {
		hash: async () => '',
		verify: async (passwordHash: string | null) => {
			verified.push(passwordHash);
			return false;
		},
	};
	const claimCode = {
		current: () => null,
		matches: () => false,
		matchesReset: async () => null,
		consume: async () => undefined,
	};
	const identity = createIdentity({
		accounts,
		passwords,
		tokens,
		claimCode,
		refreshTokenDays: 1,
		registration: 'closed',
		clock,
		log: silentLog,
	});
	await t.throwsAsync(identity.entry.login('nobody@example.com', 'x'));
	t.deepEqual(verified, [null]);
	// The stand-in for "nobody" runs the real function with the real cost, and never matches.
	t.false(await createPasswords().verify(null, 'x'));
	t.regex(await createPasswords().hash(PASSWORD), /^\$argon2id\$v=19\$m=19456,(t=2,p=1|p=1,t=2)\$/);
});

test('login and claim share five tries a minute per address, and refreshes count apart', async (t) => {
	const { call, clock, first } = await claimed(t, 5);
	const wrong = { ...loginBody, password: 'wrong' };
	clock.advance(60_000);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: textOf(first, 'refresh_token') } })).status, 200);
	t.is((await call({ path: '/setup/claim', body: claimBody('x') })).status, 409);
	for (let count = 0; count < 4; count += 1) t.is((await call({ path: '/auth/login', body: wrong })).status, 401);
	const refused = await call({ path: '/auth/login', body: loginBody });
	t.deepEqual([refused.status, refused.body['error_code']], [429, 'RATE_LIMITED']);
	t.is(refused.headers['retry-after'], '12');
	const unknown = { refresh_token: 'x' };
	for (let count = 0; count < 29; count += 1) t.is((await call({ path: '/auth/refresh', body: unknown })).status, 401);
	t.is((await call({ path: '/auth/refresh', body: unknown })).status, 429);
	t.is((await call({ path: '/auth/login', body: wrong, from: '192.0.2.2' })).status, 401);
	clock.advance(12_000);
	t.is((await call({ path: '/auth/login', body: loginBody })).status, 200);
});

test('nobody is locked out: guessing from many addresses leaves those free that have logged in before', async (t) => {
	const { call, accounts } = await claimed(t, 5);
	const guess = (from: string, email = EMAIL) =>
		call({ path: '/auth/login', body: { email, password: 'wrong' }, from });
	const statuses = async (email?: string) => {
		const answers = [];
		for (let count = 0; count < 8; count += 1) answers.push(await guess(`198.51.100.${count}`, email));
		t.is(answers.at(-1)?.headers['retry-after'], '12');
		return answers.map(({ status }) => status);
	};
	const expected = [401, 401, 401, 401, 401, 429, 429, 429];
	t.deepEqual(await statuses(), expected);
	t.deepEqual(await statuses('nobody@example.com'), expected, 'an unknown email looks alike');
	// The claim came from here, so its owner works from here.
	t.is((await call({ path: '/auth/login', body: loginBody, from: '192.0.2.1' })).status, 200);
	t.is((await call({ path: '/auth/login', body: loginBody, from: '192.0.2.77' })).status, 429);
	for (let count = 0; count < 3; count += 1) t.is((await guess('192.0.2.1')).status, 401);
	t.is(
		(await call({ path: '/auth/login', body: loginBody, from: '192.0.2.1' })).status,
		429,
		'yet an address has five',
	);
	t.deepEqual(accounts.byEmail(EMAIL)?.knownNetworks, ['192.0.2.1']);
});

test('the places of an account are a few, the newest ones, and IPv6 counts by its network', async (t) => {
	const { call, accounts } = await claimed(t);
	for (let count = 0; count < MAX_KNOWN_NETWORKS; count += 1)
		await call({ path: '/auth/login', body: loginBody, from: `198.51.100.${count}` });
	await call({ path: '/auth/login', body: loginBody, from: '2001:db8::1' });
	await call({ path: '/auth/login', body: loginBody, from: '2001:db8::2' });
	const known = accounts.byEmail(EMAIL)?.knownNetworks ?? [];
	t.is(known.length, MAX_KNOWN_NETWORKS);
	t.is(known.at(-1), '2001:db8:0:0');
	t.false(known.includes('192.0.2.1'));
});

test('one password typed with composed or separate accents is one password', async (t) => {
	const passwords = createPasswords();
	const passwordHash = await passwords.hash('Caf\u00E9-keller');
	t.true(await passwords.verify(passwordHash, 'Cafe\u0301-keller'));
	t.false(await passwords.verify(passwordHash, 'Cafe-keller'));
});

test('no password, token, code or key is ever logged', async (t) => {
	const { call, code, first, folder, logged } = await claimed(t);
	const login = await call({ path: '/auth/login', body: loginBody });
	await call({ path: '/auth/login', body: { ...loginBody, password: 'mistyped-secret' } });
	await call({ path: '/auth/login', body: { email: 'no address', password: 'mistyped-secret' } });
	await call({ path: '/setup/claim', body: { ...claimBody(code), email: 7 } });
	const next = await call({ path: '/auth/refresh', body: { refresh_token: textOf(login, 'refresh_token') } });
	await call({ path: '/auth/refresh', body: { refresh_token: textOf(login, 'refresh_token') } });
	await call({ path: '/auth/logout', token: textOf(first, 'access_token') });
	const { tokenKey } = bodyOf(await readFile(join(folder, 'settings.json'), 'utf8'));
	const output = logged();
	t.regex(output, /"event":"login-refused"/);
	const secrets = [PASSWORD, 'mistyped-secret', code, String(tokenKey), 'argon2'];
	for (const answer of [first, login, next])
		secrets.push(textOf(answer, 'access_token'), textOf(answer, 'refresh_token'));
	for (const secret of secrets) t.false(output.includes(secret), secret);
	for (const line of output.trim().split('\n')) t.like(bodyOf(line), { event: bodyOf(line)['event'] });
});

test('accounts, sessions and revocations outlive a restart; nothing that is kept logs anybody in', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'accounts-'));
	t.teardown(() => rm(folder, { recursive: true }));
	const clock = createManualClock();
	const start = async () => {
		const store = createAccountStore(join(folder, 'accounts'));
		const accounts = await openAccountDirectory(store);
		const tokens = createAccessTokens({ key: Buffer.alloc(32, 7), lifetimeSeconds: 1_800, clock, accounts });
		const claimCode = await openClaimCode({ path: join(folder, 'claim-code'), isClaimed: accounts.count() > 0 });
		const passwords = createPasswords();
		const identity = createIdentity({
			accounts,
			passwords,
			tokens,
			claimCode,
			refreshTokenDays: 30,
			registration: 'closed',
			clock,
			log: silentLog,
		});
		return { store, accounts, tokens, identity };
	};
	const one = await start();
	await one.identity.entry.createFirstAdministrator({ email: EMAIL, password: PASSWORD, fullName: 'Ada' });
	const kept = await one.identity.entry.login(EMAIL, PASSWORD);
	await one.store.stop();

	const two = await start();
	t.true(two.identity.entry.isClaimed());
	t.is(two.tokens.verify(kept.accessToken).email, EMAIL);
	t.notRegex(JSON.stringify(two.accounts.byEmail(EMAIL)), new RegExp(kept.refreshToken.split('.')[2] ?? '-'));
	const next = await two.identity.sessions.refresh(kept.refreshToken);
	await two.identity.sessions.logout(two.accounts.byEmail(EMAIL)?.id ?? '');
	await two.store.stop();

	const three = await start();
	t.throws(() => three.tokens.verify(next.accessToken));
	await t.throwsAsync(three.identity.sessions.refresh(next.refreshToken));
	t.truthy(await three.identity.entry.login(EMAIL, PASSWORD));
	await three.store.stop();
});

test('an account keeps its newest logins only, and a taken email or username is refused', async (t) => {
	const { identity, accounts } = await claimed(t);
	const account = accounts.byEmail(EMAIL);
	if (account === undefined) throw new TypeError('no account');
	const oldest = await identity.entry.login(EMAIL, PASSWORD);
	for (let count = 0; count < MAX_SESSIONS; count += 1) await identity.entry.login(EMAIL, PASSWORD);
	t.is(accounts.byEmail(EMAIL)?.sessions.length, MAX_SESSIONS);
	await t.throwsAsync(identity.sessions.refresh(oldest.refreshToken));
	await t.throwsAsync(accounts.add({ ...account, id: 'x' }), { message: /email ada@example.com already exists/ });
	await t.throwsAsync(accounts.add({ ...account, id: 'x', email: 'ada@else.com' }), { message: /username ada/ });
});
