import type { DeviceService } from '../../core/device/device-service.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { DEFAULT_TENANT, type GatewayId } from '../../core/kernel/id.ts';
import type { AlarmRecordPolicy } from '../../core/sync/alarm-records.ts';
import type { CommandRecordPolicy } from '../../core/sync/command-records.ts';

export interface GatewayRecordPolicyDeps {
	/** This gateway. */
	readonly node: GatewayId;
	readonly devices: Pick<DeviceService, 'find'>;
}

/** What a gateway tells its hub, and what it lets itself be told: its own, and the hub's rules for all gateways. */
export const createGatewayRecordPolicy = ({
	node,
	devices,
}: GatewayRecordPolicyDeps): AlarmRecordPolicy & CommandRecordPolicy => ({
	// It knows one tenant only, its own.
	tenantOf: () => DEFAULT_TENANT,
	assertRule({ id, gatewayId }, known) {
		if (gatewayId !== null && gatewayId !== node) throw new Fault('forbidden', `rule ${id} is of gateway ${gatewayId}`);
		if (known !== null && known.gatewayId !== gatewayId)
			throw new Fault('forbidden', `rule ${id} is here ${known.gatewayId === null ? "the hub's" : "this gateway's"}`);
	},
	assertAlert({ id, origin, deviceId }, known) {
		if (origin !== node) throw new Fault('forbidden', `alert ${id} is of ${origin}`);
		if (known === null && devices.find(deviceId) === null)
			throw new Fault('not-found', `alert ${id} is of device ${deviceId}, which is not here`);
	},
	assertCommand({ id }) {
		throw new Fault('forbidden', `command ${id} is no record: commands of the hub are handed on as such`);
	},
	hearsCommand: ({ origin }) => origin === 'local',
	hearsRule: ({ gatewayId }) => gatewayId === node,
	hearsAlert: ({ origin }) => origin === node,
});
