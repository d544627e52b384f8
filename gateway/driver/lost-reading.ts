import type { EpochMs } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Quality, ReadingDraft } from '../../core/telemetry/reading.ts';

/** Says that these points have no value now, because the device cannot be asked. */
export const lostReading = (device: DeviceId, points: readonly string[], readAt: EpochMs): ReadingDraft => ({
	device,
	readAt,
	telemetryType: 'default',
	points,
	values: points.map(() => null),
	qualities: points.map((): Quality => 'comm_error'),
});
