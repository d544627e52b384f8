import { join } from 'node:path';

import { createAccessTokens, ensureTokenKey } from '../identity/access-token.ts';
import { openAccountDirectory } from '../identity/account-directory.ts';
import { createAccountStore } from '../identity/account-store.ts';
import { openClaimCode } from '../identity/claim-code-store.ts';
import { createIdentity } from '../identity/identity.ts';
import type { Registration } from '../identity/identity-service.ts';
import { createPasswords } from '../identity/password.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import { openSettingsStore } from '../storage/settings-store.ts';

export interface IdentityPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly accessTokenMinutes: number;
	readonly refreshTokenDays: number;
	readonly registration: Registration;
	/** Made the first administrator when nobody is yet. */
	readonly administrator: { readonly email: string; readonly password: string } | null;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Accounts, tokens and the claim code: the same on gateway and hub. */
export async function openIdentity({
	data,
	accessTokenMinutes,
	refreshTokenDays,
	registration,
	administrator,
	lifecycle,
	clock,
	log,
}: IdentityPartDeps) {
	const settings = await openSettingsStore<{ tokenKey: string | null }>({
		path: join(data, 'settings.json'),
		defaults: { tokenKey: null },
		log,
	});
	await ensureSound(join(data, 'accounts'), log);
	const store = lifecycle.own('accounts', createAccountStore(join(data, 'accounts')));
	const accounts = await openAccountDirectory(store);
	const claimCode = await openClaimCode({ path: join(data, 'claim-code'), isClaimed: accounts.count() > 0, clock });
	const tokens = createAccessTokens({
		key: await ensureTokenKey(settings),
		lifetimeSeconds: accessTokenMinutes * 60,
		clock,
		accounts,
	});
	const identity = createIdentity({
		accounts,
		passwords: createPasswords(),
		tokens,
		claimCode,
		refreshTokenDays,
		registration,
		clock,
		log,
	});
	if (administrator !== null) await identity.entry.createFirstAdministrator({ ...administrator, fullName: '' });
	return { accounts, tokens, identity, claimCode };
}
