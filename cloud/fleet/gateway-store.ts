import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import type { GatewayRecord, GatewayRepository } from './gateway-record.ts';

/** Gateways in a document database, all of them in memory too: the link asks at each connection. */
export async function openGatewayStore(folder: string): Promise<GatewayRepository & Stoppable> {
	const database = openDatabase<GatewayRecord>(folder);
	const byId = new Map<GatewayId, GatewayRecord>();
	const { rows } = await database.allDocs({ include_docs: true });
	for (const { doc } of rows) {
		if (doc === undefined) continue;
		const { id, name, secretHash, enrolledAt, revokedAt } = doc;
		byId.set(id, { id, name, secretHash, enrolledAt, revokedAt });
	}
	let writing: Promise<void> = Promise.resolve();

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
		put: (record) => (writing = writing.catch(() => undefined).then(() => write(record))),
		async stop() {
			await writing.catch(() => undefined);
			await database.close();
		},
	};
}
