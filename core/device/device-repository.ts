import type { Page, Window } from '../kernel/page.ts';
import type { DeviceId, DeviceUid } from '../kernel/id.ts';
import type { Device } from './device.ts';

/** Where a page by cursor goes on: after this device, in the order of the list. */
export type DevicePosition = Pick<Device, 'createdAt' | 'id'>;

/**
 * All devices. Reading is answered from memory (there are at most some 10 000), so it never waits; writing resolves when it
 * is on disk. Lists leave deleted devices out and are ordered newest first (`createdAt`, ties by `id`).
 */
export interface DeviceRepository {
	/** Also finds deleted devices. */
	find(id: DeviceId): Device | null;
	/** Devices with this address that are not deleted; on a hub several gateways may use the same one. */
	findByUid(uid: DeviceUid): readonly Device[];
	/** Also deleted devices; in no particular order. */
	all(): Iterable<Device>;
	page(window: Window, filter?: (device: Device) => boolean): Page<Device>;
	after(position: DevicePosition | null, limit: number, filter?: (device: Device) => boolean): readonly Device[];
	/**
	 * Adds (`expected` is `null`) or replaces a device.
	 * @throws Fault `state-conflict` when the stored revision is not the expected one
	 */
	put(device: Device, expected: number | null): Promise<void>;
	/** Writes `lastSeenAt` of many devices at once; nothing else of them. */
	putSeen(seen: ReadonlyMap<DeviceId, NonNullable<Device['lastSeenAt']>>): Promise<void>;
}
