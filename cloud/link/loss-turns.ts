import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { createTokenBuckets } from '../../core/kernel/token-buckets.ts';

/** Messages with losses of one gateway. One that means well gathers them for a fifth of a second and sends thousands in one. */
const LOSS_RATE = { burst: 20, perSecond: 5 };
/** Gateways whose rate is remembered. */
const MOST_GATEWAYS = 5_000;
/** How long a message waits that came too early; its connection waits with it. */
const WAIT_MS = 200;

/** Holds a gateway that declares losses without end: each message costs the hub a write to the disk. */
export function createLossTurns(clock: Clock): { wait(gateway: GatewayId): Promise<void> } {
	const buckets = createTokenBuckets(LOSS_RATE, MOST_GATEWAYS, clock);
	return {
		async wait(gateway) {
			while (!buckets.take(gateway)) await sleep(WAIT_MS);
		},
	};
}
