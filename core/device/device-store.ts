import { Fault } from '../kernel/fault.ts';
import { DEFAULT_TENANT, type DeviceId, type DeviceUid } from '../kernel/id.ts';
import { createTurns } from '../kernel/turns.ts';
import { createDocumentSet } from '../storage/document-set.ts';
import type { DocumentDatabase } from '../storage/pouch.ts';
import type { Device } from './device.ts';
import type { DevicePosition, DeviceRepository } from './device-repository.ts';

/** Newest first, ties by id. */
const inOrder = (a: DevicePosition, b: DevicePosition): number =>
	b.createdAt - a.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));

const isLiving = (device: Device): boolean => device.deletedAt === null;

const conflict = (device: Device, expected: number | null, found: number | null): Fault =>
	new Fault(
		'state-conflict',
		`device ${device.uid} was changed meanwhile (expected revision ${expected ?? 'none'}, found ${found ?? 'none'})`,
	);

/** Opens the devices of a document database. Writes go one after the other, so that each sees the revision before it. */
export async function createDeviceStore(database: DocumentDatabase<Device>): Promise<DeviceRepository> {
	const byId = new Map<DeviceId, Device>();
	const documents = createDocumentSet(database);
	let ordered: readonly Device[] | null = null;
	let uids: Map<DeviceUid, Device[]> | null = null;

	for (const device of await documents.all())
		// Devices of a version without tenants.
		byId.set(device.id, { ...device, tenantId: device.tenantId ?? DEFAULT_TENANT });

	function remember(device: Device): void {
		byId.set(device.id, device);
		ordered = null;
		uids = null;
	}

	const living = (): readonly Device[] => (ordered ??= [...byId.values()].filter(isLiving).toSorted(inOrder));

	function livingByUid(): Map<DeviceUid, Device[]> {
		if (uids !== null) return uids;
		uids = new Map();
		for (const device of living()) {
			const same = uids.get(device.uid);
			if (same === undefined) uids.set(device.uid, [device]);
			else same.push(device);
		}
		return uids;
	}

	const { run: inTurn } = createTurns();

	async function write(device: Device, expected: number | null): Promise<void> {
		const found = byId.get(device.id)?.revision ?? null;
		if (found !== expected) throw conflict(device, expected, found);
		await documents.write([device]);
		remember(device);
	}

	async function writeSeen(seen: ReadonlyMap<DeviceId, NonNullable<Device['lastSeenAt']>>): Promise<void> {
		const changed: Device[] = [];
		for (const [id, lastSeenAt] of seen) {
			const device = byId.get(id);
			if (device !== undefined) changed.push({ ...device, lastSeenAt });
		}
		await documents.write(changed);
		for (const device of changed) remember(device);
	}

	return {
		find: (id) => byId.get(id) ?? null,
		findByUid: (uid) => livingByUid().get(uid) ?? [],
		all: () => byId.values(),
		page({ skip, limit }, filter) {
			const list = filter === undefined ? living() : living().filter(filter);
			return { items: list.slice(skip, skip + limit), total: list.length };
		},
		after(position, limit, filter) {
			const found: Device[] = [];
			for (const device of living()) {
				if (found.length >= limit) break;
				if (position !== null && inOrder(device, position) <= 0) continue;
				if (filter === undefined || filter(device)) found.push(device);
			}
			return found;
		},
		put: (device, expected) => inTurn(() => write(device, expected)),
		putSeen: (seen) => inTurn(() => writeSeen(seen)),
	};
}
