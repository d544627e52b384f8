import { createGate } from '../../core/kernel/gate.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import { DEFAULT_TENANT, type GatewayId } from '../../core/kernel/id.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import type { GatewayRecord, GatewayRepository } from './gateway-record.ts';

/** Records of before there were certificates have none: their gateways are to be enrolled again. Nor is there a tenant in older ones. */
type Saved = Omit<GatewayRecord, 'certificates' | 'tenantId'> &
	Partial<Pick<GatewayRecord, 'certificates' | 'tenantId'>>;

/** Most changes that may wait for the disk: a fleet that is switched on at once. */
const MAX_WAITING = 5_000;

/** Gateways in a document database, all of them in memory too: the link asks at each connection. */
export async function openGatewayStore(folder: string): Promise<GatewayRepository & Stoppable> {
	const database = openDatabase<Saved>(folder);
	const byId = new Map<GatewayId, GatewayRecord>();
	const { rows } = await database.allDocs({ include_docs: true });
	for (const { doc } of rows) {
		if (doc === undefined) continue;
		const { id, name, tenantId = DEFAULT_TENANT, certificates = [], enrolledAt, revokedAt } = doc;
		byId.set(id, { id, name, tenantId, certificates, enrolledAt, revokedAt });
	}
	const gate = createGate({ what: 'changes of gateways', parallel: 1, waiting: MAX_WAITING });

	async function write(record: GatewayRecord): Promise<void> {
		const { rows: found } = await database.allDocs({ keys: [record.id] });
		const row = found[0];
		const revision = row !== undefined && 'value' in row ? { _rev: row.value.rev } : {};
		await database.put({ ...record, _id: record.id, ...revision });
		byId.set(record.id, record);
	}

	return {
		find: (id) => byId.get(id) ?? null,
		all: () => [...byId.values()],
		change: (id, change) =>
			gate.run(async () => {
				const record = change(byId.get(id) ?? null);
				if (record !== byId.get(id)) await write(record);
				return record;
			}),
		async stop() {
			await gate.run(async () => undefined);
			await database.close();
		},
	};
}
