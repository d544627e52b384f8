import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../core/kernel/clock.ts';

/** Bytes of history per second, with a second of them in advance. */
export function createByteBudget({
	clock,
	bytesPerSecond,
}: {
	readonly clock: Clock;
	readonly bytesPerSecond: number;
}) {
	let left = bytesPerSecond;
	let atMs = clock.monotonicMs();
	return {
		/** Resolves when so many bytes may go. */
		async spend(bytes: number, signal: AbortSignal): Promise<void> {
			const now = clock.monotonicMs();
			left = Math.min(bytesPerSecond, left + ((now - atMs) / 1_000) * bytesPerSecond) - bytes;
			atMs = now;
			if (left < 0) await sleep((-left / bytesPerSecond) * 1_000, undefined, { signal });
		},
	};
}
