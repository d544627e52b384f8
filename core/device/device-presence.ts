import type { EpochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { Device, DeviceHealth } from './device.ts';
import type { DeviceRepository } from './device-repository.ts';

type HeardStatus = 'online' | 'offline';

/** The status that a device has by its health; `null`: health says nothing of it. */
export const STATUS_OF_HEALTH: Readonly<Record<DeviceHealth['state'], HeardStatus | null>> = {
	ok: 'online',
	degraded: 'online',
	offline: 'offline',
	unknown: null,
};

interface Presence {
	status: HeardStatus | null;
	lastSeenAt: EpochMs | null;
}

export interface DevicePresenceDeps {
	readonly devices: Pick<DeviceRepository, 'putSeen'>;
	readonly log: Logger;
}

/** What is known of devices since the start, newer than their documents: status, last sign of life, health. */
export function createDevicePresence({ devices, log }: DevicePresenceDeps) {
	const presences = new Map<DeviceId, Presence>();
	const healths = new Map<DeviceId, DeviceHealth>();
	let unsaved = new Map<DeviceId, EpochMs>();

	function presenceOf(id: DeviceId): Presence {
		let presence = presences.get(id);
		if (presence === undefined) presences.set(id, (presence = { status: null, lastSeenAt: null }));
		return presence;
	}

	function current(device: Device): Device {
		const presence = presences.get(device.id);
		if (presence === undefined) return device;
		const status = device.status === 'maintenance' ? 'maintenance' : (presence.status ?? device.status);
		return { ...device, status, lastSeenAt: presence.lastSeenAt ?? device.lastSeenAt };
	}

	function markSeen(id: DeviceId, at: EpochMs): void {
		const presence = presenceOf(id);
		if (presence.lastSeenAt !== null && presence.lastSeenAt >= at) return;
		presence.lastSeenAt = at;
		unsaved.set(id, at);
	}

	async function flushSeen(): Promise<void> {
		if (unsaved.size === 0) return;
		const seen = unsaved;
		unsaved = new Map();
		try {
			await devices.putSeen(seen);
		} catch (error) {
			log.warn('device-last-seen-not-saved', { devices: seen.size, reason: messageOf(error) });
		}
	}

	return {
		/** The device with what is known of it since the start. A maintenance stays one. */
		current,
		/** @param status `null`: that of the document counts again */
		setStatus(id: DeviceId, status: HeardStatus | null): void {
			presenceOf(id).status = status;
		},
		/** Notes a sign of life; the disk learns of it with `flushSeen`. Cheap enough for each reading. */
		markSeen,
		/** `null`: nobody has said anything of it. */
		health: (id: DeviceId): DeviceHealth | null => healths.get(id) ?? null,
		/** Answers whether it is another health than before. */
		setHealth(id: DeviceId, health: DeviceHealth): boolean {
			const before = healths.get(id);
			healths.set(id, health);
			return before?.state !== health.state || before.reason !== health.reason;
		},
		/** The device is no more. */
		forget(id: DeviceId): void {
			presences.delete(id);
			healths.delete(id);
		},
		/** Saves when devices were seen last. A disk that refuses is logged, and costs nothing else. */
		flushSeen,
	};
}
