import test from 'ava';
import fc from 'fast-check';

import { type Account, actorFor } from '../../core/identity/account.ts';
import { openAccountDirectory } from '../../core/identity/account-directory.ts';
import { PERMISSIONS, PERMISSIONS_OF } from '../../core/identity/permission.ts';
import { ROLES } from '../../core/identity/role.ts';
import { freeUsername, isUsableName } from '../../core/identity/user-rules.ts';
import { createUserService, newAccount } from '../../core/identity/user-service.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { DEFAULT_TENANT, tenantId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { memoryAccounts } from './identity-box.ts';

const OTHER_TENANT = tenantId('ee000000-0000-4000-8000-000000000001');
const passwords = { hash: async () => 'hash', verify: async () => true };

async function crowd(first: readonly Account[]) {
	const accounts = await openAccountDirectory(memoryAccounts());
	for (const account of first) await accounts.add(account);
	return { accounts, users: createUserService({ accounts, passwords, clock: createManualClock(), log: silentLog }) };
}

const founder = (): Account =>
	newAccount(
		{ email: 'founder@example.com', password: '', role: 'superadmin', tenantId: DEFAULT_TENANT },
		'founder',
		createManualClock(),
	);

const anyRole = fc.constantFrom(...ROLES);
const anyChange = fc.oneof(
	fc.record({ kind: fc.constant('create' as const), role: anyRole, isElsewhere: fc.boolean() }),
	fc.record({ kind: fc.constant('remove' as const) }),
	fc.record({ kind: fc.constant('role' as const), role: anyRole }),
	fc.record({ kind: fc.constant('state' as const), isActive: fc.boolean() }),
	fc.record({
		kind: fc.constant('grant' as const),
		granted: fc.uniqueArray(fc.constantFrom('users:write', 'users:delete', 'system:configure'), { maxLength: 2 }),
	}),
);
/** Who of those who are there acts on whom, as parts of the list. */
const anyStep = fc.record({ actor: fc.nat(), target: fc.nat(), change: anyChange });

test('whatever anybody does in whatever order, an active superadmin remains, and nobody rises above who raised it', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
			const { accounts, users } = await crowd([founder()]);
			let count = 0;
			const pick = (at: number): Account => accounts.all()[at % accounts.count()] ?? founder();
			const act = async ({ actor: actorAt, target, change }: (typeof steps)[number]): Promise<unknown> => {
				const account = pick(actorAt);
				const actor = actorFor(account, 's');
				if (!account.isActive || !actor.permissions.has('users:write')) return null;
				const { id } = pick(target);
				switch (change.kind) {
					case 'create': {
						const tenant = change.isElsewhere ? { tenantId: OTHER_TENANT } : {};
						const draft = { email: `${(count += 1)}@example.com`, password: '', role: change.role, ...tenant };
						return users.create(draft, actor);
					}
					case 'remove':
						return users.remove(id, actor);
					case 'role':
						return users.patch(id, { role: change.role }, actor);
					case 'state':
						return users.patch(id, { isActive: change.isActive }, actor);
					case 'grant':
						return users.patch(id, { granted: change.granted }, actor);
				}
			};
			// In pairs at the same time: no change may slip between the check and the doing of another.
			for (let at = 0; at < steps.length; at += 2) {
				const settled = await Promise.allSettled(steps.slice(at, at + 2).map((step) => act(step)));
				for (const one of settled) if (one.status === 'rejected') t.true(one.reason instanceof Fault);
				const superadmins = accounts.all().filter(({ role, isActive }) => role === 'superadmin' && isActive);
				t.true(superadmins.length > 0);
			}
		}),
		{ numRuns: 150 },
	);
});

test('of two superadmins who demote each other at the same time one stays', async (t) => {
	const [one, other] = [founder(), { ...founder(), email: 'b@example.com', username: 'b' }];
	const { accounts, users } = await crowd([one, other]);
	const settled = await Promise.allSettled([
		users.patch(other.id, { role: 'viewer' }, actorFor(one, 's')),
		users.patch(one.id, { isActive: false }, actorFor(other, 's')),
	]);
	t.deepEqual(settled.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
	t.is(accounts.all().filter(({ role, isActive }) => role === 'superadmin' && isActive).length, 1);
});

test('without a superadmin the last one who may manage users stays', async (t) => {
	const admin: Account = { ...founder(), role: 'admin' };
	const grantee: Account = {
		...founder(),
		email: 'g@x.example',
		username: 'g',
		role: 'viewer',
		granted: ['users:write'],
	};
	const { users } = await crowd([admin, grantee]);
	const actor = actorFor(admin, 's');
	await users.patch(grantee.id, { granted: [] }, actor);
	await t.throwsAsync(users.patch(admin.id, { role: 'manager' }, actor), { message: /who may manage users/ });
	await users.patch(grantee.id, { granted: ['users:write'] }, actor);
	await t.notThrowsAsync(users.patch(admin.id, { role: 'manager' }, actor));
});

test('nobody gains a permission that who gave it does not have', async (t) => {
	await fc.assert(
		fc.asyncProperty(
			anyRole,
			anyRole,
			fc.uniqueArray(fc.constantFrom(...PERMISSIONS), { maxLength: 6 }),
			fc.uniqueArray(fc.constantFrom(...PERMISSIONS), { maxLength: 3 }),
			async (own, role, ownGrants, granted) => {
				const giver: Account = { ...founder(), email: 'g@x.example', username: 'g', role: own, granted: ownGrants };
				const { users } = await crowd([founder(), giver]);
				const actor = actorFor(giver, 's');
				const draft = { email: 'n@x.example', password: '', role, granted };
				const made = await users.create(draft, actor).catch(() => null);
				if (made === null) return;
				for (const permission of actorFor(made, 's').permissions) t.true(actor.permissions.has(permission));
				t.true(PERMISSIONS_OF[own].size >= PERMISSIONS_OF[role].size);
			},
		),
	);
});

test('a username made from an email is usable and free, whatever is taken', (t) => {
	fc.assert(
		fc.property(fc.emailAddress(), fc.nat(5), (email, taken) => {
			let asked = 0;
			const name = freeUsername(email.toLowerCase(), () => (asked += 1) <= taken);
			t.true(isUsableName(name) && name.length <= 150 && !name.includes('/'));
		}),
	);
	t.is(freeUsername(`${'a'.repeat(200)}@x`, () => false).length, 140);
});
