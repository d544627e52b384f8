import { valuesBytes } from '../journal/reading-bytes.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { SettleTime } from '../time/settle.ts';
import { compareReadings, firstOf, matches } from './reading-order.ts';
import type { HistoryQuery } from '../telemetry/history-repository.ts';
import type { Reading } from '../telemetry/reading.ts';

/** A reading without its values: two objects and their headers. */
const WORDS_PER_READING = 20;
const WORD_BYTES = 8;
const HOUR_MS = 3_600_000;

interface DeviceReadings {
	readonly readings: Reading[];
	isSorted: boolean;
}

/** Readings that no chunk holds yet, by the journal segment they are in. */
export interface HistoryWindow {
	add(segment: number, readings: readonly Reading[]): void;
	/** At most `limit` readings of a query, in its order. */
	select(query: HistoryQuery): readonly Reading[];
	/** First instants of the hours that a device has readings in. */
	hours(device: DeviceId): ReadonlySet<number>;
	/** A segment's readings by device, each oldest first; `null` when the window does not have the segment. */
	bySegment(segment: number): ReadonlyMap<DeviceId, readonly Reading[]> | null;
	release(segment: number): void;
	segments(): readonly number[];
	/** About how many 8-byte words a segment's readings take in memory. */
	words(segment: number): number;
}

/** Index of the first reading at or after an instant. */
function firstAt(readings: readonly Reading[], at: number): number {
	let low = 0;
	let high = readings.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((readings[middle]?.readAt ?? 0) < at) low = middle + 1;
		else high = middle;
	}
	return low;
}

function sorted(list: DeviceReadings): readonly Reading[] {
	if (!list.isSorted) list.readings.sort(compareReadings);
	list.isSorted = true;
	return list.readings;
}

function selectFrom(readings: readonly Reading[], query: HistoryQuery): readonly Reading[] {
	const selected: Reading[] = [];
	const isOldestFirst = query.order === 'oldest-first';
	const { from, to, after } = query;
	const start = isOldestFirst
		? firstAt(readings, Math.max(from, after?.readAt ?? from))
		: firstAt(readings, Math.min(to, (after?.readAt ?? to) + 1)) - 1;
	for (let index = start; selected.length < query.limit; index += isOldestFirst ? 1 : -1) {
		const reading = readings[index];
		if (reading === undefined || reading.readAt < from || reading.readAt >= to) break;
		if (matches(query, reading)) selected.push(reading);
	}
	return selected;
}

/** Each reading under the time that is known now; those of which it is not known keep theirs until then. */
function settledList(readings: readonly Reading[], settle: SettleTime): readonly Reading[] {
	let isMoved = false;
	const settled = readings.map((reading) => {
		const other = settle(reading) ?? reading;
		isMoved ||= other !== reading;
		return other;
	});
	return isMoved ? settled.toSorted(compareReadings) : readings;
}

/** @param settle applied to what is answered by `select`; `bySegment` answers readings as they came */
export function createHistoryWindow(settle: SettleTime | null = null): HistoryWindow {
	const segments = new Map<number, { readonly devices: Map<DeviceId, DeviceReadings>; words: number }>();

	return {
		add(number, readings) {
			let segment = segments.get(number);
			if (segment === undefined) segments.set(number, (segment = { devices: new Map(), words: 0 }));
			for (const reading of readings) {
				segment.words += WORDS_PER_READING + valuesBytes(reading.values) / WORD_BYTES;
				const list = segment.devices.get(reading.device);
				if (list === undefined) {
					segment.devices.set(reading.device, { readings: [reading], isSorted: true });
					continue;
				}
				const last = list.readings.at(-1);
				if (last !== undefined && compareReadings(last, reading) > 0) list.isSorted = false;
				list.readings.push(reading);
			}
		},
		select(query) {
			const found: Reading[] = [];
			for (const { devices } of segments.values()) {
				const list = devices.get(query.device);
				if (list === undefined) continue;
				const own = settle === null ? sorted(list) : settledList(sorted(list), settle);
				for (const reading of selectFrom(own, query)) found.push(reading);
			}
			return firstOf(found, query);
		},
		hours(device) {
			const hours = new Set<number>();
			for (const { devices } of segments.values()) {
				const list = devices.get(device);
				if (list === undefined) continue;
				const own = settle === null ? sorted(list) : settledList(sorted(list), settle);
				for (let at = own[0]?.readAt; at !== undefined;) {
					const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
					hours.add(hour);
					at = own[firstAt(own, hour + HOUR_MS)]?.readAt;
				}
			}
			return hours;
		},
		bySegment(number) {
			const segment = segments.get(number);
			if (segment === undefined) return null;
			return new Map([...segment.devices].map(([device, list]) => [device, sorted(list)]));
		},
		release: (number) => void segments.delete(number),
		segments: () => [...segments.keys()].toSorted((one, other) => one - other),
		words: (number) => segments.get(number)?.words ?? 0,
	};
}
