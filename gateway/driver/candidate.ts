import type { Connection } from '../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Device } from '../../core/device/device.ts';

/** A device that can be read, and its template as it is installed: the same object for as long as that does not change. */
interface Candidate {
	readonly connection: Connection;
	readonly base: DeviceTemplate;
}

/** Whether a device that is read goes on undisturbed. */
export const isSameCandidate = (a: Candidate, b: Candidate): boolean =>
	a.base === b.base && JSON.stringify(a.connection) === JSON.stringify(b.connection);

/** Order of devices that want the same: the older one first. */
export const byAge = (a: Device, b: Device): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
