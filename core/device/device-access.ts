import { type Actor, isAtLeast } from '../identity/role.ts';
import type { Device } from './device.ts';

/** A self-registered `user` sees the devices it owns; everybody else sees all (contract rule D2). */
export const maySee = (actor: Actor, device: Pick<Device, 'ownerId'>): boolean =>
	actor.role !== 'user' || device.ownerId === actor.userId;

/** Permission `telemetry:write`, or ownership (contract rule D1). */
export const mayWriteTelemetry = (actor: Actor, device: Pick<Device, 'ownerId'>): boolean =>
	isAtLeast(actor.role, 'editor') || device.ownerId === actor.userId;
