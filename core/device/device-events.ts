import type { Device } from './device.ts';

/** What other features hear of devices. Listeners must not throw and must not block. */
export interface DeviceEvents {
	/** Registered, changed or deleted (then `deletedAt` is set). */
	readonly changed: (device: Device) => void;
}
