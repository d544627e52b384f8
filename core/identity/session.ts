import type { EpochMs } from '../kernel/clock.ts';

export interface RecentToken {
	readonly secretHash: string;
	readonly issuedAt: EpochMs;
	/** `null`: not used yet. */
	readonly replacedAt: EpochMs | null;
}

/** One line of refresh tokens: begins with a login, and is replaced at each refresh (decision D4). Access tokens name theirs. */
export interface Session {
	/** 22 symbols, base64url. */
	readonly id: string;
	/** SHA-256 of the refresh token that was given last, base64url. */
	readonly secretHash: string;
	/** Tokens before it that were given or replaced a moment ago, oldest first; only where several tabs share one (a cookie). */
	readonly recent?: readonly RecentToken[];
	readonly createdAt: EpochMs;
	/** Of the login or of the newest refresh; single requests are not written down. */
	readonly lastUsedAt: EpochMs;
	readonly expiresAt: EpochMs;
	/** Of the newest login or refresh; '' when unknown. */
	readonly address: string;
	/** What the browser says it is, at most `MAX_USER_AGENT` characters; '' when unknown. */
	readonly userAgent: string;
}

/** Where a login or a refresh comes from. */
export interface Client {
	readonly address: string;
	/** What the address is counted and remembered as: itself, or its IPv6 /64. */
	readonly network: string;
	readonly userAgent: string;
}

export const UNKNOWN_CLIENT: Client = { address: '', network: '', userAgent: '' };

const MAX_USER_AGENT = 120;

/** The header is anybody's text: cut, and without characters that a terminal or a page might obey. */
export const shortUserAgent = (header: unknown): string =>
	typeof header === 'string' ? header.replaceAll(/\p{C}/gu, '').slice(0, MAX_USER_AGENT) : '';
