import type { GatewayRecord, GatewayRepository } from '../../cloud/fleet/gateway-record.ts';

/** Gateways without a disk. */
export function memoryGateways(): GatewayRepository & { readonly records: ReadonlyMap<string, GatewayRecord> } {
	const records = new Map<string, GatewayRecord>();
	return {
		records,
		find: (id) => records.get(id) ?? null,
		all: () => [...records.values()],
		async change(id, change) {
			const record = change(records.get(id) ?? null);
			records.set(id, record);
			return record;
		},
	};
}
