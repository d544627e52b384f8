import { isDeepStrictEqual } from 'node:util';

import { Fault, notFound } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { createAdoptedCount } from './adopted-count.ts';
import { type DeviceEdit, editOf, mergeDevice } from './device-edits.ts';
import type { DeviceRepository } from './device-repository.ts';
import type { Device } from './device.ts';

export interface DeviceExchangeDeps {
	readonly devices: Pick<DeviceRepository, 'find' | 'put'>;
	readonly adopted: ReturnType<typeof createAdoptedCount>;
	/** The device with what is known of it since the start. */
	readonly current: (device: Device) => Device;
	readonly forgetStatus: (id: DeviceId) => void;
	readonly tellChanged: (device: Device) => void;
	readonly tellStatus: (device: Device) => void;
	readonly tellEdited: (device: Device) => void;
}

/** Equal but for the sign of life, which is a matter of memory. */
const isSameDocument = (one: Device, other: Device): boolean =>
	isDeepStrictEqual({ ...one, lastSeenAt: null }, { ...other, lastSeenAt: null });

const hasSameContent = (one: Device, other: Device): boolean =>
	isSameDocument({ ...one, revision: 0 }, { ...other, revision: 0 });

/** The gateway's word with what people here have changed, under a revision that no other state has. */
function withOwnEdits(known: Device, merged: Device): Device {
	const revision = Math.max(known.revision, merged.revision);
	return hasSameContent(known, merged)
		? { ...merged, revision: known.revision }
		: { ...merged, revision: revision + 1 };
}

/** Documents of devices between a gateway, whose word counts, and a hub, where people may change some of their fields. One call after the other. */
export function createDeviceExchange(deps: DeviceExchangeDeps) {
	const { devices, adopted, current, tellChanged, tellStatus, tellEdited } = deps;

	async function takeOver(known: Device | null, device: Device): Promise<void> {
		const before = known === null ? null : current(known).status;
		await devices.put(device, known?.revision ?? null);
		if (known !== null) deps.forgetStatus(device.id);
		const now = current(device);
		tellChanged(now);
		if (before !== now.status && now.deletedAt === null) tellStatus(now);
	}

	/** For the hub. Answers whether anything has changed. */
	async function adopt(device: Device): Promise<boolean> {
		const known = devices.find(device.id);
		if (known === null) {
			adopted.add(device);
			await takeOver(null, device);
			return true;
		}
		if (known.gatewayId !== device.gatewayId)
			throw new Fault('state-conflict', `device ${device.id} belongs to ${known.gatewayId ?? 'the hub itself'}`);
		const merged = mergeDevice(device, editOf(known));
		const isLacking = !hasSameContent(merged, device);
		const next = isLacking ? withOwnEdits(known, merged) : device;
		const isNew = !isSameDocument(known, next);
		if (isNew) await takeOver(known, next);
		if (isLacking && next.deletedAt === null) tellEdited(current(next));
		return isNew;
	}

	/** For the gateway. Answers whether anything has changed. */
	async function takeEdit({ device: id, revision, fields, edits }: DeviceEdit): Promise<boolean> {
		const found = devices.find(id);
		if (found === null || found.deletedAt !== null) throw notFound('device', id);
		const before = current(found);
		const after = mergeDevice(before, { fields, edits });
		if (isSameDocument(before, after)) return false;
		const saved = { ...after, revision: Math.max(before.revision, revision) + 1 };
		await devices.put(saved, before.revision);
		tellChanged(current(saved));
		return true;
	}

	return { adopt, takeEdit };
}
