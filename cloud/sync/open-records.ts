import type { DeviceRepository } from '../../core/device/device-repository.ts';
import { type AlarmRecordsDeps, createAlarmRecords } from '../../core/sync/alarm-records.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import { createHubRecordPolicy } from './hub-record-policy.ts';
import { createRecordDownlink, type RecordDownlink, type RecordDownlinkDeps } from './record-downlink.ts';

export interface HubRecordsDeps extends Omit<RecordDownlinkDeps, 'kinds'>, Pick<AlarmRecordsDeps, 'alarms' | 'feeds'> {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly devices: Pick<DeviceRepository, 'find'>;
}

/** Everything that this hub and its gateways both keep. */
export const openRecords = ({ alarms, feeds, gateways, devices, ...deps }: HubRecordsDeps): RecordDownlink =>
	createRecordDownlink({
		...deps,
		kinds: createAlarmRecords({
			alarms,
			feeds,
			policy: createHubRecordPolicy({
				tenantOf: (id) => gateways.find(id)?.tenantId ?? null,
				deviceOf: (id) => devices.find(id),
			}),
		}),
	});
