import { join } from 'node:path';

import type { GatewayId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createDocumentSet } from '../../core/storage/document-set.ts';
import { ensureSound } from '../../core/storage/ensure-sound.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { ConfigurationHead, Revision } from './revision.ts';
import type { Content, RevisionRepository } from './revision-repository.ts';

interface ContentDocument {
	readonly value: JsonValue;
}

/** Digits of a revision's number in its id, so that ids are in its order. */
const DIGITS = 9;

const revisionId = ({ gateway, revision }: Revision): string => `${gateway} ${String(revision).padStart(DIGITS, '0')}`;

const contentId = (gateway: GatewayId, checksum: string): string => `${gateway} ${checksum}`;

const newestFirst = (a: Revision, b: Revision): number => b.revision - a.revision;

/** Two document databases: what is known of revisions, all of it in memory, and their contents by gateway and checksum. */
export async function openRevisionStore(folder: string, log: Logger): Promise<RevisionRepository & Stoppable> {
	const listFolder = join(folder, 'list');
	const contentFolder = join(folder, 'content');
	await ensureSound(listFolder, log);
	await ensureSound(contentFolder, log);
	const lists = openDatabase<object>(listFolder);
	const contents = openDatabase<ContentDocument>(contentFolder);
	const headSet = createDocumentSet<ConfigurationHead & { readonly id: string }>(lists, 'head');
	const revisionSet = createDocumentSet<Revision & { readonly id: string }>(lists, 'revision');
	const heads = new Map<GatewayId, ConfigurationHead>();
	const revisions = new Map<GatewayId, readonly Revision[]>();

	for (const { id: _, ...head } of await headSet.all()) heads.set(head.gateway, head);
	for (const { id: _, ...revision } of await revisionSet.all())
		revisions.set(revision.gateway, [...(revisions.get(revision.gateway) ?? []), revision]);
	for (const [gateway, list] of revisions) revisions.set(gateway, list.toSorted(newestFirst));

	async function writeContents(gateway: GatewayId, list: readonly Content[]): Promise<void> {
		const byId = new Map(list.map(({ checksum, value }) => [contentId(gateway, checksum), value]));
		if (byId.size === 0) return;
		const { rows } = await contents.allDocs({ keys: [...byId.keys()] });
		for (const row of rows) {
			const isThere = 'value' in row && row.value.deleted !== true;
			const value = byId.get(row.key);
			if (isThere || value === undefined) continue;
			const revision = 'value' in row ? { _rev: row.value.rev } : {};
			await contents.put({ _id: row.key, value, ...revision });
		}
	}

	async function dropContents(gateway: GatewayId, needed: ReadonlySet<string>): Promise<void> {
		const { rows } = await contents.allDocs({ startkey: `${gateway} `, endkey: `${gateway} \uFFFF` });
		for (const row of rows)
			if (!needed.has(row.id.slice(gateway.length + 1))) await contents.remove({ _id: row.id, _rev: row.value.rev });
	}

	return {
		head: (gateway) => heads.get(gateway) ?? null,
		revisions: (gateway) => revisions.get(gateway) ?? [],
		async content(gateway, checksum) {
			const { rows } = await contents.allDocs({ keys: [contentId(gateway, checksum)], include_docs: true });
			const row = rows[0];
			return row !== undefined && 'doc' in row && row.doc ? row.doc.value : null;
		},
		async save({ head, contents: list = [], added, removed = [], needed }) {
			const { gateway } = head;
			await writeContents(gateway, list);
			if (added !== undefined) await revisionSet.write([{ ...added, id: revisionId(added) }]);
			await headSet.write([{ ...head, id: gateway }]);
			heads.set(gateway, head);
			const kept = [...(added === undefined ? [] : [added]), ...(revisions.get(gateway) ?? [])];
			revisions.set(
				gateway,
				kept.filter(({ revision }) => !removed.some((one) => one.revision === revision)),
			);
			await revisionSet.write([], removed.map(revisionId));
			if (needed !== undefined) await dropContents(gateway, needed);
		},
		async stop() {
			await lists.close();
			await contents.close();
		},
	};
}
