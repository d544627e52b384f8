import { createBlockDictionary } from '../journal/block-dictionary.ts';
import { BLOCK_BYTES, readingBytes } from '../journal/reading-bytes.ts';
import type { Reading } from '../telemetry/reading.ts';
import { hourOf } from './chunk-card.ts';
import { compareReadings } from './reading-order.ts';

/** A chunk of this size is made or decoded in some milliseconds, for which everybody else waits. */
const MAX_ROWS = 8_192;
export const MAX_SAMPLES = 65_536;

/** Readings of one device, hour and shape, oldest first and each once. */
export interface ChunkGroup {
	readonly hour: number;
	readonly readings: readonly Reading[];
}

interface Growing {
	readonly hour: number;
	readonly readings: Reading[];
	samples: number;
	bytes: number;
}

function isFull({ readings, samples, bytes }: Growing, next: Reading, nextBytes: number): boolean {
	const isBeyond = samples + next.values.length > MAX_SAMPLES || bytes + nextBytes > BLOCK_BYTES;
	return readings.length >= MAX_ROWS || (readings.length > 0 && isBeyond);
}

/** One device's readings, oldest first, as groups of which each becomes a chunk. */
export function* chunkGroups(readings: readonly Reading[]): Generator<ChunkGroup> {
	// Tells by the identity of their list of points, nearly always, which readings have one shape.
	const shapes = createBlockDictionary();
	const groups = new Map<number, Growing>();
	let hour = Number.NaN;
	let previous: Reading | null = null;
	for (const reading of readings) {
		if (previous !== null && compareReadings(previous, reading) === 0) continue;
		previous = reading;
		if (hourOf(reading.readAt) !== hour) {
			yield* groups.values();
			groups.clear();
			hour = hourOf(reading.readAt);
		}
		const id = shapes.idOf(reading);
		const bytes = readingBytes(reading);
		let group = groups.get(id);
		if (group !== undefined && isFull(group, reading, bytes)) {
			yield group;
			group = undefined;
		}
		if (group === undefined) groups.set(id, (group = { hour, readings: [], samples: 0, bytes: 0 }));
		group.readings.push(reading);
		group.samples += reading.values.length;
		group.bytes += bytes;
	}
	yield* groups.values();
}
