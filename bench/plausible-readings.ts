import { epochMs } from '../core/kernel/clock.ts';
import { deviceId, type GatewayId } from '../core/kernel/id.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { POINTS_PER_DEVICE } from './stamp-devices.ts';

const START_MS = 1_790_000_000_000;
const POINTS = Array.from({ length: POINTS_PER_DEVICE }, (_, index) => `point_${index}`);

export interface BatchOptions {
	readonly origin: GatewayId;
	readonly epoch: number;
	/** A whole multiple of the points of a device. */
	readonly samples: number;
	readonly firstSeq: number;
	/** The value of a point; unless told it wanders with noise, as a float32 register does. */
	readonly sampleAt?: (seq: number, index: number) => number;
}

const wandering = (seq: number, index: number): number =>
	Math.fround(230 + Math.sin(seq + index) * 5 + Math.random() * 0.1);

/** Readings of devices with 100 points, as a Modbus poll makes them. */
export function plausibleReadings(options: BatchOptions): readonly Reading[] {
	const { origin, epoch, samples, firstSeq: start, sampleAt = wandering } = options;
	return Array.from({ length: samples / POINTS_PER_DEVICE }, (_, row) => {
		const firstSeq = start + row * POINTS_PER_DEVICE;
		return {
			device: deviceId(`00000000-0000-4000-8000-${String(row).padStart(12, '0')}`),
			readAt: epochMs(START_MS + firstSeq),
			telemetryType: 'default',
			points: POINTS,
			values: POINTS.map((_name, index) => sampleAt(firstSeq, index)),
			qualities: null,
			origin,
			epoch,
			firstSeq,
		};
	});
}
