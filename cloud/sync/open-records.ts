import type { DeviceRepository } from '../../core/device/device-repository.ts';
import { type AlarmRecordsDeps, createAlarmRecords } from '../../core/sync/alarm-records.ts';
import { type CommandRecordsDeps, createCommandRecords } from '../../core/sync/command-records.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import { createHubRecordPolicy } from './hub-record-policy.ts';
import { createRecordDownlink, type RecordDownlinkDeps } from './record-downlink.ts';

export interface HubRecordsDeps
	extends
		Omit<RecordDownlinkDeps, 'kinds'>,
		Pick<AlarmRecordsDeps, 'alarms' | 'feeds'>,
		Omit<CommandRecordsDeps, 'policy'> {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly devices: Pick<DeviceRepository, 'find'>;
}

/** Everything that this hub and its gateways both keep. */
export function openRecords({ alarms, feeds, commands, commandFeed, gateways, devices, ...deps }: HubRecordsDeps) {
	const policy = createHubRecordPolicy({
		tenantOf: (id) => gateways.find(id)?.tenantId ?? null,
		deviceOf: (id) => devices.find(id),
	});
	const alarmRecords = createAlarmRecords({ alarms, feeds, policy });
	return createRecordDownlink({
		...deps,
		kinds: [...alarmRecords, createCommandRecords({ commands, commandFeed, policy })],
	});
}
