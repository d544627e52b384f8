import type { Device, DeviceHealth } from './device.ts';

/** What other features hear of devices. Listeners must not throw and must not block. */
export interface DeviceEvents {
	/** Registered, changed or deleted (then `deletedAt` is set). */
	readonly changed: (device: Device) => void;
}

/** Everything there is to hear; a listener names what it wants. */
export interface DeviceListener extends Partial<DeviceEvents> {
	/** Online, offline or maintenance has changed; told at once, before it is on disk. */
	readonly status?: (device: Device) => void;
	/** A hub has something that the gateway of this device lacks: a person has changed it there. */
	readonly edited?: (device: Device) => void;
	/** State or reason of the acquisition has changed. */
	readonly health?: (device: Device, health: DeviceHealth) => void;
}
