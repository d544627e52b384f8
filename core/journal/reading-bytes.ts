import type { Reading } from '../telemetry/reading.ts';

/** Readings of more bytes than this go into several blocks; a quarter of what a reader takes. */
export const BLOCK_BYTES = 4 * 1024 * 1024;

/** A number with its share of the columns. */
const PLAIN_BYTES = 9;
/** Instant, shape, sequence number. */
const HEAD_BYTES = 64;

function structureBytes(value: object): number {
	let bytes = PLAIN_BYTES;
	const entries: readonly [string, unknown][] = Object.entries(value);
	for (const [key, item] of entries) bytes += key.length + valueBytes(item);
	return bytes;
}

function valueBytes(value: unknown): number {
	if (typeof value === 'number') return PLAIN_BYTES;
	if (typeof value === 'string') return PLAIN_BYTES + value.length;
	return typeof value === 'object' && value !== null ? structureBytes(value) : PLAIN_BYTES;
}

/** HOT: about how many bytes values take, in memory or in a block before compression; text beyond ASCII up to three times more. */
export function valuesBytes(values: Reading['values']): number {
	let bytes = 0;
	for (const value of values) bytes += valueBytes(value);
	return bytes;
}

/**
 * HOT: about how many bytes a reading takes in a block before compression, its point names included. Told from lengths alone, so text
 * beyond ASCII counts up to three times too little; limits made with it keep that distance.
 */
export function readingBytes({ points, values }: Reading): number {
	let bytes = HEAD_BYTES + valuesBytes(values);
	for (const point of points) bytes += point.length + 1;
	return bytes;
}
