import type { Device } from '../../core/device/device.ts';

/** Why a device must not be touched now: somebody works on it. */
export interface Lock {
	/** A sentence that says who has locked it and why. */
	readonly reason: string;
}

/** Who has locked which device out. Asked at the moment of sending; must not throw. */
export interface LockOut {
	lockOf(device: Device): Lock | null;
}

/** Why a command of a device that is locked out has failed. */
export const lockedOut = ({ reason }: Lock): string => `the device is locked out: ${reason}`;

/** Nobody locks anything out. */
export const noLockOut: LockOut = { lockOf: () => null };
