import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { Account } from '../../core/identity/account.ts';
import { openAccountDirectory } from '../../core/identity/account-directory.ts';
import { createAccountStore } from '../../core/identity/account-store.ts';
import { actorFor } from '../../core/identity/account.ts';
import { createUserService, newAccount } from '../../core/identity/user-service.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { memoryAccounts } from './identity-box.ts';

const clock = createManualClock();
const passwords = { hash: async () => 'hash', verify: async () => true };

async function folderOf(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'account-store-'));
	t.teardown(() => rm(folder, { recursive: true }));
	return join(folder, 'accounts');
}

const account = (name: string, role: Account['role'] = 'user'): Account =>
	newAccount({ email: `${name}@example.com`, password: '', role, tenantId: DEFAULT_TENANT }, name, clock);

async function start(folder: string) {
	const store = createAccountStore(folder);
	const accounts = await openAccountDirectory(store);
	return { store, accounts, users: createUserService({ accounts, passwords, clock, log: silentLog }) };
}

test('users, changes and deletions outlive a restart, and what a deletion has freed stays free', async (t) => {
	const folder = await folderOf(t);
	const one = await start(folder);
	const chief = account('chief', 'superadmin');
	await one.accounts.add(chief);
	const actor = actorFor(chief, 's');
	const draft = { email: 'kim@example.com', password: '', role: 'user' } as const;
	const gone = await one.users.create(draft, actor);
	await one.users.patch(gone.id, { phone: '7', granted: ['audit:read'] }, actor);
	await one.users.remove(gone.id, actor);
	const again = await one.users.create(draft, actor);
	t.deepEqual([again.username, again.phone], ['kim', '']);
	await one.users.patch(again.id, { role: 'editor', granted: ['telemetry:write'] }, actor);
	await one.store.stop();

	const two = await start(folder);
	t.is(two.accounts.byId(gone.id), undefined);
	t.is(two.accounts.byEmail('kim@example.com')?.id, again.id);
	t.like(two.accounts.byUsername('KIM'), { role: 'editor', granted: ['telemetry:write'], deletedAt: null });
	t.deepEqual(
		two.accounts
			.all()
			.map(({ id }) => id)
			.toSorted(),
		[chief.id, again.id].toSorted(),
	);
	const kept = (await two.store.all()).find(({ id }) => id === gone.id);
	t.like(kept, { email: 'kim@example.com', passwordHash: '', sessions: [], isActive: false, deletedAt: clock.now() });
	await two.store.stop();
});

test('an account of an older version has the defaults of what it lacks', async (t) => {
	const folder = await folderOf(t);
	const database = openDatabase(folder);
	await database.put({
		_id: 'aa000000-0000-4000-8000-000000000001',
		kind: 'account',
		id: 'aa000000-0000-4000-8000-000000000001',
		email: 'ada@example.com',
		username: 'ada',
		fullName: 'Ada',
		phone: '',
		organization: '',
		avatarUrl: '',
		role: 'superadmin',
		isActive: true,
		isVerified: true,
		passwordHash: '$argon2id$',
		tokenGeneration: 3,
		sessions: [{ id: 'x', secretHash: 'y', expiresAt: 2_000 }],
		createdAt: 1_000,
		lastLoginAt: 1_500,
	});
	await database.close();
	const { store, accounts } = await start(folder);
	t.deepEqual(accounts.byEmail('ada@example.com'), {
		...account('ada', 'superadmin'),
		id: 'aa000000-0000-4000-8000-000000000001',
		fullName: 'Ada',
		isVerified: true,
		passwordHash: '$argon2id$',
		sessions: [
			{
				id: 'x',
				secretHash: 'y',
				createdAt: epochMs(1_500),
				lastUsedAt: epochMs(1_500),
				expiresAt: epochMs(2_000),
				address: '',
				userAgent: '',
			},
		],
		createdAt: epochMs(1_000),
		lastLoginAt: epochMs(1_500),
	});
	const changed = await accounts.change('aa000000-0000-4000-8000-000000000001', (current) => ({
		...current,
		phone: '1',
	}));
	t.is(changed.phone, '1');
	await store.stop();
});

test('accounts are bounded, and so are the records of deleted ones: the oldest give way', async (t) => {
	const repository = memoryAccounts();
	const accounts = await openAccountDirectory(repository, { maxAccounts: 3, maxDeleted: 2 });
	const made = [account('a'), account('b'), account('c')];
	for (const one of made) await accounts.add(one);
	await t.throwsAsync(accounts.add(account('d')), { message: /no more than 3/ });
	for (const { id } of made) await accounts.change(id, (current) => ({ ...current, deletedAt: clock.now() }));
	t.is(accounts.count(), 0);
	t.deepEqual(
		(await repository.all()).map(({ username }) => username),
		['b', 'c'],
	);
	await openAccountDirectory(repository, { maxDeleted: 1 });
	t.deepEqual(
		(await repository.all()).map(({ username }) => username),
		['c'],
	);
});

test('a deleted account is as unknown as one that never was', async (t) => {
	const accounts = await openAccountDirectory(memoryAccounts());
	const one = account('a');
	await accounts.add(one);
	await accounts.change(one.id, (current) => ({ ...current, deletedAt: clock.now() }));
	t.deepEqual(
		[accounts.byId(one.id), accounts.byEmail(one.email), accounts.byUsername('a')],
		[undefined, undefined, undefined],
	);
	await t.throwsAsync(
		accounts.change(one.id, (current) => current),
		{ message: /does not exist/ },
	);
});
