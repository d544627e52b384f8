import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { KnownPorts } from '../../core/device/device-rules.ts';
import { createDeviceService, type DeviceService } from '../../core/device/device-service.ts';
import { createDeviceStore } from '../../core/device/device-store.ts';
import type { Connection } from '../../config/connection/connection.ts';
import type { Device } from '../../core/device/device.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT, deviceId, deviceUid, type GatewayId, gatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { plainDevice } from './plain-device.ts';

export const GATEWAY: GatewayId = gatewayId('9a000000-0000-4000-8000-000000000001');
export const HUB: GatewayId = gatewayId('9b000000-0000-4000-8000-000000000001');
export const NOBODY = 'aa000000-0000-4000-8000-00000000ffff';
/** Somebody who is at home in the default tenant only; everybody else but `NOBODY` is in all of them. */
export const LOCAL = 'aa000000-0000-4000-8000-00000000eeee';

export const rtuConnection = (path: string, baudRate = 9600, unitId = 1): Connection => ({
	driver: 'modbus',
	line: { transport: 'rtu', path, baudRate, parity: 'none', dataBits: 8, stopBits: 1 },
	unitId,
	template: 'eastron-sdm630',
	periodMs: 1_000,
	timeoutMs: 500,
});

/** A device document as a gateway would send it. */
export const deviceOf = (number: number, uid: string, changes: Partial<Device> = {}): Device =>
	plainDevice({
		id: deviceId(`dd000000-0000-4000-8000-${String(number).padStart(12, '0')}`),
		uid: deviceUid(uid),
		status: 'offline',
		gatewayId: GATEWAY,
		createdAt: epochMs(1_767_225_600_000 + number),
		...changes,
	});

export interface DeviceBox {
	readonly folder: string;
	readonly clock: ManualClock;
	readonly devices: DeviceService;
	/** A second life on the same folder. */
	readonly reopen: () => Promise<DeviceService>;
	readonly close: () => Promise<void>;
}

/** A device service over the real store in a temporary folder. */
export async function deviceBox(
	at: GatewayId | null = GATEWAY,
	maxAdopted?: number,
	ports?: KnownPorts,
): Promise<DeviceBox> {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-devices-'));
	const clock = createManualClock();
	const stops: (() => Promise<void>)[] = [];
	async function open(): Promise<DeviceService> {
		for (const stop of stops.splice(0)) await stop();
		const database = openDatabase<Device>(join(folder, 'devices'));
		const devices = createDeviceService({
			devices: await createDeviceStore(database),
			gatewayId: at,
			node: at ?? HUB,
			templates: { has: (key) => key === 'eastron-sdm630' },
			ports,
			users: { exists: async (id, tenant) => id !== NOBODY && (id !== LOCAL || tenant === DEFAULT_TENANT) },
			clock,
			log: silentLog,
			...(maxAdopted !== undefined && { maxAdopted }),
		});
		stops.push(async () => {
			await devices.stop();
			await database.close();
		});
		return devices;
	}
	return {
		folder,
		clock,
		devices: await open(),
		reopen: open,
		close: async () => {
			for (const stop of stops.splice(0)) await stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
