import type { Device } from '../../core/device/device.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT } from '../../core/kernel/id.ts';

/** A meter with nothing special about it; whoever makes one names what matters. */
export const plainDevice = ({ id, uid, ...more }: Pick<Device, 'id' | 'uid'> & Partial<Device>): Device => ({
	id,
	uid,
	name: uid,
	deviceType: 'meter',
	status: 'online',
	firmwareVersion: null,
	ipAddress: null,
	groupId: null,
	ownerId: null,
	tenantId: DEFAULT_TENANT,
	metadata: {},
	connection: null,
	gatewayId: null,
	revision: 1,
	lastSeenAt: null,
	createdAt: epochMs(Date.UTC(2026, 0, 1)),
	deletedAt: null,
	...more,
});
