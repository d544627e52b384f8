import { BLOCK_BYTES, readingBytes } from '../../core/journal/reading-bytes.ts';
import { frameLinkBlock } from '../../core/link/link-block.ts';
import { MAX_BLOCK_BYTES } from '../../core/link/link-messages.ts';
import type { Reading } from '../../core/telemetry/reading.ts';

export type EncodeBlock = (readings: readonly Reading[]) => Uint8Array;

export interface FramedBlock {
	readonly block: Uint8Array;
	readonly samples: number;
}

function framed(body: Uint8Array, readings: readonly Reading[]): FramedBlock {
	const samples = readings.reduce((sum, { values }) => sum + values.length, 0);
	return { block: frameLinkBlock(body, readings), samples };
}

/** Readings encoded in parts that the hub takes, in order, and which readings each part has. */
export function* encodedParts(
	readings: readonly Reading[],
	encode: EncodeBlock,
): Generator<{ readonly body: Uint8Array; readonly readings: readonly Reading[] }> {
	if (readings.length === 0) return;
	const rawBytes = readings.reduce((sum, reading) => sum + readingBytes(reading), 0);
	const body = rawBytes <= BLOCK_BYTES || readings.length === 1 ? encode(readings) : null;
	if (body !== null && (body.byteLength <= MAX_BLOCK_BYTES || readings.length === 1)) {
		yield { body, readings };
		return;
	}
	const half = Math.ceil(readings.length / 2);
	yield* encodedParts(readings.slice(0, half), encode);
	yield* encodedParts(readings.slice(half), encode);
}

/**
 * Readings of one epoch as blocks that the hub takes, in order: a few long texts must not make a packet for which it ends the connection, because
 * the same packet would come again.
 */
export function* blocksOf(readings: readonly Reading[], encode: EncodeBlock): Generator<FramedBlock> {
	for (const { body, readings: part } of encodedParts(readings, encode)) yield framed(body, part);
}

/** Runs of readings of one epoch each: a block names one. */
export function* oneEpochEach(readings: readonly Reading[]): Generator<readonly Reading[]> {
	let start = 0;
	for (const [index, { epoch }] of readings.entries()) {
		if (epoch === readings[start]?.epoch) continue;
		yield readings.slice(start, index);
		start = index;
	}
	if (start < readings.length) yield readings.slice(start);
}

/** Readings in pieces of about so many samples; one reading is never cut. */
export function* inPieces(readings: readonly Reading[], mostSamples: number): Generator<readonly Reading[]> {
	let start = 0;
	let samples = 0;
	for (const [index, { values }] of readings.entries()) {
		if (index > start && samples + values.length > mostSamples) {
			yield readings.slice(start, index);
			start = index;
			samples = 0;
		}
		samples += values.length;
	}
	if (start < readings.length) yield readings.slice(start);
}
