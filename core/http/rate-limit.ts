import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { createTokenBuckets } from '../kernel/token-buckets.ts';

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
	const buckets = createTokenBuckets({ burst, perSecond: perMinute / 60 }, maxKeys, clock);
	return {
		take(key) {
			if (!buckets.take(key)) throw new RateLimitFault(Math.max(1, Math.ceil(buckets.waitMs(key) / 1_000)));
		},
	};
}
