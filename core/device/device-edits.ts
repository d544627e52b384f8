import { isDeepStrictEqual } from 'node:util';

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
export const changedFields = <T extends Partial<Device>>(before: Device, wanted: T): readonly (keyof T & keyof Device)[] =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a part of a device
	(Object.keys(wanted) as (keyof T & keyof Device)[]).filter(
		(field) => wanted[field] !== undefined && !isDeepStrictEqual(wanted[field], before[field]),
	);

export const isShared = (field: string): field is SharedField => SHARED_FIELDS.some((shared) => shared === field);

/** The versions after a person at this box has changed some fields. */
export function editedBy(writer: string, edits: DeviceEdits = {}, fields: readonly string[] = []): DeviceEdits {
	const next: Partial<Record<SharedField, Version>> = { ...edits };
	for (const field of fields) if (isShared(field)) next[field] = nextVersion(edits[field] ?? NO_VERSION, writer);
	return next;
}

/** @returns whether the hub has overruled anything of the gateway's word */
function mergeField<F extends SharedField>(
	field: F,
	merged: Partial<SharedFields> & { edits: Partial<Record<SharedField, Version>> },
	gateway: Device,
	hub: Pick<DeviceEdit, 'fields' | 'edits'>,
): void {
	const [mine, theirs] = [gateway.edits?.[field] ?? NO_VERSION, hub.edits[field]];
	if (theirs === undefined) return;
	// Of equal versions the gateway's word counts, on both sides.
	if (isOverruled(mine, theirs, () => ({ mine: 0, theirs: 0 }))) merged[field] = hub.fields[field];
	merged.edits[field] = joinVersions(mine, theirs);
}

/** The gateway's word on its device with what the hub has changed meanwhile: field by field, the same on both sides. */
export function mergeDevice(gateway: Device, hub: Pick<DeviceEdit, 'fields' | 'edits'>): Device {
	const merged: Partial<SharedFields> & { edits: Partial<Record<SharedField, Version>> } = {
		edits: { ...gateway.edits },
	};
	for (const field of SHARED_FIELDS) mergeField(field, merged, gateway, hub);
	const { edits, ...fields } = merged;
	return { ...gateway, ...fields, ...(Object.keys(edits).length > 0 && { edits }) };
}
