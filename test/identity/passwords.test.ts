import test from 'ava';
import fc from 'fast-check';

import { COMMON_PASSWORDS } from '../../core/identity/common-passwords.ts';
import { checkPassword } from '../../core/identity/password-policy.ts';
import { claimed, EMAIL, logIn, PASSWORD, peopled, refusalOf, textOf } from './identity-box.ts';

const NEXT = 'four other long words';

const REFUSED: Readonly<Record<string, readonly string[]>> = {
	'8 to 128 characters': ['', '1234567', 'x7'.repeat(65)],
	'most common': [
		'password',
		'PassWord1',
		'p@$$w0rd',
		'P455w0rd!',
		'!!monkey2026',
		'drawbridge',
		'adm1nistrator',
		'Sunshine12',
		'tr1n1ty99',
	],
	'a row of keys': [
		'aaaaaaaa',
		'23456789',
		'zyxwvutsrq',
		'lkjhgfds',
		'ASDFGHJKJHGF',
		'qwertz12345',
		'xyzxyzxyz',
		'a1b1a1b1a1b1',
		'x'.repeat(128),
	],
};

for (const [rule, passwords] of Object.entries(REFUSED))
	test(`refused as ${rule}`, (t) => {
		for (const password of passwords) t.throws(() => checkPassword(password), { message: new RegExp(rule) }, password);
	});

test('a password of its owner is refused, with a few digits too; the names inside of a longer one are not', (t) => {
	const owner = ['kim.cs@example.com', '김철수 Kim Chulsoo', 'chulsoo-the-first'];
	for (const password of [
		'kim.cs@example.com',
		'KimCs@Example.com',
		'김철수KimChulsoo',
		'chulsoothefirst',
		'Chulsoo-The-First2026',
	])
		t.throws(() => checkPassword(password, { owner }), { message: /of its owner/ }, password);
	for (const password of ['kim.cs likes four words', 'a-chulsoo-of-rain'])
		t.notThrows(() => checkPassword(password, { owner }), password);
	t.notThrows(() => checkPassword('kitchen table', { owner: ['', 'k@x.example'] }));
});

test('good passwords are taken', (t) => {
	for (const password of [
		'tr0ub4dor&3',
		PASSWORD,
		'пароль-надёжный',
		'Xk9#mQ2v',
		'한국어비밀번호입니다',
		'7 purple cranes',
		`${'long words, '.repeat(10)}end`,
	])
		t.notThrows(() => checkPassword(password), password);
});

test('the list has well over a thousand entries, and each long enough one is refused in every dress', (t) => {
	t.true(COMMON_PASSWORDS.size >= 1_000);
	const words = [...COMMON_PASSWORDS].filter((word) => /^[a-z]{8,}$/.test(word));
	fc.assert(
		fc.property(fc.constantFrom(...words), fc.nat(99), fc.boolean(), (word, number, isLoud) => {
			const dressed = `${isLoud ? word.toUpperCase() : word}${number}!`;
			t.throws(() => checkPassword(dressed), undefined, dressed);
		}),
	);
});

test('the policy answers for any text, soon', (t) => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary', maxLength: 140 }), (password) => {
			try {
				checkPassword(password, { owner: [EMAIL] });
			} catch (error) {
				t.like(error, { reason: 'rule-violation', field: 'password' });
			}
		}),
	);
});

test('changing the own password ends the other logins and leaves the one in use', async (t) => {
	const box = await claimed(t);
	const { call, first } = box;
	const { token, refreshToken } = await logIn(box, EMAIL);
	const body = { current_password: PASSWORD, new_password: NEXT };
	t.is((await call({ path: '/users/me/password', token, body })).status, 204);
	t.is((await call({ method: 'GET', path: '/users/me', token })).status, 200);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: refreshToken } })).status, 200);
	t.is((await call({ method: 'GET', path: '/users/me', token: textOf(first, 'access_token') })).status, 401);
	t.is((await call({ path: '/auth/login', body: { email: EMAIL, password: PASSWORD } })).status, 401);
	t.is((await logIn(box, EMAIL, NEXT)).email, EMAIL);
});

