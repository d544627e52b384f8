import { Fault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { DeviceRepository } from './device-repository.ts';
import type { Device } from './device.ts';

/**
 * How many documents each gateway has at a hub. All of them are in memory, so that no gateway may bring them without end.
 * @param max of one gateway, deleted ones included
 */
export function createAdoptedCount(devices: Pick<DeviceRepository, 'all'>, max: number) {
	/** `null` before the first one comes: a gateway has no use for it. */
	let counts: Map<GatewayId | null, number> | null = null;

	function counted(): Map<GatewayId | null, number> {
		const fresh = new Map<GatewayId | null, number>();
		for (const { gatewayId } of devices.all()) fresh.set(gatewayId, (fresh.get(gatewayId) ?? 0) + 1);
		return fresh;
	}

	return {
		/** Counts a document that is new here. @throws Fault `rule-violation` beyond the limit */
		add({ gatewayId }: Pick<Device, 'gatewayId'>): void {
			counts ??= counted();
			const count = counts.get(gatewayId) ?? 0;
			if (count >= max)
				throw new Fault(
					'rule-violation',
					`gateway ${gatewayId} has ${count} devices here, deleted ones included; no more are taken`,
				);
			counts.set(gatewayId, count + 1);
		},
	};
}
