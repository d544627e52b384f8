import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { byteView } from '../../core/journal/byte-view.ts';
import { type Actor, isInTenantOf } from '../../core/identity/role.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, fieldFault, messageOf } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { BundleImport, ImportResult } from './bundle-import.ts';

/** Largest bundle, and the uploads that are open at a time. */
export const MOST_BUNDLE_BYTES = 1024 * 1024 * 1024;
const MOST_UPLOADS = 8;
/** Those of one tenant: the others get their turn. */
const MOST_OF_TENANT = 4;
/** Outcomes that are remembered; each holds a receipt. */
const MOST_ENDED = 32;
/** An upload that nobody goes on with gives way, after so long, to one that is begun. */
const IDLE_MS = 10 * 60_000;
/** An upload that nobody goes on with, and the outcome of an import, are forgotten after so long. */
const KEPT_MS = 24 * 3_600_000;

export type UploadState = 'uploading' | 'importing' | 'imported' | 'refused';

export interface Upload {
	readonly id: string;
	readonly state: UploadState;
	readonly receivedBytes: number;
	/** Why it was refused. */
	readonly reason: string | null;
	readonly result: ImportResult | null;
}

interface Entry {
	upload: Upload;
	readonly owner: Actor;
	readonly path: string;
	touchedMs: number;
	/** One part after the other. */
	readonly turns: ReturnType<typeof createGate>;
}

export interface BundleUploadsDeps {
	readonly folder: string;
	readonly importBundle: BundleImport;
	/** Free space that is left to others. */
	readonly minFreeBytes: number;
	readonly clock: Pick<Clock, 'monotonicMs'>;
	readonly log: Logger;
}