test('a wrong current password, a poor new one and the same again are refused with their field', async (t) => {
	const { call, first } = await claimed(t);
	const token = textOf(first, 'access_token');
	const change = (current: string, next: string) =>
		call({ path: '/users/me/password', token, body: { current_password: current, new_password: next } });
	for (const [current, next, field] of [
		['wrong', NEXT, 'current_password'],
		[PASSWORD, 'password1', 'new_password'],
		[PASSWORD, EMAIL, 'new_password'],
		[PASSWORD, PASSWORD, 'new_password'],
		// The same in letters of double width, which are the same password.
		[PASSWORD, PASSWORD.replace('c', '\uff43'), 'new_password'],
	] as const) {
		const answer = await change(current, next);
		t.deepEqual(refusalOf(answer), [422, 'BUSINESS_RULE_VIOLATION'], next);
		t.regex(JSON.stringify(answer.body['errors']), new RegExp(`"body","${field}"`));
	}
	t.deepEqual(refusalOf(await change(PASSWORD, 'short')), [422, 'VALIDATION_ERROR']);
	t.is((await call({ path: '/users/me/password', token, body: {} })).status, 422);
});

test('guessing the current password has five tries a minute', async (t) => {
	const { call, first, clock } = await claimed(t, 5);
	const token = textOf(first, 'access_token');
	const body = { current_password: 'wrong', new_password: NEXT };
	const change = () => call({ path: '/users/me/password', token, body });
	for (let count = 0; count < 5; count += 1) t.is((await change()).status, 422);
	const refused = await change();
	t.deepEqual(refusalOf(refused), [429, 'RATE_LIMITED']);
	t.is(refused.headers['retry-after'], '12');
	clock.advance(12_000);
	t.is((await change()).status, 422);
});

test('of two changes of one password at the same time one is told that it came too late', async (t) => {
	const { call, first } = await claimed(t);
	const token = textOf(first, 'access_token');
	const answers = await Promise.all(
		[NEXT, `${NEXT} too`].map((next) =>
			call({ path: '/users/me/password', token, body: { current_password: PASSWORD, new_password: next } }),
		),
	);
	t.deepEqual(
		answers.map(({ status }) => status).toSorted((a, b) => a - b),
		[204, 409],
	);
});

test('after a reset by an administrator a user is logged out, and can do nothing but change the password', async (t) => {
	const box = await peopled(t);
	const { call, make, superadmin } = box;
	const user = await make('admin');
	const reset = (new_password: string) =>
		call({ path: `/users/${user.id}/password`, token: superadmin.token, body: { new_password } });
	t.deepEqual(refusalOf(await reset('password1')), [422, 'BUSINESS_RULE_VIOLATION']);
	t.is((await reset(NEXT)).status, 204);
	t.is((await call({ method: 'GET', path: '/users/me', token: user.token })).status, 401);
	t.is((await call({ path: '/auth/refresh', body: { refresh_token: user.refreshToken } })).status, 401);

	const { token } = await logIn(box, user.email, NEXT);
	t.is((await call({ method: 'GET', path: '/users/me', token })).body['must_change_password'], true);
	for (const [method, path] of [
		['GET', '/users'],
		['PATCH', '/users/me'],
		['GET', '/users/me/sessions'],
		['DELETE', `/users/${superadmin.id}`],
	] as const) {
		const answer = await call({ method, path, token, body: {} });
		t.deepEqual(refusalOf(answer), [403, 'PERMISSION_DENIED'], path);
		t.regex(textOf(answer, 'detail'), /change it first/);
	}
	const body = { current_password: NEXT, new_password: `${NEXT} again` };
	t.is((await call({ path: '/users/me/password', token, body })).status, 204);
	t.is((await call({ method: 'GET', path: '/users', token })).status, 200);
	t.is((await call({ method: 'GET', path: '/users/me', token })).body['must_change_password'], false);
	t.is((await reset(`${NEXT} anew`)).status, 204);
	const again = await logIn(box, user.email, `${NEXT} anew`);
	t.is((await call({ path: '/auth/logout', token: again.token })).status, 204, 'or log out');
});

test('the own password is not reset, and a user can be made with one that is to be changed', async (t) => {
	const box = await peopled(t);
	const { call, make, superadmin } = box;
	const body = { new_password: NEXT };
	const own = await call({ path: `/users/${superadmin.id}/password`, token: superadmin.token, body });
	t.deepEqual(refusalOf(own), [422, 'BUSINESS_RULE_VIOLATION']);
	const user = await make('user', { must_change_password: true });
	t.is((await call({ method: 'GET', path: '/users/me/sessions', token: user.token })).status, 403);
});
