import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { AccessTokens } from './access-token.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { ClaimCode } from './claim-code.ts';
import { createIdentityService, type Registration } from './identity-service.ts';
import { createPasswordService } from './password-service.ts';
import type { Passwords } from './password.ts';
import { createSessionService } from './session-service.ts';
import { createUserService } from './user-service.ts';

export interface IdentityDeps {
	readonly accounts: AccountDirectory;
	readonly passwords: Passwords;
	readonly tokens: AccessTokens;
	readonly claimCode: ClaimCode;
	readonly refreshTokenDays: number;
	readonly registration: Registration;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Everything about people that a box offers: coming in, users, logins and passwords. */
export function createIdentity(deps: IdentityDeps) {
	const sessions = createSessionService(deps);
	const users = createUserService(deps);
	return {
		entry: createIdentityService({ ...deps, users, sessions }),
		users,
		sessions,
		passwordChanges: createPasswordService({ ...deps, users }),
	};
}

export type Identity = ReturnType<typeof createIdentity>;
