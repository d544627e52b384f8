import type { DeviceListener } from '../device/device-events.ts';
import type { Device, DeviceStatus } from '../device/device.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { ReadingListener, TelemetryService } from './telemetry-service.ts';

/** Telemetry type of the events that tell of a device's status. */
export const STATUS_TYPE = 'status';

export interface StatusHistoryDeps {
	/** Devices of this box; those of others bring their history with them. `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	readonly accept: TelemetryService['accept'];
	readonly clock: Clock;
	readonly log: Logger;
}

/**
 * Keeps each change of a device's status as a reading, once: what a device says of itself is stored with its message, and what a driver
 * finds out or a person sets is stored here.
 */
export function createStatusHistory({ gatewayId, accept, clock, log }: StatusHistoryDeps): {
	readonly reading: ReadingListener;
	readonly device: DeviceListener;
} {
	/** The status in the newest event of each device. */
	const told = new Map<DeviceId, unknown>();

	function keep(id: DeviceId, status: DeviceStatus): void {
		if (told.get(id) === status) return;
		accept(
			{
				device: id,
				readAt: clock.now(),
				telemetryType: STATUS_TYPE,
				points: ['status'],
				values: [status],
				// The box says so, and not the device: no sign of life.
				qualities: ['substituted'],
			},
			'prompt',
		).catch((error: unknown) => log.debug('status-not-durable', { device: id, reason: messageOf(error) }));
	}

	return {
		reading({ device, telemetryType, points, values }) {
			if (telemetryType === STATUS_TYPE) told.set(device, values[points.indexOf('status')]);
		},
		device: {
			status({ id, status, gatewayId: owner }: Device) {
				if (owner !== gatewayId) return;
				// A change that a device's message has caused is stored with the message, which happens within this turn.
				setImmediate(() => keep(id, status));
			},
			changed: ({ id, deletedAt }) => deletedAt !== null && told.delete(id),
		},
	};
}
