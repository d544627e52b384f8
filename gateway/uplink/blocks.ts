import { BLOCK_BYTES, readingBytes } from '../../core/journal/reading-bytes.ts';
import { MAX_BLOCK_BYTES } from '../../core/link/link-messages.ts';
import type { Reading } from '../../core/telemetry/reading.ts';

export type EncodeBlock = (readings: readonly Reading[]) => Uint8Array;

/**
 * Readings as blocks that the hub takes, in order: a few long texts must not make a packet for which it ends the connection, because
 * the same packet would come again.
 */
export function* blocksOf(readings: readonly Reading[], encode: EncodeBlock): Generator<Uint8Array> {
	const rawBytes = readings.reduce((sum, reading) => sum + readingBytes(reading), 0);
	const block = rawBytes <= BLOCK_BYTES || readings.length === 1 ? encode(readings) : null;
	if (block !== null && (block.byteLength <= MAX_BLOCK_BYTES || readings.length === 1)) {
		yield block;
		return;
	}
	const half = Math.ceil(readings.length / 2);
	yield* blocksOf(readings.slice(0, half), encode);
	yield* blocksOf(readings.slice(half), encode);
}
