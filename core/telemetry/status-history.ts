import type { DeviceListener } from '../device/device-events.ts';
import type { Device, DeviceStatus } from '../device/device.ts';
import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { ReadingListener, TelemetryService } from './telemetry-service.ts';

/** Telemetry type of the events that tell of a device's status. */
export const STATUS_TYPE = 'status';

/** An event further ahead than this was told before the clock was set back. */
const MOST_AHEAD_MS = 100;

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
	/** The newest event of each device. */
	const told = new Map<DeviceId, { readonly status: unknown; readonly at: EpochMs }>();

	/** An instant of its own for each event: of two under one instant the history would keep the later only. */
	function instantAfter(before: EpochMs | undefined): EpochMs {
		const now = clock.now();
		return before !== undefined && before >= now && before - now < MOST_AHEAD_MS ? epochMs(before + 1) : now;
	}

	function keep(id: DeviceId, status: DeviceStatus): void {
		const before = told.get(id);
		if (before?.status === status) return;
		accept(
			{
				device: id,
				readAt: instantAfter(before?.at),
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
		reading({ device, telemetryType, points, values, readAt }) {
			if (telemetryType !== STATUS_TYPE) return;
			told.set(device, { status: values[points.indexOf('status')], at: readAt });
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
