import type { Actor } from '../identity/role.ts';
import type { Clock } from '../kernel/clock.ts';
import { duplicate, Fault, fieldFault, messageOf, notFound } from '../kernel/fault.ts';
import {
	DEFAULT_TENANT,
	type DeviceId,
	type DeviceUid,
	deviceId,
	deviceUid,
	type GatewayId,
	isUuid,
	newDeviceId,
	type TenantId,
	uuidOf,
} from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { Page, Window } from '../kernel/page.ts';
import type { RevisionCheck } from '../kernel/revision.ts';
import { createTurns } from '../kernel/turns.ts';
import { createAdoptedCount } from './adopted-count.ts';
import { type ArrangedDevice, planArrangement } from './device-arrangement.ts';
import { maySee } from './device-access.ts';
import type { DeviceListener } from './device-events.ts';
import { createDeviceExchange } from './device-exchange.ts';
import { createDevicePresence, STATUS_OF_HEALTH } from './device-presence.ts';
import type { DevicePosition, DeviceRepository } from './device-repository.ts';
import { type DeviceEdit, edited as editedBy } from './device-edits.ts';
import {
	assertLineAgrees,
	assertTemplateFits,
	type KnownPorts,
	type KnownTemplates,
	serialPathsOf,
} from './device-rules.ts';
import type { Device, DeviceHealth, DeviceStatus } from './device.ts';

export interface DeviceServiceDeps {
	readonly devices: DeviceRepository;
	/** This gateway; `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	/** This box, as the author of changes. */
	readonly node: GatewayId;
	readonly templates: KnownTemplates;
	/** The serial ports of this box; absent: each path is a port of its own. */
	readonly ports?: KnownPorts | undefined;
	/** Whether somebody with this id is at home in the tenant. */
	readonly users: { readonly exists: (userId: string, tenantId: TenantId) => Promise<boolean> };
	readonly clock: Clock;
	readonly log: Logger;
	/** Documents of one gateway that a hub takes, deleted ones included. */
	readonly maxAdopted?: number;
}

/** What a person or the settings file says of a new device. */
export type NewDevice = Pick<Device, 'name' | 'deviceType'> &
	Partial<
		Pick<Device, 'uid' | 'status' | 'firmwareVersion' | 'groupId' | 'ownerId' | 'tenantId' | 'metadata' | 'connection'>
	>;

/** What may be changed later; absent fields keep their value. */
export type DeviceChange = Partial<
	Pick<Device, 'name' | 'deviceType' | 'status' | 'firmwareVersion' | 'groupId' | 'ownerId' | 'metadata' | 'connection'>
>;

/** Most devices one box takes: they are all held in memory. */
export const MAX_DEVICES = 10_000;

/** Twice what a gateway takes: those that were deleted are documents too. */
const MAX_ADOPTED = 2 * MAX_DEVICES;

/** `lastSeenAt` reaches the disk at most this often; memory has it at once. */
const SEEN_FLUSH_MS = 60_000;

