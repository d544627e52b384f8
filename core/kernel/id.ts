import { createHash, randomUUID } from 'node:crypto';

/** Identity of a device in the whole fleet: a UUID, made where the device is first registered. */
export type DeviceId = string & { readonly __id: 'device' };

/** The device's own address: one level of an MQTT topic, unique on its gateway. */
export type DeviceUid = string & { readonly __id: 'device-uid' };

/** Identity of a gateway in the whole fleet: a UUID, made at the appliance's first start. */
export type GatewayId = string & { readonly __id: 'gateway' };

/** Identity of a tenant: the people, devices and records that belong together and see nothing of others. */
export type TenantId = string & { readonly __id: 'tenant' };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

/** @throws RangeError when the text is no lower-case UUID. */
export function deviceId(text: string): DeviceId {
	if (!UUID.test(text)) throw new RangeError(`not a device id: ${text}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- brands are cast where they are checked
	return text as DeviceId;
}

/** @throws RangeError when the text cannot be one level of a topic. */
export function deviceUid(text: string): DeviceUid {
	if (!UID.test(text)) throw new RangeError(`not a device_uid: ${text}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- brands are cast where they are checked
	return text as DeviceUid;
}

/** @throws RangeError when the text is no lower-case UUID. */
export function gatewayId(text: string): GatewayId {
	if (!UUID.test(text)) throw new RangeError(`not a gateway id: ${text}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- brands are cast where they are checked
	return text as GatewayId;
}

/** @throws RangeError when the text is no lower-case UUID. */
export function tenantId(text: string): TenantId {
	if (!UUID.test(text)) throw new RangeError(`not a tenant id: ${text}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- brands are cast where they are checked
	return text as TenantId;
}

/** A UUID (version 8, RFC 9562) from the SHA-256 of a text: the same text has the same id on every box. */
export function uuidOf(text: string): string {
	const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
	bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
	bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
	const hex = bytes.toString('hex');
	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export const newDeviceId = (): DeviceId => deviceId(randomUUID());
export const newGatewayId = (): GatewayId => gatewayId(randomUUID());

/** The tenant of a box that nobody has divided; the same on every box, so that a gateway's records fit its hub. */
export const DEFAULT_TENANT: TenantId = tenantId(uuidOf('drawbridge default tenant'));
