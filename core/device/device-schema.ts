// oxlint-disable unicorn/no-thenable -- joi writes its conditions with a key named `then`
import Joi from 'joi';

import {
	type ConnectionView,
	connectionSchema,
	connectionView,
	toConnection,
} from '../../config/connection/connection-schema.ts';
import { type PageOrCursorQuery, pageOrCursorQuery } from '../http/paging.ts';
import { type Actor, ownerFor } from '../identity/role.ts';
import { epochMs, toIso } from '../kernel/clock.ts';
import { deviceId, deviceUid, isUuid } from '../kernel/id.ts';
import { isWithinBounds } from '../telemetry/json-bounds.ts';
import type { JsonValue } from '../telemetry/reading.ts';
import type { DevicePosition } from './device-repository.ts';
import type { DeviceChange, NewDevice } from './device-service.ts';
import type { Device, DeviceHealth, DeviceStatus } from './device.ts';

/** Body of POST and PATCH /devices after validation. */
export interface DeviceBody {
	readonly device_uid?: string;
	readonly name?: string;
	readonly device_type?: string;
	readonly status?: DeviceStatus;
	readonly firmware_version?: string | null;
	readonly group_id?: string | null;
	readonly owner_id?: string | null;
	readonly metadata?: Readonly<Record<string, JsonValue>>;
	readonly connection?: ConnectionView | null;
}

export const DEVICE_UID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/** Of what people, and gateways, say of a device. */
export const METADATA_BOUNDS = { depth: 8, nodes: 500 };

export const deviceParams = Joi.object({ device_id: Joi.string().pattern(DEVICE_UID_PATTERN).required() });

export const metadataSchema = Joi.object().custom((value: unknown, helpers) =>
	isWithinBounds(value, METADATA_BOUNDS)
		? value
		: helpers.message({ custom: `{{#label}} has more than ${METADATA_BOUNDS.nodes} values or is too deep` }),
);

export const deviceName = Joi.string().min(1).max(255);
export const deviceTypeName = Joi.string().min(1).max(100);
const uuidOrNull = Joi.string().guid().lowercase().allow(null);

const changeable = {
	status: Joi.valid('online', 'offline', 'maintenance'),
	firmware_version: Joi.string().max(100).allow(null),
	group_id: uuidOrNull,
	owner_id: uuidOrNull,
	metadata: metadataSchema,
	connection: connectionSchema.allow(null),
};

/** Unknown fields of a body are ignored (contract, x-resolution). */
export const deviceCreate = Joi.object({
	...changeable,
	device_uid: Joi.string().pattern(DEVICE_UID_PATTERN),
	name: deviceName.required(),
	device_type: deviceTypeName.required(),
}).options({ stripUnknown: true });

export const devicePatch = Joi.object({ ...changeable, name: deviceName, device_type: deviceTypeName }).options({
	stripUnknown: true,
});

/** Opaque cursor of a list of devices. */
export const toCursor = ({ createdAt, id }: DevicePosition): string =>
	Buffer.from(`${createdAt}:${id}`).toString('base64url');

function fromCursor(cursor: string): DevicePosition | null {
	const [at, id] = Buffer.from(cursor, 'base64url').toString().split(':');
	if (at === undefined || id === undefined || !/^\d{1,15}$/.test(at) || !isUuid(id)) return null;
	return { createdAt: epochMs(Number(at)), id: deviceId(id) };
}

/** Query of a list in either form of contract rule R3; mixing the two is refused. */
export type ListQuery = PageOrCursorQuery<DevicePosition>;

export const deviceListQuery = pageOrCursorQuery(fromCursor);

export function toChange(body: DeviceBody): DeviceChange {
	return {
		...(body.name === undefined ? {} : { name: body.name }),
		...(body.device_type === undefined ? {} : { deviceType: body.device_type }),
		...(body.status === undefined ? {} : { status: body.status }),
		...(body.firmware_version === undefined ? {} : { firmwareVersion: body.firmware_version }),
		...(body.group_id === undefined ? {} : { groupId: body.group_id }),
		...(body.owner_id === undefined ? {} : { ownerId: body.owner_id }),
		...(body.metadata === undefined ? {} : { metadata: body.metadata }),
		...(body.connection === undefined ? {} : { connection: toConnection(body.connection) }),
	};
}

/** The device of a valid POST body; without `owner_id` it belongs to the caller. */
export const toNewDevice = (body: DeviceBody, caller: Pick<Actor, 'userId' | 'tenantId' | 'isFromHub'>): NewDevice => ({
	ownerId: ownerFor(caller),
	tenantId: caller.tenantId,
	name: '',
	deviceType: '',
	...toChange(body),
	...(body.device_uid === undefined ? {} : { uid: deviceUid(body.device_uid) }),
});

/** A device as it is answered: references 000 and 002 together, and how this product reaches it. */
export const deviceView = (device: Device, health: DeviceHealth) => ({
	id: device.id,
	device_uid: device.uid,
	name: device.name,
	device_type: device.deviceType,
	status: device.status,
	firmware_version: device.firmwareVersion,
	ip_address: device.ipAddress,
	group_id: device.groupId,
	owner_id: device.ownerId,
	tenant_id: device.tenantId,
	metadata: device.metadata,
	last_seen_at: device.lastSeenAt === null ? null : toIso(device.lastSeenAt),
	created_at: toIso(device.createdAt),
	connection: connectionView(device.connection),
	gateway_id: device.gatewayId,
	health: { state: health.state, since: toIso(health.since), reason: health.reason },
});

const instant = () => Joi.string().isoDate();

/** What `deviceView` answers, for the API document. */
export const deviceAnswer = Joi.object({
	id: Joi.string().guid(),
	device_uid: Joi.string(),
	name: Joi.string().allow(''),
	device_type: Joi.string().allow(''),
	status: Joi.valid('online', 'offline', 'maintenance'),
	firmware_version: Joi.string().allow('', null),
	ip_address: Joi.string().allow(null),
	group_id: Joi.string().guid().allow(null),
	owner_id: Joi.string().guid().allow(null),
	tenant_id: Joi.string().guid(),
	metadata: Joi.object().unknown(),
	last_seen_at: instant().allow(null),
	created_at: instant(),
	connection: connectionSchema.allow(null),
	gateway_id: Joi.string().guid().allow(null),
	health: Joi.object({
		state: Joi.valid('ok', 'degraded', 'offline', 'unknown'),
		since: instant(),
		reason: Joi.string().allow(null),
	}).options({ presence: 'required' }),
})
	.options({ presence: 'required' })
	.label('Device');
