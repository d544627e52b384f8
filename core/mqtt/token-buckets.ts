import type { Clock } from '../kernel/clock.ts';

/** How often something may happen: `burst` at once, then `perSecond`. */
export interface RateLimit {
	readonly burst: number;
	readonly perSecond: number;
}

/** One bucket of tokens for each key; the number of keys is bounded, and the key that was quiet longest is forgotten first. */
export interface TokenBuckets {
	/** Takes a token; `false`: there is none. */
	take(key: string): boolean;
	/** A token could be taken. */
	has(key: string): boolean;
	readonly size: number;
}

export function createTokenBuckets({ burst, perSecond }: RateLimit, maxKeys: number, clock: Clock): TokenBuckets {
	/** In the order of use. */
	const buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();

	function tokensOf(key: string): number {
		const bucket = buckets.get(key);
		if (bucket === undefined) return burst;
		return Math.min(burst, bucket.tokens + ((clock.monotonicMs() - bucket.atMs) / 1_000) * perSecond);
	}

	return {
		take(key) {
			const tokens = tokensOf(key);
			const isTaken = tokens >= 1;
			buckets.delete(key);
			buckets.set(key, { tokens: isTaken ? tokens - 1 : tokens, atMs: clock.monotonicMs() });
			if (buckets.size > maxKeys) for (const quietest of buckets.keys()) return buckets.delete(quietest) && isTaken;
			return isTaken;
		},
		has: (key) => tokensOf(key) >= 1,
		get size() {
			return buckets.size;
		},
	};
}
