import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Server, ServerInjectOptions } from '@hapi/hapi';
import type { ExecutionContext } from 'ava';

import { createHttpServer, part } from '../../core/http/server.ts';
import { createAccessTokens, ensureTokenKey } from '../../core/identity/access-token.ts';
import type { Account } from '../../core/identity/account.ts';
import { type AccountDirectory, openAccountDirectory } from '../../core/identity/account-directory.ts';
import type { AccountRepository } from '../../core/identity/account-repository.ts';
import { openClaimCode } from '../../core/identity/claim-code-store.ts';
import { identityRoutes } from '../../core/identity/identity-routes.ts';
import { createIdentity, type Identity } from '../../core/identity/identity.ts';
import type { Registration } from '../../core/identity/identity-service.ts';
import { createPasswords } from '../../core/identity/password.ts';
import type { Role } from '../../core/identity/role.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';
import { createLogger } from '../../core/system/pino-logger.ts';
import { createManualClock, type ManualClock } from '../fake/manual-clock.ts';

/** An id that no account has. */
export const NOBODY = 'aa000000-0000-4000-8000-00000000dead';
export const EMAIL = 'ada@example.com';
export const PASSWORD = 'correct horse battery';
export const DAY_MS = 86_400_000;

export interface Box {
	readonly folder: string;
	readonly clock: ManualClock;
	readonly code: string;
	readonly accounts: AccountDirectory;
	readonly identity: Identity;
	readonly server: Server;
	/** All log output so far. */
	readonly logged: () => string;
	/** Sends JSON below /api/v1 and reads the answer. */
	readonly call: (request: Call) => Promise<Answer>;
}

export interface Call {
	readonly method?: string;
	readonly path: string;
	readonly body?: object;
	readonly token?: string;
	readonly cookie?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly from?: string;
}

export interface Answer {
	readonly status: number;
	/** An object, or an array as its entries by index. */
	readonly body: Readonly<Record<string, unknown>>;
	readonly headers: Readonly<Record<string, unknown>>;
}

export function memoryAccounts(): AccountRepository {
	const kept = new Map<string, Account>();
	return {
		all: async () => [...kept.values()],
		save: async (account) => void kept.set(account.id, account),
		forget: async (id) => void kept.delete(id),
	};
}

export function bodyOf(payload: string): Readonly<Record<string, unknown>> {
	const parsed: unknown = payload === '' ? {} : JSON.parse(payload);
	return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

export async function box(
	t: ExecutionContext,
	attemptsPerMinute = 1_000,
	registration: Registration = 'open',
): Promise<Box> {
	const folder = await mkdtemp(join(tmpdir(), 'identity-'));
	const clock = createManualClock();
	const lines: string[] = [];
	const log = createLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
	const settings = await openSettingsStore<{ tokenKey: string | null }>({
		path: join(folder, 'settings.json'),
		defaults: { tokenKey: null },
		log,
	});
	const accounts = await openAccountDirectory(memoryAccounts());
	const claimCode = await openClaimCode({ path: join(folder, 'claim-code'), isClaimed: false });
	const tokens = createAccessTokens({ key: await ensureTokenKey(settings), lifetimeSeconds: 1_800, clock, accounts });
	const passwords = createPasswords();
	const identity = createIdentity({
		accounts,
		passwords,
		tokens,
		claimCode,
		refreshTokenDays: 30,
		registration,
		clock,
		log,
	});
	const options = {
		identity,
		clock,
		role: 'gateway',
		version: '1.2.3',
		secureCookies: true,
		attemptsPerMinute,
	} as const;
	const server = await createHttpServer({
		log,
		tokens,
		web: null,
		parts: [part(identityRoutes, options, '/api/v1')],
	});
	t.teardown(async () => {
		await server.stop();
		await rm(folder, { recursive: true });
	});
	return {
		folder,
		clock,
		code: claimCode.current() ?? '',
		accounts,
		identity,
		server,
		logged: () => lines.join(''),
		async call({ method = 'POST', path, body, token, cookie, headers = {}, from = '192.0.2.1' }) {
			const request: ServerInjectOptions = {
				method,
				url: `/api/v1${path}`,
				remoteAddress: from,
				headers: {
					...headers,
					...(token !== undefined && { authorization: `Bearer ${token}` }),
					...(cookie !== undefined && { cookie: `refresh_token=${cookie}` }),
				},
				...(body !== undefined && { payload: body }),
			};
			const answer = await server.inject(request);
			return { status: answer.statusCode, body: bodyOf(answer.payload), headers: answer.headers };
		},
	};
}

export const claimBody = (code: string) => ({ claim_code: code, email: EMAIL, password: PASSWORD, full_name: 'Ada' });

export const textOf = ({ body }: Answer, name: string): string => String(body[name]);

export async function claimed(
	t: ExecutionContext,
	attemptsPerMinute?: number,
	registration?: Registration,
): Promise<Box & { readonly first: Answer }> {
	const one = await box(t, attemptsPerMinute, registration);
	const first = await one.call({ path: '/setup/claim', body: claimBody(one.code) });
	t.is(first.status, 201);
	return { ...one, first };
}

export const loginBody = { email: EMAIL, password: PASSWORD };

/** Somebody who is logged in. */
export interface Person {
	readonly id: string;
	readonly email: string;
	readonly token: string;
	readonly refreshToken: string;
}

export async function logIn({ call }: Pick<Box, 'call'>, email: string, password = PASSWORD): Promise<Person> {
	const answer = await call({ path: '/auth/login', body: { email, password } });
	if (answer.status !== 200) throw new Error(`${email} cannot log in: ${answer.status}`);
	const token = textOf(answer, 'access_token');
	const me = await call({ method: 'GET', path: '/users/me', token });
	return { id: textOf(me, 'id'), email, token, refreshToken: textOf(answer, 'refresh_token') };
}

/** A claimed box with somebody of each level; the superadmin is the one who claimed it. */
export async function peopled(t: ExecutionContext) {
	const one = await claimed(t);
	const superadmin = await logIn(one, EMAIL);
	const make = async (role: Role, more: object = {}): Promise<Person> => {
		const email = `${role}-${randomUUID()}@example.com`;
		const body = { email, password: PASSWORD, role, ...more };
		const made = await one.call({ path: '/users', token: superadmin.token, body });
		if (made.status !== 201) throw new Error(`cannot make ${role}: ${JSON.stringify(made.body)}`);
		return logIn(one, email);
	};
	return { ...one, superadmin, make };
}

/** Status and `error_code`. */
export const refusalOf = ({ status, body }: Answer) => [status, body['error_code']];