/** Bundles on their way in: part by part, so that a phone with a poor connection gets there; imported when they are whole. */
export async function openBundleUploads({ folder, importBundle, minFreeBytes, clock, log }: BundleUploadsDeps) {
	// What a restart interrupted is uploaded again; nothing of it was acknowledged.
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const entries = new Map<string, Entry>();
	const imports = createGate({ what: 'imports of bundles', parallel: 1, waiting: MOST_UPLOADS });
	const running = new Set<Promise<void>>();

	async function forget(entry: Entry): Promise<void> {
		entries.delete(entry.upload.id);
		await rm(entry.path, { force: true });
	}

	const isActive = ({ upload }: Entry): boolean => upload.state === 'uploading' || upload.state === 'importing';

	async function forgetOld(): Promise<void> {
		const nowMs = clock.monotonicMs();
		const ended = [...entries.values()].filter((entry) => !isActive(entry));
		const tooMany = new Set(ended.slice(0, Math.max(0, ended.length - MOST_ENDED)));
		for (const entry of entries.values()) {
			const isOld = entry.touchedMs < nowMs - KEPT_MS && entry.upload.state !== 'importing';
			if (isOld || tooMany.has(entry)) await forget(entry);
		}
	}

	/** @throws Fault `unavailable` when too many are open, of this tenant or of all */
	async function assertSlot(owner: Actor): Promise<void> {
		const active = [...entries.values()].filter(isActive);
		const idleSince = clock.monotonicMs() - IDLE_MS;
		const isFull = active.length >= MOST_UPLOADS;
		const own = active.filter((entry) => entry.owner.tenantId === owner.tenantId);
		if (!isFull && own.length < MOST_OF_TENANT) return;
		const idle = (isFull && own.length < MOST_OF_TENANT ? active : own).find(
			({ upload, touchedMs }) => upload.state === 'uploading' && touchedMs < idleSince,
		);
		if (idle === undefined)
			throw new Fault(
				'unavailable',
				`${isFull ? active.length : own.length} bundles are being uploaded; try again later`,
			);
		await forget(idle);
	}

	/** Another person's upload is none. @throws Fault `not-found` */
	function find(id: string, actor: Actor): Entry {
		const entry = entries.get(id);
		if (entry === undefined || entry.owner.userId !== actor.userId)
			throw new Fault('not-found', `upload ${id} does not exist`);
		entry.touchedMs = clock.monotonicMs();
		return entry;
	}

	function assertOpen({ upload }: Entry): void {
		if (upload.state !== 'uploading') throw new Fault('state-conflict', `upload ${upload.id} is ${upload.state}`);
	}

	async function assertRoom(bytes: number): Promise<void> {
		const { bavail, bsize } = await statfs(folder);
		if (bavail * bsize - bytes < minFreeBytes)
			throw new Fault('unavailable', 'the disk of the hub has no room for the bundle');
	}

	async function write(entry: Entry, offset: number, part: Buffer): Promise<Upload> {
		assertOpen(entry);
		const { receivedBytes } = entry.upload;
		if (offset > receivedBytes)
			throw fieldFault('rule-violation', 'offset', `must be at most ${receivedBytes}: what comes before is missing`);
		if (offset + part.length > MOST_BUNDLE_BYTES)
			throw fieldFault('rule-violation', 'offset', `a bundle has at most ${MOST_BUNDLE_BYTES} bytes`);
		await assertRoom(part.length);
		const file = await open(entry.path, offset === 0 && receivedBytes === 0 ? 'w' : 'r+', 0o600);
		try {
			await file.write(byteView(part), 0, part.length, offset);
		} finally {
			await file.close();
		}
		entry.upload = { ...entry.upload, receivedBytes: Math.max(receivedBytes, offset + part.length) };
		return entry.upload;
	}

	async function run(entry: Entry): Promise<void> {
		try {
			const result = await imports.run(() =>
				importBundle(entry.path, (record) => {
					if (!isInTenantOf(entry.owner, record))
						throw new Fault('forbidden', `gateway ${record.id} is not of your tenant`);
				}),
			);
			entry.upload = { ...entry.upload, state: 'imported', result };
			await rm(entry.path, { force: true });
		} catch (error) {
			const isFinal = error instanceof Fault && error.reason !== 'unavailable';
			// What another try may change stays open, with all its bytes.
			entry.upload = { ...entry.upload, state: isFinal ? 'refused' : 'uploading', reason: messageOf(error) };
			if (isFinal) await rm(entry.path, { force: true });
			else log.error('bundle-not-imported', { upload: entry.upload.id, reason: messageOf(error) });
		}
	}

	return {
		/** @throws Fault `unavailable` when too many are open */
		async begin(owner: Actor): Promise<Upload> {
			await forgetOld();
			await assertSlot(owner);
			const id = randomUUID();
			const upload: Upload = { id, state: 'uploading', receivedBytes: 0, reason: null, result: null };
			const turns = createGate({ what: `parts of upload ${id}`, parallel: 1, waiting: 4 });
			entries.set(id, { upload, owner, path: join(folder, id), touchedMs: clock.monotonicMs(), turns });
			return upload;
		},
		/** Adds a part; one that was sent before is written again. @throws Fault `not-found`, `rule-violation` naming `offset`, `state-conflict`, `unavailable` */
		add(id: string, actor: Actor, offset: number, part: Buffer): Promise<Upload> {
			const entry = find(id, actor);
			return entry.turns.run(() => write(entry, offset, part));
		},
		/** Imports what was uploaded, in the background; `get` tells the outcome. @throws Fault `not-found`, `state-conflict` */
		start(id: string, actor: Actor): Upload {
			const entry = find(id, actor);
			assertOpen(entry);
			if (entry.upload.receivedBytes === 0) throw new Fault('state-conflict', `upload ${id} is empty`);
			entry.upload = { ...entry.upload, state: 'importing', reason: null };
			const importing = run(entry).finally(() => running.delete(importing));
			running.add(importing);
			return entry.upload;
		},
		/** @throws Fault `not-found` */
		get: (id: string, actor: Actor): Upload => find(id, actor).upload,
		/** @throws Fault `not-found`, `state-conflict` while it is imported */
		async remove(id: string, actor: Actor): Promise<void> {
			const entry = find(id, actor);
			if (entry.upload.state === 'importing') throw new Fault('state-conflict', `upload ${id} is being imported`);
			await forget(entry);
		},
		async stop(): Promise<void> {
			await Promise.all(running);
		},
	};
}

export type BundleUploads = Awaited<ReturnType<typeof openBundleUploads>>;
