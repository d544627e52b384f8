import { randomBytes } from 'node:crypto';

import type { Clock } from '../kernel/clock.ts';

/** Ids of one millisecond, until the next one is borrowed: twelve bits. */
const LAST_IN_MS = 0xfff;

/**
 * Makes UUIDs of version 7 (RFC 9562, 5.7) that sort in the order in which they were made, also within a millisecond (6.2, method 1)
 * and when the wall clock goes back.
 * @param last the last id that an earlier life of the process has made; `null`: none
 */
export function createCommandIds(clock: Pick<Clock, 'now'>, last: string | null = null): () => string {
	let lastMs = last === null ? 0 : Number.parseInt(last.replace('-', '').slice(0, 12), 16);
	let counter = last === null ? 0 : LAST_IN_MS;
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
