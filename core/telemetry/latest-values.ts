import type { Clock, EpochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import { EVENT_TYPES, type Quality, type ReadingDraft, type SampleValue } from './reading.ts';

export interface LatestValue {
	readonly value: SampleValue;
	readonly quality: Quality;
	readonly readAt: EpochMs;
}

/**
 * The newest value of each point of each device, in memory. Older readings (backfill) never replace newer ones, except one that lies in
 * the future: it was read before the clock was put right, and would stand until that day comes.
 */
export interface LatestValues {
	apply(reading: ReadingDraft): void;
	/** Points in the order they were first seen; `null` when the device never sent anything. */
	of(device: DeviceId): ReadonlyMap<string, LatestValue> | null;
	forget(device: DeviceId): void;
}

/** Most points kept for one device: a chatty MQTT device cannot grow the map without end. */
const MAX_POINTS_PER_DEVICE = 5_000;

/** How far ahead of this box another one's clock may be. */
const MOST_AHEAD_MS = 60_000;

export function createLatestValues({ clock }: { readonly clock: Clock }): LatestValues {
	const byDevice = new Map<DeviceId, Map<string, LatestValue>>();

	const isOutdated = (readAt: EpochMs, known: LatestValue): boolean =>
		known.readAt > readAt && known.readAt <= clock.now() + MOST_AHEAD_MS;

	function applyTo(points: Map<string, LatestValue>, reading: ReadingDraft): void {
		const { readAt, qualities } = reading;
		for (const [index, point] of reading.points.entries()) {
			const known = points.get(point);
			if (known === undefined ? points.size >= MAX_POINTS_PER_DEVICE : isOutdated(readAt, known)) continue;
			points.set(point, { value: reading.values[index] ?? null, quality: qualities?.[index] ?? 'good', readAt });
		}
	}

	return {
		apply(reading) {
			if (EVENT_TYPES.has(reading.telemetryType)) return;
			let points = byDevice.get(reading.device);
			if (points === undefined) byDevice.set(reading.device, (points = new Map<string, LatestValue>()));
			applyTo(points, reading);
		},
		of: (device) => byDevice.get(device) ?? null,
		forget: (device) => void byDevice.delete(device),
	};
}
