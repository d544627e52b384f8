import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';

/** Refusal by a limiter; `Retry-After` carries its seconds. */
export class RateLimitFault extends Fault {
	/** Whole seconds until the next try has a chance, 1 or more. */
	readonly retryAfterSeconds: number;

	constructor(retryAfterSeconds: number) {
		super('rate-limited', `too many requests; try again in ${retryAfterSeconds} s`);
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

export interface RateLimiter {
	/** Takes one token from the bucket of the key. @throws RateLimitFault when it is empty. */
	take(key: string): void;
}

interface Bucket {
	tokens: number;
	atMs: number;
}

/** Most keys remembered; beyond it the one that asked least recently is forgotten. */
const MAX_KEYS = 10_000;

/** Token buckets: `burst` requests at once (`perMinute` unless told), then one each 60 / `perMinute` seconds. */
export function createRateLimiter({
	clock,
	perMinute,
	burst = perMinute,
	maxKeys = MAX_KEYS,
}: {
	readonly clock: Clock;
	readonly perMinute: number;
	readonly burst?: number;
	readonly maxKeys?: number;
}): RateLimiter {
	const buckets = new Map<string, Bucket>();
	const perMs = perMinute / 60_000;

	function bucketOf(key: string): Bucket {
		const nowMs = clock.monotonicMs();
		const known = buckets.get(key);
		// Put in again, so that the map stays in the order of use.
		buckets.delete(key);
		const oldest = buckets.keys().next();
		if (buckets.size >= maxKeys && oldest.done !== true) buckets.delete(oldest.value);
		const bucket =
			known === undefined
				? { tokens: burst, atMs: nowMs }
				: { tokens: Math.min(burst, known.tokens + (nowMs - known.atMs) * perMs), atMs: nowMs };
		buckets.set(key, bucket);
		return bucket;
	}

	return {
		take(key) {
			const bucket = bucketOf(key);
			if (bucket.tokens < 1) throw new RateLimitFault(Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1_000)));
			bucket.tokens -= 1;
		},
	};
}
