import type { HistoryQuery } from '../telemetry/history-repository.ts';
import type { Reading } from '../telemetry/reading.ts';

type Cursor = NonNullable<HistoryQuery['after']>;

/** Oldest first; ties of `readAt` by (origin, epoch, firstSeq). Zero only for the same reading. */
export function compareReadings(one: Cursor, other: Cursor): number {
	if (one.readAt !== other.readAt) return one.readAt - other.readAt;
	if (one.origin !== other.origin) return one.origin < other.origin ? -1 : 1;
	if (one.epoch !== other.epoch) return one.epoch - other.epoch;
	return one.firstSeq - other.firstSeq;
}

/** Whether a query wants the reading, its limit aside. */
export function matches({ device, from, to, order, after }: HistoryQuery, reading: Reading): boolean {
	if (reading.device !== device || reading.readAt < from || reading.readAt >= to) return false;
	if (after === undefined) return true;
	const distance = compareReadings(reading, after);
	return order === 'oldest-first' ? distance > 0 : distance < 0;
}

/** The first `limit` of the readings in the order of the query, each once. */
export function firstOf(readings: readonly Reading[], { order, limit }: HistoryQuery): Reading[] {
	const sign = order === 'oldest-first' ? 1 : -1;
	const sorted = readings.toSorted((one, other) => sign * compareReadings(one, other));
	const first: Reading[] = [];
	for (const reading of sorted) {
		const previous = first.at(-1);
		if (previous !== undefined && compareReadings(previous, reading) === 0) continue;
		if (first.length === limit) break;
		first.push(reading);
	}
	return first;
}
