import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../core/kernel/clock.ts';
import { refilled, type TokenBucket, waitMs } from '../../core/kernel/token-bucket.ts';

/** Bytes of history per second, with a second of them in advance. */
export function createByteBudget({
	clock,
	bytesPerSecond,
}: {
	readonly clock: Clock;
	readonly bytesPerSecond: number;
}) {
	const rate = { burst: bytesPerSecond, perSecond: bytesPerSecond };
	let bucket: TokenBucket = { tokens: bytesPerSecond, atMs: clock.monotonicMs() };
	return {
		/** Resolves when so many bytes may go. */
		async spend(bytes: number, signal: AbortSignal): Promise<void> {
			const { tokens, atMs } = refilled(rate, bucket, clock.monotonicMs());
			bucket = { tokens: tokens - bytes, atMs };
			const pauseMs = waitMs(rate, bucket, 0);
			if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
		},
	};
}
