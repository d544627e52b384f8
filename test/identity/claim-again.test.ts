import { existsSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { makeResetCode, openClaimCode } from '../../core/identity/claim-code-store.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { claimBody, claimed, EMAIL, loginBody, textOf } from './identity-box.ts';

const HOUR_MS = 3_600_000;

test('a claimed box is claimed again with a code of the shell only, once, and a lost password is set anew by it', async (t) => {
	const { folder, call, code, first } = await claimed(t);
	t.is((await call({ path: '/setup/claim', body: claimBody(code) })).status, 409, 'the first code is used up');
	const made = await makeResetCode(folder, systemClock);
	const wrong = await call({ path: '/setup/claim', body: claimBody('0000-0000-0000-0000-0000') });
	t.is(wrong.status, 401);

	const body = { ...claimBody(made), password: 'another long password' };
	const again = await call({ path: '/setup/claim', body });
	t.is(again.status, 201);
	t.is((await call({ path: '/auth/login', body: loginBody })).status, 401, 'the old password is over');
	t.is((await call({ path: '/auth/login', body: { email: EMAIL, password: 'another long password' } })).status, 200);
	const token = textOf(first, 'access_token');
	t.is((await call({ method: 'GET', path: '/users/me', token })).status, 401, 'and so are its sessions');
	t.is((await call({ path: '/setup/claim', body })).status, 409, 'it works once');
	t.false(existsSync(join(folder, 'claim-code-reset')));
});

test('a code of the shell makes a further administrator for another email', async (t) => {
	const { folder, call } = await claimed(t);
	const made = await makeResetCode(folder, systemClock);
	const body = { ...claimBody(made.toLowerCase()), email: 'grace@example.com' };
	const again = await call({ path: '/setup/claim', body });
	t.is(again.status, 201);
	const me = await call({ method: 'GET', path: '/users/me', token: textOf(again, 'access_token') });
	t.is(me.body['role'], 'superadmin');
	t.is((await call({ path: '/auth/login', body: loginBody })).status, 200, 'the first one stays');
});

test('a code of the shell is for an hour, and a newer one replaces it', async (t) => {
	const { folder } = await claimed(t);
	const clock = createManualClock();
	const codes = await openClaimCode({ path: join(folder, 'claim-code'), isClaimed: true, clock });
	t.is(await codes.matchesReset('anything'), null);
	const older = await makeResetCode(folder, clock);
	const newer = await makeResetCode(folder, clock);
	t.false(await codes.matchesReset(older));
	clock.advance(HOUR_MS - 1);
	t.true(await codes.matchesReset(newer));
	const restarted = await openClaimCode({ path: join(folder, 'claim-code'), isClaimed: true, clock });
	t.true(await restarted.matchesReset(newer), 'over a restart too');
	clock.advance(1);
	t.is(await codes.matchesReset(newer), null);
});
