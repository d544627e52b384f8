import { refilled, type TokenBucket, type TokenRate } from '../kernel/token-bucket.ts';

/** Takes one event; false when there is none left. */
export type EventBudget = () => boolean;

export function createEventBudget(rate: TokenRate, monotonicMs: () => number): EventBudget {
	let bucket: TokenBucket = { tokens: rate.burst, atMs: monotonicMs() };
	return () => {
		bucket = refilled(rate, bucket, monotonicMs());
		if (bucket.tokens < 1) return false;
		bucket = { ...bucket, tokens: bucket.tokens - 1 };
		return true;
	};
}
