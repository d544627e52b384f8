import { type ReadonlySignal, signal } from '@preact/signals';

import { ApiError, request } from '../api.ts';
import type { Registration, SetupView, TokensView, WaitingView } from '../wire.ts';
import { later } from './later.ts';

/** `starting`: it is not known yet whether the appliance is claimed and a session can be resumed. */
export type SessionPhase = 'starting' | 'claim' | 'login' | 'in';

export interface ClaimForm {
	readonly claim_code: string;
	readonly email: string;
	readonly password: string;
	readonly full_name: string;
}

export interface RegisterForm {
	readonly email: string;
	readonly password: string;
	readonly full_name: string;
}

export interface Session {
	readonly phase: ReadonlySignal<SessionPhase>;
	/** Who may make an account; known once the server has answered. */
	readonly registration: ReadonlySignal<Registration>;
	readonly token: () => string | null;
	/** Counts the access tokens, so that whoever holds one hears of the next. */
	readonly tokens: ReadonlySignal<number>;
	/** Aborted while nobody is logged in. */
	readonly left: () => AbortSignal;
	/** Finds out where to begin; tries again until the server answers. */
	readonly start: () => Promise<void>;
	/** New access token by the http-only cookie. `false`: logged out. Throws when the server is not reached. */
	readonly renew: () => Promise<boolean>;
	readonly login: (email: string, password: string) => Promise<void>;
	readonly claim: (form: ClaimForm) => Promise<void>;
	/** Makes an account and logs in; `false`: an administrator has to approve it first. */
	readonly register: (form: RegisterForm) => Promise<boolean>;
	readonly logout: () => Promise<void>;
}

export interface SessionDeps {
	/** Told each time the server did not answer at the start. */
	readonly unreachable: () => void;
}

const RETRY_MS = 2_000;
/** Renewed at this share of its life, so that a request rarely meets an expired token. */
const RENEW_AT = 0.8;
/** Browsers cannot wait longer in one timer. */
const LONGEST_TIMER_S = 2_000_000;

/** A refresh token works once. Two tabs that renew at the same time would look like theft, so they take turns where the browser can. */
async function inTurn<T>(task: () => Promise<T>): Promise<T> {
	// Absent on plain http, except on localhost.
	const locks: LockManager | undefined = navigator.locks;
	return locks === undefined ? task() : locks.request('drawbridge-renew', task);
}

/** The access token lives in this closure only: no script of a later page load, and no storage, can hand it out. */
export function createSession({ unreachable }: SessionDeps): Session {
	const phase = signal<SessionPhase>('starting');
	const registration = signal<Registration>('closed');
	const tokensSeen = signal(0);
	let leaving = new AbortController();
	let token: string | null = null;
	let renewal: Promise<boolean> | null = null;
	let timer: ReturnType<typeof setTimeout> | undefined;

	function enter(tokens: TokensView): void {
		token = tokens.access_token;
		if (leaving.signal.aborted) leaving = new AbortController();
		phase.value = 'in';
		tokensSeen.value += 1;
		clearTimeout(timer);
		const waitS = Math.min(tokens.expires_in * RENEW_AT, LONGEST_TIMER_S);
		timer = setTimeout(() => void renew().catch(() => undefined), waitS * 1_000);
	}

	function leave(): void {
		token = null;
		leaving.abort();
		clearTimeout(timer);
		phase.value = 'login';
	}

	async function exchange(): Promise<boolean> {
		try {
			enter(await request<TokensView>('/api/v1/auth/refresh', { method: 'POST' }));
			return true;
		} catch (error) {
			if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) throw error;
			leave();
			return false;
		}
	}

	function renew(): Promise<boolean> {
		renewal ??= inTurn(exchange).finally(() => {
			renewal = null;
		});
		return renewal;
	}

	/** @returns ms until the next try; `null` when it is known where to begin */
	async function begin(): Promise<number | null> {
		try {
			const setup = await request<SetupView>('/api/v1/setup');
			registration.value = setup.registration;
			if (setup.claimed) await renew();
			else phase.value = 'claim';
			return null;
		} catch (error) {
			return error instanceof ApiError && error.retryAfterS !== null ? error.retryAfterS * 1_000 : RETRY_MS;
		}
	}

	return {
		phase,
		registration,
		token: () => token,
		tokens: tokensSeen,
		left: () => leaving.signal,
		async start() {
			for (let waitMs = await begin(); waitMs !== null; waitMs = await begin()) {
				unreachable();
				await later(waitMs);
			}
		},
		renew,
		async login(email, password) {
			enter(await request<TokensView>('/api/v1/auth/login', { method: 'POST', body: { email, password } }));
		},
		async claim(form) {
			enter(await request<TokensView>('/api/v1/setup/claim', { method: 'POST', body: form }));
		},
		async register(form) {
			const answer = await request<TokensView | WaitingView>('/api/v1/auth/register', { method: 'POST', body: form });
			if ('status' in answer) return false;
			enter(answer);
			return true;
		},
		async logout() {
			const last = token;
			leave();
			// Logged out here in any case; an unreachable server lets the refresh token expire.
			await request('/api/v1/auth/logout', { method: 'POST', token: last }).catch(() => undefined);
		},
	};
}
