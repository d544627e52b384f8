import type { Connection } from '../../config/connection/connection.ts';
import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, DeviceUid, GatewayId, TenantId } from '../kernel/id.ts';
import type { JsonValue } from '../telemetry/reading.ts';
import type { DeviceEdits } from './device-edits.ts';

/** Reference 000. `maintenance` is set by a person and stays until a person ends it. */
export type DeviceStatus = 'online' | 'offline' | 'maintenance';

const STATUSES: readonly unknown[] = ['online', 'offline', 'maintenance'] satisfies DeviceStatus[];

export const isDeviceStatus = (value: unknown): value is DeviceStatus => STATUSES.includes(value);

export interface Device {
	readonly id: DeviceId;
	readonly uid: DeviceUid;
	readonly name: string;
	readonly deviceType: string;
	readonly status: DeviceStatus;
	readonly firmwareVersion: string | null;
	readonly ipAddress: string | null;
	readonly groupId: string | null;
	readonly ownerId: string | null;
	readonly tenantId: TenantId;
	readonly metadata: Readonly<Record<string, JsonValue>>;
	/** `null`: nobody polls it, values arrive by REST. */
	readonly connection: Connection | null;
	/** The gateway it hangs on; on a gateway always its own id. `null`: registered at the hub only. */
	readonly gatewayId: GatewayId | null;
	/** Counts up with each change at its origin; a receiver keeps the highest. */
	readonly revision: number;
	readonly lastSeenAt: EpochMs | null;
	readonly createdAt: EpochMs;
	/** Soft delete: history stays, lists leave it out. */
	readonly deletedAt: EpochMs | null;
	/** Which changes of people the shared fields have seen, at the gateway and at the hub; absent: none. */
	readonly edits?: DeviceEdits;
}

/** Health of the acquisition of one device, with hysteresis; finer than the status of reference 000. */
export type HealthState = 'ok' | 'degraded' | 'offline' | 'unknown';

export interface DeviceHealth {
	readonly state: HealthState;
	readonly since: EpochMs;
	/** A sentence for a person: what fails and what to look at; `null` while ok. */
	readonly reason: string | null;
}
