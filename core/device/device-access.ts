import { type Actor, isInTenantOf, may } from '../identity/role.ts';
import type { Device } from './device.ts';

/** A `user` sees the devices it owns; everybody else sees all of the tenant (decision D2). */
export const maySee = (actor: Actor, device: Pick<Device, 'ownerId' | 'tenantId'>): boolean =>
	isInTenantOf(actor, device) && (actor.role !== 'user' || device.ownerId === actor.userId);

/** Whether no device of its tenant is hidden from an actor: names of all of them may stand in what it is shown. */
export const seesAllDevices = (actor: Actor): boolean => actor.role !== 'user';

/** Permission `telemetry:write`, or ownership (decision D1). */
export const mayWriteTelemetry = (actor: Actor, device: Pick<Device, 'ownerId'>): boolean =>
	may(actor, 'telemetry:write') || device.ownerId === actor.userId;

/** Permission `devices:command`, or ownership (decision D1). */
export const mayCommand = (actor: Actor, device: Pick<Device, 'ownerId'>): boolean =>
	may(actor, 'devices:command') || device.ownerId === actor.userId;
