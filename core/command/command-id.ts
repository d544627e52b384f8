import { randomBytes } from 'node:crypto';

import type { Clock } from '../kernel/clock.ts';

/** Ids of one millisecond, until the next one is borrowed: twelve bits. */
const LAST_IN_MS = 0xfff;

/**
 * Makes UUIDs of version 7 (RFC 9562, 5.7) that sort in the order in which they were made, also within a millisecond (6.2, method 1)
 * and when the wall clock goes back while the process lives.
 */
export function createCommandIds(clock: Pick<Clock, 'now'>): () => string {
	let lastMs = 0;
	let counter = 0;
	return () => {
		const nowMs = clock.now();
		counter = nowMs > lastMs ? 0 : counter + 1;
		lastMs = Math.max(lastMs, nowMs);
		if (counter > LAST_IN_MS) {
			lastMs += 1;
			counter = 0;
		}
		const bytes = randomBytes(16);
		bytes.writeUIntBE(lastMs, 0, 6);
		bytes.writeUInt16BE(0x7000 | counter, 6);
		bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
		const hex = bytes.toString('hex');
		return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
	};
}
