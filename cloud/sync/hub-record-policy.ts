import { Fault, notFound } from '../../core/kernel/fault.ts';
import { type DeviceId, type GatewayId, gatewayId, isUuid, type TenantId } from '../../core/kernel/id.ts';
import type { AlarmRecordPolicy } from '../../core/sync/alarm-records.ts';
import type { CommandRecordPolicy } from '../../core/sync/command-records.ts';

export interface HubRecordPolicyDeps {
	/** Tenant of a gateway; `null` when it is not enrolled here. */
	readonly tenantOf: (gateway: GatewayId) => TenantId | null;
	/** The device as the hub knows it, deleted or not; `null` when its document has not arrived. */
	readonly deviceOf: (id: DeviceId) => { readonly gatewayId: GatewayId | null } | null;
}

/** What gateways may say at the hub, and hear: each its own, and the rules for all gateways of its tenant. */
export function createHubRecordPolicy({
	tenantOf,
	deviceOf,
}: HubRecordPolicyDeps): AlarmRecordPolicy & CommandRecordPolicy {
	const tenantAt = (peer: string): TenantId | null => (isUuid(peer) ? tenantOf(gatewayId(peer)) : null);

	/** A device whose document is still on its way counts as the gateway's own. */
	function assertOwnDevice(what: string, id: DeviceId | null, peer: string): void {
		const device = id === null ? null : deviceOf(id);
		if (device !== null && device.gatewayId !== peer)
			throw new Fault('forbidden', `${what} is of device ${id}, which is not of this gateway`);
	}

	return {
		tenantOf(peer) {
			const tenant = tenantAt(peer);
			if (tenant === null) throw notFound('gateway', peer);
			return tenant;
		},
		assertRule({ id, gatewayId: scope, deviceId }, known, peer) {
			if (scope !== peer) throw new Fault('forbidden', `rule ${id} is ${scope === null ? "the hub's" : `of ${scope}`}`);
			if (known !== null && known.gatewayId !== peer)
				throw new Fault('forbidden', `the id of rule ${id} is that of a rule of another box`);
			assertOwnDevice(`rule ${id}`, deviceId, peer);
		},
		assertAlert({ id, origin, deviceId }, known, peer) {
			if (origin !== peer) throw new Fault('forbidden', `alert ${id} is of ${origin}`);
			if (known !== null && known.origin !== peer)
				throw new Fault('forbidden', `the id of alert ${id} is that of an alert of another box`);
			assertOwnDevice(`alert ${id}`, deviceId, peer);
		},
		assertCommand({ id, device }, known, peer) {
			if (known !== null && (known.origin !== 'gateway' || known.device !== device))
				throw new Fault('forbidden', `the id of command ${id} is that of another command`);
			assertOwnDevice(`command ${id}`, device, peer);
		},
		hearsCommand: () => false,
		hearsRule: ({ gatewayId: scope, tenantId }, peer) =>
			(scope === null || scope === peer) && tenantId === tenantAt(peer),
		hearsAlert: ({ origin }, peer) => origin === peer,
	};
}