/** The device registry of a box: on a gateway its own devices, on a hub those of all gateways and its own. */
export function createDeviceService({
	devices,
	gatewayId,
	node,
	templates,
	ports,
	users,
	clock,
	log,
	maxAdopted = MAX_ADOPTED,
}: DeviceServiceDeps) {
	const presence = createDevicePresence({ devices, log });
	const { current, markSeen, flushSeen } = presence;
	const listeners = new Set<DeviceListener>();

	function tellChanged(device: Device): void {
		for (const { changed } of listeners) changed?.(device);
	}

	function tellEdited(device: Device): void {
		for (const { edited } of listeners) edited?.(device);
	}

	function tellStatus(device: Device): void {
		for (const { status } of listeners) status?.(device);
	}

	/** Changes run one after the other: rules that look at other devices must not race. */
	const { run: inTurn, settled } = createTurns();

	/**
	 * The device under its id or its address; `null` when there is none. For an actor there is nothing but what it may see, so that nobody
	 * learns of, or is disturbed by, the addresses of others.
	 * @throws Fault `state-conflict` when the address is ambiguous
	 */
	function find(reference: string, actor?: Actor): Device | null {
		const isVisible = (device: Device): boolean => actor === undefined || maySee(actor, device);
		if (isUuid(reference)) {
			const device = devices.find(deviceId(reference));
			if (device !== null && isVisible(device)) return device.deletedAt === null ? current(device) : null;
		}
		let same: readonly Device[];
		try {
			same = devices.findByUid(deviceUid(reference)).filter(isVisible);
		} catch {
			return null;
		}
		const [first] = same;
		if (first === undefined) return null;
		if (same.length === 1) return current(first);
		const gateways = same.map((device) => device.gatewayId ?? 'the hub itself').join(', ');
		throw new Fault('state-conflict', `device_uid ${reference} is ambiguous (gateways ${gateways}), use the id`);
	}

	/** @throws Fault `not-found`, also when the actor may not see it; `state-conflict` when the address is ambiguous */
	function get(reference: string, actor?: Actor): Device {
		const device = find(reference, actor);
		if (device === null) throw notFound('device', reference);
		return device;
	}

	/** On a gateway an address is a topic, of which there is one; on a hub each tenant has its own, and learns nothing of those of others. */
	function assertUidFree(uid: DeviceUid, tenantId: TenantId): void {
		const counts = (device: Device): boolean => gatewayId !== null || device.tenantId === tenantId;
		const isTaken = devices.findByUid(uid).some(counts) || (isUuid(uid) && devices.find(deviceId(uid)) !== null);
		if (isTaken) throw duplicate('device_uid', uid);
	}

	/** Devices that name one port differently share it all the same. */
	async function assertPortAgrees(device: Device): Promise<void> {
		if (serialPathsOf([device]).length > 0) await ports?.look(serialPathsOf([device, ...devices.all()]));
		assertLineAgrees(device, devices.all(), ports?.nameOf);
	}

	async function assertConnectionFits(device: Device): Promise<void> {
		const { connection } = device;
		if (gatewayId === null && connection !== null && connection.driver !== 'mqtt')
			throw fieldFault(
				'rule-violation',
				'connection',
				`a device with driver ${connection.driver} is configured on its gateway, not on the hub`,
			);
		assertTemplateFits(device.connection, templates);
		await assertPortAgrees(device);
	}

	/** What the settings file declares is there even when it cannot be read as it stands: its health says why, and one slip stops no start. */
	async function noteConnectionFits(device: Device): Promise<void> {
		try {
			await assertConnectionFits(device);
		} catch (error) {
			if (!(error instanceof Fault)) throw error;
			log.error('declared-device-unfit', { device: device.uid, reason: error.message });
		}
	}

	async function assertOwnerExists({ ownerId, tenantId }: Pick<Device, 'ownerId' | 'tenantId'>): Promise<void> {
		if (ownerId !== null && !(await users.exists(ownerId, tenantId)))
			throw fieldFault('rule-violation', 'owner_id', `${ownerId} is not a user`);
	}

	function assertOwn(device: Device): void {
		if (gatewayId === null && device.gatewayId !== null)
			throw new Fault('rule-violation', `device ${device.uid} belongs to gateway ${device.gatewayId}: change it there`);
	}

	/**
	 * A declared device keeps its id when the device documents were lost, since history and hub know it by that. One that was deleted and is
	 * declared again is another device.
	 */
	function declaredId(uid: DeviceUid): DeviceId {
		const id = deviceId(uuidOf(`${gatewayId ?? 'hub'} ${uid}`));
		return devices.find(id) === null ? id : newDeviceId();
	}

	async function add(wanted: NewDevice, id = newDeviceId(), assertFits = assertConnectionFits): Promise<Device> {
		if (devices.page({ skip: 0, limit: 0 }).total >= MAX_DEVICES)
			throw new Fault('rule-violation', `this box takes ${MAX_DEVICES} devices at most`);
		const uid = wanted.uid ?? deviceUid(id);
		const { tenantId = DEFAULT_TENANT } = wanted;
		assertUidFree(uid, tenantId);
		const device: Device = {
			id,
			uid,
			name: wanted.name,
			deviceType: wanted.deviceType,
			status: wanted.status ?? 'offline',
			firmwareVersion: wanted.firmwareVersion ?? null,
			ipAddress: null,
			groupId: wanted.groupId ?? null,
			ownerId: wanted.ownerId ?? null,
			tenantId,
			metadata: wanted.metadata ?? {},
			connection: wanted.connection ?? null,
			gatewayId,
			revision: 1,
			lastSeenAt: null,
			createdAt: clock.now(),
			deletedAt: null,
		};
		await assertFits(device);
		await assertOwnerExists(device);
		await devices.put(device, null);
		tellChanged(device);
		return device;
	}

	/** Stores the next revision of a device and tells everybody. */
	async function save(before: Device, after: Device): Promise<Device> {
		await devices.put({ ...after, revision: before.revision + 1 }, before.revision);
		const saved = current({ ...after, revision: before.revision + 1 });
		tellChanged(saved);
		return saved;
	}

	async function change(
		reference: string,
		wanted: DeviceChange,
		actor?: Actor,
		expected?: RevisionCheck,
	): Promise<Device> {
		const before = get(reference, actor);
		expected?.(before.revision);
		const isElsewhere = before.gatewayId !== gatewayId;
		const after = editedBy(before, wanted, node, isElsewhere);
		if (wanted.connection !== undefined) await assertConnectionFits(after);
		if (wanted.ownerId !== undefined) await assertOwnerExists(after);
		// What a person sets holds until the device is heard of again; whether a polled device answers is no matter of opinion.
		if (wanted.status !== undefined)
			presence.setStatus(before.id, STATUS_OF_HEALTH[presence.health(before.id)?.state ?? 'unknown']);
		const saved = await save(before, after);
		if (saved.status !== before.status) tellStatus(saved);
		if (isElsewhere) tellEdited(saved);
		return saved;
	}

	function setStatus(id: DeviceId, status: Exclude<DeviceStatus, 'maintenance'>): void {
		const device = devices.find(id);
		if (device === null || device.deletedAt !== null) return;
		const before = current(device).status;
		presence.setStatus(id, status);
		if (before === 'maintenance' || before === status) return;
		tellStatus(current(device));
		// Revisions are counted by the box a device hangs on; elsewhere its status is a matter of memory.
		if (device.gatewayId !== gatewayId) return;
		inTurn(async () => {
			const stored = devices.find(id);
			const now = stored === null ? null : current(stored);
			if (stored !== null && now !== null && now.status !== stored.status) await save(stored, now);
		}).catch((error: unknown) => log.error('device-status-not-saved', { device: id, reason: messageOf(error) }));
	}

	function setHealth(id: DeviceId, health: DeviceHealth): void {
		const device = devices.find(id);
		if (device === null || device.deletedAt !== null) return;
		if (presence.setHealth(id, health)) for (const listener of listeners) listener.health?.(current(device), health);
		const status = STATUS_OF_HEALTH[health.state];
		if (status !== null) setStatus(id, status);
	}

	/** All of it is on disk before anybody is told, so that nobody acts on half of it. */
	async function arrange(wantedOf: () => readonly ArrangedDevice[]): Promise<number> {
		const changes = planArrangement({
			devices: [...devices.all()].map(current),
			wanted: wantedOf(),
			gatewayId,
			now: clock.now(),
			newId: newDeviceId,
		});
		for (const { before, after } of changes) {
			// What people at the hub have changed before is older than this.
			const next = before === null ? after : editedBy(before, after, node, false);
			await devices.put({ ...next, revision: (before?.revision ?? 0) + 1 }, before?.revision ?? null);
		}
		await ports?.look(serialPathsOf(changes.map(({ after }) => after)));
		for (const { after } of changes) {
			if (after.deletedAt !== null) presence.forget(after.id);
			const saved = devices.find(after.id);
			if (saved !== null) tellChanged(current(saved));
		}
		return changes.length;
	}

	const exchange = createDeviceExchange({
		devices,
		adopted: createAdoptedCount(devices, maxAdopted),
		current,
		/** What the gateway says counts, and no memory of what was heard before. */
		forgetStatus: (id) => presence.setStatus(id, null),
		tellChanged,
		tellStatus,
		tellEdited,
	});

	const flushTimer = setInterval(() => void flushSeen(), SEEN_FLUSH_MS).unref();

	return {
		/** HOT: there is such a device, and it is not deleted. */
		has: (id: DeviceId): boolean => devices.find(id)?.deletedAt === null,
		find,
		get,
		page: (window: Window, actor?: Actor): Page<Device> => {
			const { items, total } = devices.page(window, actor && ((device) => maySee(actor, device)));
			return { items: items.map(current), total };
		},
		after: (position: DevicePosition | null, limit: number, actor?: Actor): readonly Device[] =>
			devices.after(position, limit, actor && ((device) => maySee(actor, device))).map(current),
		/** All devices that are not deleted. */
		all: (): readonly Device[] => devices.page({ skip: 0, limit: Number.MAX_SAFE_INTEGER }).items.map(current),
		/**
		 * Registers a device; durable when it resolves.
		 * @throws Fault `duplicate` (its address is taken), `rule-violation` (template, line, owner, number of devices)
		 */
		register: (wanted: NewDevice): Promise<Device> => inTurn(() => add(wanted)),
		/**
		 * Registers the devices of the settings file whose address is unknown; known ones keep what people made of them. One whose template is
		 * missing is registered all the same.
		 */
		declare: (wanted: readonly (NewDevice & { readonly uid: DeviceUid })[]): Promise<void> =>
			inTurn(async () => {
				for (const device of wanted)
					if (devices.findByUid(device.uid).length === 0) await add(device, declaredId(device.uid), noteConnectionFits);
			}),
		/** Changes a device; durable when it resolves. @throws Fault `not-found`, `rule-violation`, `state-conflict` */
		patch: (reference: string, wanted: DeviceChange, actor?: Actor, expected?: RevisionCheck): Promise<Device> =>
			inTurn(() => change(reference, wanted, actor, expected)),
		/** Soft delete: history stays, the address becomes free. @throws Fault `not-found`, `rule-violation` */
		remove: (reference: string, actor?: Actor, expected?: RevisionCheck): Promise<void> =>
			inTurn(async () => {
				const before = get(reference, actor);
				expected?.(before.revision);
				assertOwn(before);
				await save(before, { ...before, deletedAt: clock.now() });
				presence.forget(before.id);
			}),
		/**
		 * Makes the devices those of a configuration, which was checked as a whole: others are deleted, those that are as they should be stay
		 * untouched. May be repeated after a power cut in the middle of it. Resolves with the number of changes when all of them are on disk.
		 * @param wantedOf asked when no other change is on its way, so that none is overlooked
		 */
		arrange: (wantedOf: () => readonly ArrangedDevice[]): Promise<number> => inTurn(() => arrange(wantedOf)),
		/**
		 * Takes a gateway's document of a device on the hub; an equal one is a no-op and answers `false`. The last word counts, also with
		 * a lower revision: a gateway has one connection, which keeps the order, and one that was restored counts from an older state.
		 * @throws Fault `state-conflict` when the id belongs to another gateway, `rule-violation` when this one has too many
		 */
		adopt: (device: Device): Promise<boolean> => inTurn(() => exchange.adopt(device)),
		/**
		 * Takes what people at the hub have changed of a device of this gateway; nothing new answers `false`.
		 * @throws Fault `not-found`
		 */
		takeEdit: (edit: DeviceEdit): Promise<boolean> => inTurn(() => exchange.takeEdit(edit)),
		/** Notes a sign of life; the disk learns of it once a minute. Cheap enough for each reading. */
		markSeen,
		/** Online or offline as found out by a driver or said by the device; never ends a maintenance. */
		setStatus,
		/** The health as the acquisition sees it; status follows. */
		setHealth,
		health: (device: Device): DeviceHealth =>
			presence.health(device.id) ?? { state: 'unknown', since: device.createdAt, reason: null },
		/** Adds a listener; answers how to remove it. */
		listen(listener: DeviceListener): () => void {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		flushSeen,
		async stop(): Promise<void> {
			clearInterval(flushTimer);
			await settled();
			await flushSeen();
		},
	};
}

export type DeviceService = ReturnType<typeof createDeviceService>;
