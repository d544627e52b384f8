import { encodeBlock } from '../journal/block-codec.ts';
import { BLOCK_BYTES, readingBytes } from '../journal/reading-bytes.ts';
import { type EpochMs, epochMs, toIso } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Reading } from './reading.ts';

const HOUR_MS = 3_600_000;
/** A chunk of this size is decoded in a few milliseconds; a query that wants ten readings does not pay for a whole hour. */
const MAX_SAMPLES_PER_CHUNK = 10_000;
const MAX_READINGS_PER_CHUNK = 5_000;
const LAST_MONTH_MS = Date.UTC(2099, 11, 31);

/** Sealed readings of one device, from within one hour and one journal segment. */
export interface ChunkDocument {
	readonly _id: string;
	/** Readings in it. */
	readonly n: number;
	/** A standalone block, base64. */
	readonly data: string;
}

/** What a chunk's id tells without loading it. */
export interface ChunkId {
	readonly id: string;
	readonly firstMs: number;
	readonly lastMs: number;
}

const padded = (ms: number): string => String(Math.max(0, ms)).padStart(16, '0');

export const hourStart = (ms: number): number => Math.max(0, Math.floor(ms / HOUR_MS) * HOUR_MS);

/** Every chunk that begins in `[from, to)` has an id between these two. */
export const chunkIdsBetween = (device: DeviceId, from: number, to: number) => ({
	lowest: `${device}!${padded(from)}`,
	highest: `${device}!${padded(to)}`,
});

export function parseChunkId(id: string): ChunkId | null {
	const [, first, last] = id.split('!');
	if (first === undefined || last === undefined) return null;
	return { id, firstMs: Number(first), lastMs: Number(last) };
}

/** `2026-11`, in UTC. Instants before 1970 and after 2099 count to the first and the last month. */
export const monthOf = (at: EpochMs): string => toIso(epochMs(Math.min(LAST_MONTH_MS, Math.max(0, at)))).slice(0, 7);

/** The instant after a month's end. */
export function monthEnd(month: string): EpochMs {
	const [year, number] = month.split('-').map(Number);
	return epochMs(Date.UTC(year ?? 1970, number ?? 1, 1));
}

/**
 * The id is made from the content, so that sealing the same readings again makes the same document: after a power cut
 * between chunks and mark, the second attempt conflicts with the first and changes nothing.
 */
function chunkOf(readings: readonly Reading[], first: Reading, last: Reading): ChunkDocument {
	const { device, origin, epoch, firstSeq } = first;
	return {
		_id: `${device}!${padded(first.readAt)}!${padded(last.readAt)}!${origin}!${epoch}!${firstSeq}!${readings.length}`,
		n: readings.length,
		data: encodeBlock(readings).toString('base64'),
	};
}

/** Chunks of one device's readings, which are oldest first. */
export function* chunksOf(
	readings: readonly Reading[],
): Generator<{ readonly month: string; readonly chunk: ChunkDocument }> {
	let start = 0;
	while (start < readings.length) {
		const first = readings[start];
		if (first === undefined) return;
		const hour = hourStart(first.readAt);
		let samples = 0;
		let bytes = 0;
		let end = start;
		let last = first;
		for (let next = readings[end]; next !== undefined; next = readings[end]) {
			samples += next.values.length;
			bytes += readingBytes(next);
			const isFull = samples > MAX_SAMPLES_PER_CHUNK || bytes > BLOCK_BYTES || end - start >= MAX_READINGS_PER_CHUNK;
			if (hourStart(next.readAt) !== hour || (isFull && end > start)) break;
			last = next;
			end += 1;
		}
		yield { month: monthOf(first.readAt), chunk: chunkOf(readings.slice(start, end), first, last) };
		start = end;
	}
}
