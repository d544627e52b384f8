import { valuesBytes } from '../journal/reading-bytes.ts';
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

/** Most bytes of texts and structures kept for one device; a value beyond them is in the history only. */
const MAX_TEXT_BYTES_PER_DEVICE = 1024 * 1024;

/** How far ahead of this box another one's clock may be. */
const MOST_AHEAD_MS = 60_000;

interface DeviceValues {
	readonly points: Map<string, LatestValue>;
	textBytes: number;
}

/** What a value takes beyond a number's place. */
const textBytesOf = (value: SampleValue): number =>
	typeof value === 'string' || (typeof value === 'object' && value !== null) ? valuesBytes([value]) : 0;

export function createLatestValues({ clock }: { readonly clock: Clock }): LatestValues {
	const byDevice = new Map<DeviceId, DeviceValues>();

	const isOutdated = (readAt: EpochMs, known: LatestValue): boolean =>
		known.readAt > readAt && known.readAt <= clock.now() + MOST_AHEAD_MS;

	/** Keeps a value, or nothing of the point when it is too much: an older value would pass for the newest. */
	function keep(device: DeviceValues, point: string, value: LatestValue, known: LatestValue | undefined): void {
		const without = device.textBytes - (known === undefined ? 0 : textBytesOf(known.value));
		const textBytes = without + textBytesOf(value.value);
		if (textBytes > MAX_TEXT_BYTES_PER_DEVICE) {
			device.textBytes = without;
			device.points.delete(point);
			return;
		}
		device.textBytes = textBytes;
		device.points.set(point, value);
	}

	function applyTo(device: DeviceValues, reading: ReadingDraft): void {
		const { points } = device;
		const { readAt, qualities } = reading;
		let index = -1;
		for (const point of reading.points) {
			index += 1;
			const known = points.get(point);
			if (known === undefined ? points.size >= MAX_POINTS_PER_DEVICE : isOutdated(readAt, known)) continue;
			keep(
				device,
				point,
				{ value: reading.values[index] ?? null, quality: qualities?.[index] ?? 'good', readAt },
				known,
			);
		}
	}

	return {
		apply(reading) {
			if (EVENT_TYPES.has(reading.telemetryType)) return;
			let device = byDevice.get(reading.device);
			if (device === undefined) byDevice.set(reading.device, (device = { points: new Map(), textBytes: 0 }));
			applyTo(device, reading);
		},
		of: (device) => byDevice.get(device)?.points ?? null,
		forget: (device) => void byDevice.delete(device),
	};
}
