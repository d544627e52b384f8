import { createHash } from 'node:crypto';

import type { Device, DeviceHealth } from '../device/device.ts';
import type { DeviceId } from '../kernel/id.ts';
import { canonicalText } from './version.ts';

/** Parts in which the devices of a gateway are compared: those of a part whose digest differs are compared one by one. */
export const DEVICE_PARTS = 16;

/** Hexadecimal digits of a digest: 64 bits, against chance and not against an enemy. */
export const DIGEST_DIGITS = 16;

/** What two boxes know of one device, to be compared. */
export interface DeviceDigest {
	readonly id: DeviceId;
	readonly document: string;
	/** Empty: no health is known. */
	readonly health: string;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);

/** The part of a device: by the first digit of its id, whose digits are random. */
export const partOf = (id: DeviceId): number => Number.parseInt(id.charAt(0), DEVICE_PARTS);

/** Of the document without what each box has of its own: the tenant, and the last sign of life. */
export function documentDigest({ tenantId: _tenantId, lastSeenAt: _lastSeenAt, ...shared }: Device): string {
	return digestOf(canonicalText(shared));
}

export const healthDigest = (health: DeviceHealth | null): string =>
	health === null ? '' : digestOf(canonicalText([health.state, health.since, health.reason]));

/** One digest for each part; the order of the devices does not matter. */
export function partDigests(devices: Iterable<DeviceDigest>): readonly string[] {
	const lines: string[][] = Array.from({ length: DEVICE_PARTS }, () => []);
	for (const { id, document, health } of devices) lines[partOf(id)]?.push(`${id} ${document} ${health}`);
	return lines.map((part) => digestOf(part.toSorted().join('\n')));
}
