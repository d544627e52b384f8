import { isDeepStrictEqual } from 'node:util';

import { fieldFault } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import { isOverruled, joinVersions, nextVersion, NO_VERSION, type Version } from '../sync/version.ts';
import type { Device } from './device.ts';

/** What people may change of a gateway's device, there and at the hub. Everything else is the gateway's. */
export const SHARED_FIELDS = ['name', 'deviceType', 'groupId', 'metadata'] as const;

type SharedField = (typeof SHARED_FIELDS)[number];

/** A version for each field that somebody has changed. */
export type DeviceEdits = Readonly<Partial<Record<SharedField, Version>>>;

type SharedFields = Pick<Device, SharedField>;

/** What people at the hub have made of a gateway's device. */
export interface DeviceEdit {
	readonly device: DeviceId;
	/** Of the device at the hub. */
	readonly revision: number;
	readonly fields: SharedFields;
	readonly edits: DeviceEdits;
}

const fieldsOf = ({ name, deviceType, groupId, metadata }: SharedFields): SharedFields => ({
	name,
	deviceType,
	groupId,
	metadata,
});

export const editOf = (device: Device): DeviceEdit => ({
	device: device.id,
	revision: device.revision,
	fields: fieldsOf(device),
	edits: device.edits ?? {},
});

/** The fields that a change gives another value. */
function changedFields(before: Device, wanted: Partial<Device>): readonly string[] {
	const known = new Map<string, unknown>(Object.entries(before));
	return Object.entries(wanted).flatMap(([field, value]) =>
		value === undefined || isDeepStrictEqual(value, known.get(field)) ? [] : [field],
	);
}

const isShared = (field: string): field is SharedField => SHARED_FIELDS.some((shared) => shared === field);

/** Wire names of what a hub refuses to change of a gateway's device. */
const WIRE_NAMES: Readonly<Record<string, string>> = { firmwareVersion: 'firmware_version', ownerId: 'owner_id' };

function assertShared({ uid, gatewayId }: Device, fields: readonly string[]): void {
	const found = fields.find((one) => !isShared(one));
	if (found === undefined) return;
	const field = WIRE_NAMES[found] ?? found;
	throw fieldFault('rule-violation', field, `device ${uid} belongs to gateway ${gatewayId}: change it there`);
}

/**
 * A device as a person at this box has changed it.
 * @param isElsewhere it hangs on a gateway, and this is the hub
 * @throws Fault `rule-violation` for a field that only the gateway may change of its device
 */
export function edited(before: Device, wanted: Partial<Device>, writer: string, isElsewhere: boolean): Device {
	const fields = changedFields(before, wanted);
	if (isElsewhere) assertShared(before, fields);
	const shared = before.gatewayId === null ? [] : fields.filter(isShared);
	const after = { ...before, ...wanted };
	if (shared.length === 0) return after;
	const known = before.edits ?? {};
	const versions = shared.map((field) => [field, nextVersion(known[field] ?? NO_VERSION, writer)]);
	return { ...after, edits: { ...known, ...Object.fromEntries(versions) } };
}

/** Of equal versions the gateway's word counts, on both sides. */
const hasHubOverruled = (gateway: DeviceEdits, hub: DeviceEdits, field: SharedField): boolean =>
	isOverruled(gateway[field] ?? NO_VERSION, hub[field] ?? NO_VERSION, () => ({ mine: 0, theirs: 0 }));

/** The gateway's word on its device with what the hub has changed meanwhile: field by field, the same on both sides. */
export function mergeDevice(gateway: Device, hub: Pick<DeviceEdit, 'fields' | 'edits'>): Device {
	const own = gateway.edits ?? {};
	const edits: Partial<Record<SharedField, Version>> = { ...own };
	const fields: { -readonly [F in SharedField]: SharedFields[F] } = fieldsOf(gateway);
	for (const field of SHARED_FIELDS) {
		const theirs = hub.edits[field];
		if (theirs === undefined) continue;
		if (hasHubOverruled(own, hub.edits, field)) Object.assign(fields, { [field]: hub.fields[field] });
		edits[field] = joinVersions(own[field] ?? NO_VERSION, theirs);
	}
	return { ...gateway, ...fields, ...(Object.keys(edits).length > 0 && { edits }) };
}
