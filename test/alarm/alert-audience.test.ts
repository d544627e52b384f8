import test from 'ava';

import { createAlertAudience } from '../../core/alarm/alert-audience.ts';
import type { Account } from '../../core/identity/account.ts';
import type { Role } from '../../core/identity/role.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT, tenantId } from '../../core/kernel/id.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const ELSEWHERE = tenantId('7e000000-0000-4000-8000-000000000001');

const account = (id: string, role: Role, changes: Partial<Account> = {}): Account => ({
	id,
	email: `${id}@example.com`,
	username: id,
	fullName: '',
	phone: '',
	organization: '',
	avatarUrl: '',
	role,
	tenantId: DEFAULT_TENANT,
	granted: [],
	isActive: true,
	isVerified: true,
	passwordHash: '',
	mustChangePassword: false,
	sessions: [],
	knownNetworks: [],
	revision: 1,
	createdAt: epochMs(0),
	lastLoginAt: null,
	deletedAt: null,
	...changes,
});

function audience(...people: readonly Account[]) {
	const byId = new Map(people.map((one) => [one.id, one]));
	const clock = createManualClock();
	const of = createAlertAudience({ accounts: { all: () => byId.values(), byId: (id) => byId.get(id) }, clock });
	return { of, byId, clock };
}

test('those who may acknowledge in the tenant, and the owner of the device', (t) => {
	const { of } = audience(
		account('viewer', 'viewer'),
		account('granted', 'viewer', { granted: ['alarms:ack'] }),
		account('self-registered', 'user', { granted: ['alarms:ack'] }),
		account('editor', 'editor'),
		account('inactive', 'manager', { isActive: false }),
		account('foreign', 'manager', { tenantId: ELSEWHERE }),
		account('superadmin', 'superadmin'),
		account('owner', 'user'),
		account('foreign-owner', 'user', { tenantId: ELSEWHERE }),
		account('former-owner', 'user', { isActive: false }),
	);
	const everybody = ['granted', 'editor', 'superadmin'];
	t.deepEqual(of(DEFAULT_TENANT, null), everybody);
	t.deepEqual(of(DEFAULT_TENANT, 'owner'), [...everybody, 'owner']);
	t.deepEqual(of(DEFAULT_TENANT, 'editor'), everybody);
	for (const owner of ['foreign-owner', 'former-owner', 'nobody']) t.deepEqual(of(DEFAULT_TENANT, owner), everybody);
	t.deepEqual(of(ELSEWHERE, null), ['foreign', 'superadmin']);
});

test('who lost the permission hears nothing a second later', (t) => {
	const { of, byId, clock } = audience(account('editor', 'editor'));
	t.deepEqual(of(DEFAULT_TENANT, null), ['editor']);
	byId.set('editor', account('editor', 'viewer'));
	clock.advance(1_001);
	t.deepEqual(of(DEFAULT_TENANT, null), []);
});
