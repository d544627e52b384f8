import type { FileJournal } from '../../core/journal/file-journal.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { deviceId, gatewayId } from '../../core/kernel/id.ts';
import type { Quality, Reading, SampleValue } from '../../core/telemetry/reading.ts';

export const ORIGIN = gatewayId('00000000-0000-4000-8000-00000000000a');
export const START_MS = Date.UTC(2026, 0, 1);

/** The test device of a number. */
export const deviceOf = (number: number) => deviceId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);

const POINTS = Array.from({ length: 8 }, (_, index) => `point_${index}`);

/** A reading of 8 samples whose values can be told from its sequence number. */
export const readingOf = (firstSeq: number, more: Partial<Reading> = {}): Reading => ({
	device: deviceOf(1),
	readAt: epochMs(START_MS + firstSeq),
	telemetryType: 'default',
	points: POINTS,
	values: POINTS.map((_, index): SampleValue => Math.fround(Math.sin(firstSeq * 31 + index))),
	qualities: null,
	origin: ORIGIN,
	epoch: 1,
	firstSeq,
	...more,
});

/** Makes readings of values by their names; each has numbers of its own. */
export function createNamedReadings() {
	let firstSeq = 0;
	return (
		device: Reading['device'],
		readAt: number,
		values: Readonly<Record<string, SampleValue>>,
		quality: Quality = 'good',
	): Reading => {
		const points = Object.keys(values);
		firstSeq += 10;
		return readingOf(firstSeq, {
			device,
			readAt: epochMs(Math.round(readAt)),
			points,
			values: Object.values(values),
			qualities: quality === 'good' ? null : points.map(() => quality),
		});
	};
}

/** The sequence numbers of everything a journal has from a position on. */
export async function sequenceOf(journal: FileJournal, from = journal.oldest()): Promise<readonly number[]> {
	const found: number[] = [];
	for await (const { readings } of journal.read(from)) found.push(...readings.map((reading) => reading.firstSeq));
	return found;
}
