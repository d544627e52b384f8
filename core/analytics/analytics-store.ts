import { epochMs } from '../kernel/clock.ts';
import { deviceId, tenantId } from '../kernel/id.ts';
import type { DocumentDatabase } from '../storage/pouch.ts';
import type { AnalysisResult } from './analytics.ts';
import type { AnalyticsRepository, ResultFacts } from './analytics-repository.ts';

export type ResultDocument = Omit<AnalysisResult, 'id'>;

/** Results that are kept. */
const MAX_RESULTS = 10_000;

interface Entry extends ResultFacts {
	readonly key: string;
	readonly id: string;
}

/** In the order of time, and with everything that a list is filtered by, so that no document is loaded for nothing. */
const keyOf = ({ createdAt, type, device, tenantId: tenant, id }: AnalysisResult): string =>
	[String(createdAt).padStart(16, '0'), type, device, tenant, id].join('!');

function entryOf(key: string): Entry | null {
	const [, type, device, tenant, id] = key.split('!');
	if (type === undefined || device === undefined || tenant === undefined || id === undefined) return null;
	try {
		return { key, type, device: deviceId(device), tenantId: tenantId(tenant), id };
	} catch {
		return null;
	}
}

/** Results as documents; their keys are held in memory, about a hundred bytes each. */
export async function createAnalyticsStore(
	database: DocumentDatabase<ResultDocument>,
	maxResults = MAX_RESULTS,
): Promise<AnalyticsRepository> {
	/** Oldest first. */
	const entries = (await database.allDocs()).rows.flatMap(({ id }) => entryOf(id) ?? []);
	let writing: Promise<void> = Promise.resolve();

	async function dropOldest(): Promise<void> {
		const surplus = entries.slice(0, Math.max(0, entries.length - maxResults));
		if (surplus.length === 0) return;
		const { rows } = await database.allDocs({ keys: surplus.map(({ key }) => key) });
		const gone = rows.flatMap((row) =>
			'value' in row ? [{ _id: row.id, _rev: row.value.rev, _deleted: true } as const] : [],
		);
		// A deleted document has no fields; the type of the database does not know that.
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
		await database.bulkDocs(gone as unknown as ResultDocument[]);
		entries.splice(0, surplus.length);
	}

	async function write(results: readonly AnalysisResult[]): Promise<void> {
		const documents = results.map((result) => {
			const { id: _id, ...document } = result;
			return Object.assign(document, { _id: keyOf(result) });
		});
		const written = await database.bulkDocs(documents);
		const failed = written.find((answer) => 'error' in answer);
		if (failed !== undefined) throw new Error(`an analysis was not stored: ${JSON.stringify(failed)}`);
		entries.push(...results.flatMap((result) => entryOf(keyOf(result)) ?? []));
		entries.sort((one, other) => (one.key < other.key ? -1 : 1));
		await dropOldest();
	}

	return {
		add: (results) => (writing = writing.catch(() => undefined).then(() => write(results))),
		async page(type, { skip, limit }, filter) {
			const found = entries.filter((entry) => entry.type === type && filter(entry)).toReversed();
			const wanted = found.slice(skip, skip + limit);
			const { rows } = await database.allDocs({ keys: wanted.map(({ key }) => key), include_docs: true });
			const items = rows.flatMap((row, index) => {
				const entry = wanted[index];
				if (entry === undefined || !('doc' in row) || !row.doc) return [];
				const { type: kind, device, deviceUid, tenantId: tenant, createdAt, status, trends } = row.doc;
				return {
					id: entry.id,
					type: kind,
					device,
					deviceUid,
					tenantId: tenant,
					createdAt: epochMs(createdAt),
					status,
					trends,
				};
			});
			return { items, total: found.length };
		},
	};
}
