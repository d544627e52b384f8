import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { DEFAULT_TENANT } from '../kernel/id.ts';
import { createGate } from '../kernel/gate.ts';
import type { Logger } from '../kernel/log.ts';
import { type Account, loggedOut, normalEmail } from './account.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { ClaimCode } from './claim-code.ts';
import type { Passwords } from './password.ts';
import { type Client, UNKNOWN_CLIENT } from './session.ts';
import type { Grant, SessionService } from './session-service.ts';
import { newAccount, ownTexts, type UserService } from './user-service.ts';
import { freeUsername } from './user-rules.ts';

export interface NewAdministrator {
	readonly email: string;
	readonly password: string;
	readonly fullName: string;
}

/** Who may make an account for itself (decision D2): anybody, anybody after an administrator agrees, or nobody. */
export type Registration = 'open' | 'approval' | 'closed';

export interface NewRegistration {
	readonly email: string;
	readonly password: string;
	readonly username?: string;
	readonly fullName: string;
}

export interface Registered {
	readonly account: Account;
	/** `null`: the account waits for an administrator who activates it. */
	readonly grant: Grant | null;
}

export interface IdentityServiceDeps {
	readonly accounts: AccountDirectory;
	readonly passwords: Passwords;
	readonly users: Pick<UserService, 'add'>;
	readonly sessions: Pick<SessionService, 'start'>;
	readonly claimCode: ClaimCode;
	readonly registration: Registration;
	readonly clock: Clock;
	readonly log: Logger;
}

const wrongLogin = (): Fault => new Fault('bad-credentials', 'the email or the password is wrong');

/** Who may come in: the first administrator, logins and registrations. */
export function createIdentityService(deps: IdentityServiceDeps) {
	const { accounts, passwords, users, sessions, claimCode, registration, clock, log } = deps;
	const claims = createGate({ what: 'claims', parallel: 1, waiting: 8 });

	const isClaimed = (): boolean => accounts.count() > 0;

	async function addAdministrator(draft: NewAdministrator, passwordHash: string): Promise<Account> {
		const username = freeUsername(normalEmail(draft.email), (name) => accounts.byUsername(name) !== undefined);
		const facts = { ...draft, role: 'superadmin', tenantId: DEFAULT_TENANT } as const;
		const account = { ...newAccount(facts, username, clock), isVerified: true, passwordHash };
		await accounts.add(account);
		return account;
	}

	/** Whoever has the shell has the box: the account becomes a superadmin with this password, and every earlier login of it ends. */
	const resetTo = (id: string, passwordHash: string): Promise<Account> =>
		accounts.change(id, (current) => ({
			...loggedOut(current),
			role: 'superadmin',
			isActive: true,
			mustChangePassword: false,
			knownNetworks: [],
			passwordHash,
		}));

	async function createAdministrator(draft: NewAdministrator): Promise<Account> {
		const passwordHash = await passwords.hash(draft.password, { owner: ownTexts(draft) });
		const known = accounts.byEmail(draft.email);
		const account =
			known === undefined ? await addAdministrator(draft, passwordHash) : await resetTo(known.id, passwordHash);
		await claimCode.consume();
		log.info('administrator-created', { userId: account.id });
		return account;
	}

	/**
	 * Makes the first administrator and logs in; with a code of the shell a further one, or resets the account of this email to one.
	 * @throws Fault `state-conflict` once there is one and nobody has made a code at the shell, `bad-credentials` for a wrong code,
	 * `rule-violation` for a poor password.
	 */
	function claim(code: string, draft: NewAdministrator, client: Client = UNKNOWN_CLIENT): Promise<Grant> {
		return claims.run(async () => {
			const isReset = await claimCode.matchesReset(code);
			if (isClaimed() && isReset === null)
				throw new Fault('state-conflict', 'this box is already claimed; log in instead');
			if (isReset !== true && (isClaimed() || !claimCode.matches(code)))
				throw new Fault('bad-credentials', 'the claim code is wrong', { field: 'claim_code' });
			const account = await createAdministrator(draft);
			return sessions.start(account.id, client, wrongLogin);
		});
	}

	/** For unattended set-ups: does nothing, and answers false, once there is an account. @throws Fault `rule-violation` */
	function createFirstAdministrator(draft: NewAdministrator): Promise<boolean> {
		return claims.run(async () => {
			if (isClaimed()) return false;
			await createAdministrator(draft);
			return true;
		});
	}

	/** @throws Fault `bad-credentials`: one answer, after the same time, for an unknown email, a wrong password and an inactive account. */
	async function login(email: string, password: string, client: Client = UNKNOWN_CLIENT): Promise<Grant> {
		const account = accounts.byEmail(email);
		const isRight = await passwords.verify(account?.passwordHash ?? null, password);
		if (account === undefined || !isRight || !account.isActive) {
			log.warn('login-refused', { userId: account?.id, address: client.address });
			throw wrongLogin();
		}
		const given = await sessions.start(account.id, client, wrongLogin);
		log.info('logged-in', { userId: account.id });
		return given;
	}

	/** True for a network from which this account has logged in; an unknown email has none. */
	const isKnownNetwork = (email: string, network: string): boolean =>
		accounts.byEmail(email)?.knownNetworks.includes(network) ?? false;

	/**
	 * Makes an account of the lowest level for whoever asks, and logs in; with `approval` it waits for its activation instead.
	 * @throws Fault `forbidden` where nobody may, `duplicate`, `rule-violation` for a poor password
	 */
	async function register(draft: NewRegistration, client: Client = UNKNOWN_CLIENT): Promise<Registered> {
		// The first account is the administrator's, who has the claim code.
		if (!isClaimed()) throw new Fault('forbidden', 'this box is not claimed yet, so nobody can register');
		if (registration === 'closed')
			throw new Fault('forbidden', 'registration is closed; an administrator can make an account');
		const isActive = registration === 'open';
		const account = await users.add({ ...draft, role: 'user', tenantId: DEFAULT_TENANT, isActive });
		log.info('registered', { userId: account.id, isActive });
		return { account, grant: isActive ? await sessions.start(account.id, client, wrongLogin) : null };
	}

	return {
		isClaimed,
		registration: () => registration,
		claim,
		createFirstAdministrator,
		login,
		isKnownNetwork,
		register,
	};
}
