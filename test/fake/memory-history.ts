import { epochMs } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { DeviceHour, HourWatcher } from '../../core/history/device-hour.ts';
import type { HistoryQuery, HistoryRepository } from '../../core/telemetry/history-repository.ts';
import { EVENT_TYPES, QUALITIES, type Reading } from '../../core/telemetry/reading.ts';

const HOUR_MS = 3_600_000;

/** A history in memory that tells its watchers as the real one does. */
export interface MemoryHistory extends HistoryRepository {
	readonly readings: readonly Reading[];
	/** Accepted, in no chunk yet. */
	accept(readings: readonly Reading[]): void;
	/** Everything accepted so far goes into chunks. */
	seal(watcher: HourWatcher): Promise<void>;
	unsealedHours(device: DeviceId): ReadonlySet<number>;
	/** Forgets readings before an instant. */
	drop(before: number): void;
	/** Readings that were answered by `range`, and samples by `column`. */
	read(): number;
}

const compare = (one: Reading, other: Reading): number =>
	one.readAt - other.readAt || one.epoch - other.epoch || one.firstSeq - other.firstSeq;

const hoursOf = (readings: readonly Reading[]): readonly DeviceHour[] => {
	const hours = new Map<string, DeviceHour>();
	for (const { device, readAt } of readings) {
		const hour = epochMs(Math.floor(readAt / HOUR_MS) * HOUR_MS);
		hours.set(`${device}${hour}`, { device, hour });
	}
	return [...hours.values()];
};

export function memoryHistory(): MemoryHistory {
	let readings: Reading[] = [];
	let unsealed: Reading[] = [];
	let read = 0;

	function select({ device, from, to }: Pick<HistoryQuery, 'device' | 'from' | 'to'>): readonly Reading[] {
		return readings.filter((each) => each.device === device && each.readAt >= from && each.readAt < to);
	}

	return {
		get readings() {
			return readings;
		},
		accept(more) {
			readings = [...readings, ...more].toSorted(compare);
			unsealed.push(...more);
		},
		async seal(watcher) {
			const hours = hoursOf(unsealed);
			await watcher.touching(hours);
			unsealed = [];
			watcher.touched(hours);
		},
		unsealedHours: (device) =>
			new Set(hoursOf(unsealed.filter((each) => each.device === device)).map(({ hour }) => hour)),
		drop(before) {
			readings = readings.filter(({ readAt }) => readAt >= before);
		},
		read: () => read,
		async range(query) {
			const { order, limit, after } = query;
			const sign = order === 'oldest-first' ? 1 : -1;
			const found = select(query).toSorted((one, other) => sign * compare(one, other));
			const start = after === undefined ? 0 : found.findIndex((each) => each.firstSeq === after.firstSeq) + 1;
			const page = found.slice(start, start + limit);
			read += page.length;
			return page;
		},
		async column(query) {
			const found = select(query).filter(
				({ points, telemetryType }) => points.includes(query.point) && !EVENT_TYPES.has(telemetryType),
			);
			read += found.length;
			return {
				times: Float64Array.from(found, ({ readAt }) => readAt),
				values: found.map(({ points, values }) => values[points.indexOf(query.point)] ?? null),
				qualities: Uint8Array.from(found, ({ points, qualities }) =>
					QUALITIES.indexOf(qualities?.[points.indexOf(query.point)] ?? 'good'),
				),
				until: query.to,
			};
		},
	};
}
