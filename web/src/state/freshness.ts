import type { DeviceView, HealthState, HealthView, Quality } from '../wire.ts';
import type { PointValue, PointValues } from './devices.ts';

/** The quality to show: what was good when it was read is stale once it is old, also when nobody says so. */
export function shownQuality({ quality, readAtMs, freshMs }: PointValue, nowMs: number): Quality {
	return quality === 'good' && nowMs - readAtMs > freshMs ? 'stale' : quality;
}

/** When the device answered last; `null` when none of its values tells. */
export function answeredMs(values: PointValues): number | null {
	let newest: number | null = null;
	for (const { readAtMs, quality } of values.values())
		if (quality !== 'comm_error' && (newest === null || readAtMs > newest)) newest = readAtMs;
	return newest;
}

const STATUS_HEALTH: Readonly<Record<DeviceView['status'], HealthState>> = {
	online: 'ok',
	offline: 'offline',
	maintenance: 'unknown',
};

/** Health as the acquisition judges it; devices nobody polls have only their status. */
export function healthOf(device: DeviceView): HealthView {
	return device.health ?? { state: STATUS_HEALTH[device.status], since: null, reason: null };
}
