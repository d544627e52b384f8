import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import {
	type DeviceDocuments,
	DOCUMENTS_BYTES,
	type HealthDocument,
	MAX_DOCUMENTS,
} from '../../core/link/link-messages.ts';

/** Devices and their health in messages that the hub takes: few enough, and small enough, as far as a single document allows. */
export function* documentMessages(
	devices: readonly Device[],
	healthOf: (device: DeviceId) => DeviceHealth | null,
): Generator<DeviceDocuments> {
	let part: Device[] = [];
	let health: HealthDocument[] = [];
	let bytes = 0;
	for (const device of devices) {
		const size = Buffer.byteLength(JSON.stringify(device));
		if (part.length === MAX_DOCUMENTS || (part.length > 0 && bytes + size > DOCUMENTS_BYTES)) {
			yield { devices: part, health };
			part = [];
			health = [];
			bytes = 0;
		}
		part.push(device);
		bytes += size;
		const known = healthOf(device.id);
		if (known !== null) health.push({ device: device.id, ...known });
	}
	if (part.length > 0) yield { devices: part, health };
}

/** Health alone, in messages that the hub takes. */
export function* healthMessages(
	ids: Iterable<DeviceId>,
	healthOf: (device: DeviceId) => DeviceHealth | null,
): Generator<DeviceDocuments> {
	let health: HealthDocument[] = [];
	for (const device of ids) {
		const known = healthOf(device);
		if (known !== null && health.push({ device, ...known }) === MAX_DOCUMENTS) {
			yield { devices: [], health };
			health = [];
		}
	}
	if (health.length > 0) yield { devices: [], health };
}
