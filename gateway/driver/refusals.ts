import type { Clock } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { DriverSink } from './driver.ts';

/** Devices that a driver cannot read as they are configured: each is offline, with the sentence that says why. */
export interface Refusals {
	/** Tells it, unless this is what was told last. */
	refuse(id: DeviceId, reason: string): void;
	/** The device is read now. */
	forget(id: DeviceId): void;
	/** Exactly these cannot be read. */
	replace(reasons: ReadonlyMap<DeviceId, string>): void;
}

export function createRefusals(sink: Pick<DriverSink, 'health'>, clock: Clock): Refusals {
	const told = new Map<DeviceId, string>();

	function refuse(id: DeviceId, reason: string): void {
		if (told.get(id) === reason) return;
		told.set(id, reason);
		sink.health(id, { state: 'offline', since: clock.now(), reason });
	}

	return {
		refuse,
		forget: (id) => void told.delete(id),
		replace(reasons) {
			for (const id of told.keys()) if (!reasons.has(id)) told.delete(id);
			for (const [id, reason] of reasons) refuse(id, reason);
		},
	};
}
