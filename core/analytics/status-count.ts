import { type DeviceStatus, isDeviceStatus } from '../device/device.ts';
import type { Reading } from '../telemetry/reading.ts';
import { STATUS_TYPE } from '../telemetry/status-history.ts';
import type { StatusAnalysis } from './analytics.ts';

const to4Digits = (ratio: number): number => Math.round(ratio * 10_000) / 10_000;

/** Counts the status events among readings. */
export function createStatusCount() {
	const counts = new Map<DeviceStatus, number>();

	return {
		add({ telemetryType, points, values }: Reading): void {
			if (telemetryType !== STATUS_TYPE) return;
			const status = values[points.indexOf('status')];
			if (isDeviceStatus(status)) counts.set(status, (counts.get(status) ?? 0) + 1);
		},
		analysis(): StatusAnalysis {
			const totalEvents = [...counts.values()].reduce((sum, count) => sum + count, 0);
			return {
				totalEvents,
				statusCounts: Object.fromEntries(counts),
				uptimeRatio: totalEvents === 0 ? null : to4Digits((counts.get('online') ?? 0) / totalEvents),
			};
		},
	};
}
