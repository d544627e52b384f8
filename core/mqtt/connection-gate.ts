import type { Socket } from 'node:net';

import type { Clock } from '../kernel/clock.ts';
import { networkKey } from '../kernel/network-key.ts';
import type { TokenRate } from '../kernel/token-bucket.ts';
import { createTokenBuckets } from '../kernel/token-buckets.ts';

export interface GateLimits {
	/** Connections at once, also those that have not yet authenticated or not yet finished TLS. */
	readonly connections: number;
	readonly connectionsPerAddress: number;
	/** New connections of one address. */
	readonly connectRate: TokenRate;
	/** Refused logins of one address; when they are used up the address is refused unheard until there is one again. */
	readonly failedLogins: TokenRate;
}

export type GateRefusal = 'connections-full' | 'address-full' | 'address-too-fast' | 'address-failed-too-often';

/**
 * Who may open a connection at all, decided before anything is read. All counts are kept for each address, so that a flood from one of
 * them uses up its own share and nobody else's.
 */
export interface ConnectionGate {
	/** Counts the connection until it closes; a refusal counts nothing. */
	enter(socket: Socket): GateRefusal | null;
	failed(address: string): void;
	readonly size: number;
}

/** Addresses whose rates are remembered. */
const REMEMBERED = 4_096;

export function createConnectionGate(limits: GateLimits, clock: Clock): ConnectionGate {
	const open = new Map<string, number>();
	const connects = createTokenBuckets(limits.connectRate, REMEMBERED, clock);
	const failures = createTokenBuckets(limits.failedLogins, REMEMBERED, clock);
	let total = 0;

	function refusalOf(key: string): GateRefusal | null {
		if (total >= limits.connections) return 'connections-full';
		if ((open.get(key) ?? 0) >= limits.connectionsPerAddress) return 'address-full';
		if (!failures.has(key)) return 'address-failed-too-often';
		return connects.take(key) ? null : 'address-too-fast';
	}

	function leave(key: string): void {
		const left = (open.get(key) ?? 1) - 1;
		total -= 1;
		if (left === 0) open.delete(key);
		else open.set(key, left);
	}

	return {
		enter(socket) {
			const key = networkKey(socket.remoteAddress ?? '');
			const refusal = refusalOf(key);
			if (refusal !== null) return refusal;
			total += 1;
			open.set(key, (open.get(key) ?? 0) + 1);
			socket.once('close', () => leave(key));
			return null;
		},
		failed: (address) => void failures.take(networkKey(address)),
		get size() {
			return total;
		},
	};
}
