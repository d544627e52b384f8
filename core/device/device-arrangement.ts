import { isDeepStrictEqual } from 'node:util';

import type { EpochMs } from '../kernel/clock.ts';
import { DEFAULT_TENANT, type DeviceId, type DeviceUid, type GatewayId } from '../kernel/id.ts';
import type { Device } from './device.ts';

/** What a configuration says of a device; everything else of it stays as it is. */
export type ArrangedDevice = Pick<Device, 'uid' | 'name' | 'deviceType' | 'metadata' | 'connection'>;

/** A document to be written, and the one it takes the place of. */
export interface Rearrangement {
	readonly before: Device | null;
	readonly after: Device;
}

/** The device as it is wanted; what is equal but for the order of its fields stays the very same, so that nobody takes it for another. */
function asWanted(device: Device, { name, deviceType, metadata, connection }: ArrangedDevice): Device {
	return {
		...device,
		name,
		deviceType,
		metadata: isDeepStrictEqual(device.metadata, metadata) ? device.metadata : metadata,
		connection: isDeepStrictEqual(device.connection, connection) ? device.connection : connection,
		deletedAt: null,
	};
}

const fresh = (wanted: ArrangedDevice, id: DeviceId, gatewayId: GatewayId | null, now: EpochMs): Device => ({
	id,
	...wanted,
	status: 'offline',
	firmwareVersion: null,
	ipAddress: null,
	groupId: null,
	ownerId: null,
	tenantId: DEFAULT_TENANT,
	gatewayId,
	revision: 0,
	lastSeenAt: null,
	createdAt: now,
	deletedAt: null,
});

/** Living devices by address, and of the deleted ones the last of each address. */
function byUid(devices: Iterable<Device>): {
	readonly living: Map<DeviceUid, Device>;
	readonly deleted: Map<DeviceUid, Device>;
} {
	const living = new Map<DeviceUid, Device>();
	const deleted = new Map<DeviceUid, Device>();
	for (const device of devices) {
		if (device.deletedAt === null) living.set(device.uid, device);
		else if ((deleted.get(device.uid)?.deletedAt ?? -Infinity) < device.deletedAt) deleted.set(device.uid, device);
	}
	return { living, deleted };
}

export interface ArrangementInput {
	/** All documents, deleted ones too. */
	readonly devices: Iterable<Device>;
	readonly wanted: readonly ArrangedDevice[];
	readonly gatewayId: GatewayId | null;
	readonly now: EpochMs;
	readonly newId: () => DeviceId;
}

/**
 * What has to be written so that the living devices are the wanted ones, and no others. A device that was deleted and is wanted again under
 * its address is the same one: a configuration that is taken back must not begin its history anew.
 */
export function planArrangement({
	devices,
	wanted,
	gatewayId,
	now,
	newId,
}: ArrangementInput): readonly Rearrangement[] {
	const { living, deleted } = byUid(devices);
	const changes: Rearrangement[] = [];
	const wantedUids = new Set(wanted.map(({ uid }) => uid));
	// Removals first: what they leave free may be what another one needs.
	for (const device of living.values())
		if (!wantedUids.has(device.uid)) changes.push({ before: device, after: { ...device, deletedAt: now } });
	for (const one of wanted) {
		const before = living.get(one.uid) ?? deleted.get(one.uid) ?? null;
		const after = before === null ? fresh(one, newId(), gatewayId, now) : asWanted(before, one);
		if (before === null || !isDeepStrictEqual(before, after)) changes.push({ before, after });
	}
	return changes;
}
