import type { Clock } from './clock.ts';
import { refilled, type TokenBucket, type TokenRate, waitMs } from './token-bucket.ts';

/** One bucket of tokens for each key; the number of keys is bounded, and the key that was quiet longest is forgotten first. */
export interface TokenBuckets {
	/** Takes a token; `false`: there is none. */
	take(key: string): boolean;
	/** A token could be taken. */
	has(key: string): boolean;
	/** Until a token can be taken, in milliseconds; 0: at once. */
	waitMs(key: string): number;
	readonly size: number;
}

export function createTokenBuckets(rate: TokenRate, maxKeys: number, clock: Clock): TokenBuckets {
	/** In the order of use. */
	const buckets = new Map<string, TokenBucket>();

	function bucketOf(key: string): TokenBucket {
		const nowMs = clock.monotonicMs();
		return refilled(rate, buckets.get(key) ?? { tokens: rate.burst, atMs: nowMs }, nowMs);
	}

	function forgetQuietest(): void {
		const quietest = buckets.keys().next();
		if (quietest.done !== true) buckets.delete(quietest.value);
	}

	return {
		take(key) {
			const { tokens, atMs } = bucketOf(key);
			const isTaken = tokens >= 1;
			buckets.delete(key);
			buckets.set(key, { tokens: isTaken ? tokens - 1 : tokens, atMs });
			if (buckets.size > maxKeys) forgetQuietest();
			return isTaken;
		},
		has: (key) => bucketOf(key).tokens >= 1,
		waitMs: (key) => waitMs(rate, bucketOf(key), 1),
		get size() {
			return buckets.size;
		},
	};
}
