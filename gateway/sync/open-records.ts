import type { DeviceService } from '../../core/device/device-service.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { type AlarmRecordsDeps, createAlarmRecords } from '../../core/sync/alarm-records.ts';
import { type CommandRecordsDeps, createCommandRecords } from '../../core/sync/command-records.ts';
import { createGatewayRecordPolicy } from './gateway-record-policy.ts';
import { createRecordUplink, type RecordUplink } from './record-uplink.ts';

export interface GatewayRecordsDeps
	extends Pick<AlarmRecordsDeps, 'alarms' | 'feeds'>, Omit<CommandRecordsDeps, 'policy'> {
	/** This gateway. */
	readonly node: GatewayId;
	readonly devices: Pick<DeviceService, 'find' | 'takeEdit'>;
	readonly log: Logger;
}

/** Everything that this gateway and its hub both keep. */
export function openRecords({ node, devices, log, ...deps }: GatewayRecordsDeps): RecordUplink {
	const policy = createGatewayRecordPolicy({ node, devices });
	const kinds = [...createAlarmRecords({ ...deps, policy }), createCommandRecords({ ...deps, policy })];
	return createRecordUplink({ node, kinds, devices, log });
}
