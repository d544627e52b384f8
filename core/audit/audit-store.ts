import { randomUUID } from 'node:crypto';

import type { FileLayer } from '../journal/file-layer.ts';
import { nodeFileLayer } from '../journal/node-file-layer.ts';
import { type SetTimer, systemTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { AuditEntry, AuditEvent, AuditLog } from './audit.ts';
import { QUOTA_ACTION } from './audit-chain.ts';
import { type AuditReader, createAuditReader } from './audit-reader.ts';
import { keepable } from './audit-redaction.ts';
import { createRefusalCounter } from './audit-refusals.ts';
import { openAuditWriter } from './audit-writer.ts';

const MIB = 1024 * 1024;

/** Entries that may wait in memory for a disk that takes nothing. */
const MAX_QUEUED = 1_000;
/** Entries of one commit: about a quarter of a segment at most in practice. */
const MAX_BATCH = 100;
const RETRY_MS = 5_000;
/** A disk that hangs keeps no answer back for longer. */
const RECORD_TIMEOUT_MS = 5_000;

export interface AuditStats {
	/** Lines written since the first one. */
	readonly entries: number;
	readonly bytes: number;
	/** Entries that wait for the disk. */
	readonly queued: number;
	/** Entries that found no place in memory either, since the start. */
	readonly lost: number;
	/** Why the last write failed, while writing fails. */
	readonly writeError: string | null;
}

export interface AuditStore extends AuditLog, AuditReader, Stoppable {
	stats(): AuditStats;
}

export interface AuditStoreDeps {
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly files?: FileLayer;
	readonly setTimer?: SetTimer;
	/** Default 1 MiB. */
	readonly segmentBytes?: number;
	/** Quota of all segments together; default 64 MiB. The oldest segment is then removed whole, which is an entry itself. */
	readonly maxBytes?: number;
}

interface Queued {
	readonly entry: AuditEntry;
	readonly done: () => void;
}

const ofTheBox = (action: string, after: object): AuditEvent => ({
	action,
	outcome: 'done',
	actor: null,
	tenantId: null,
	from: '',
	target: null,
	reason: null,
	before: null,
	after,
	requestId: null,
});

/**
 * The audit log on disk: lines of JSON in segments, one fsync for all that wait, each line carrying the hash of the line before. A log
 * that cannot be written keeps nobody from his work: what is to be written waits in memory, and what finds no place there is counted.
 */
export async function openAuditStore(deps: AuditStoreDeps): Promise<AuditStore> {
	const { folder, clock, log, files = nodeFileLayer, setTimer = systemTimer } = deps;
	const { segmentBytes = MIB, maxBytes = 64 * MIB } = deps;
	const writer = await openAuditWriter({ folder, files, segmentBytes, log });
	const reader = createAuditReader({ files, writer });
	const queue: Queued[] = [];
	let writeError: string | null = null;
	let draining: Promise<void> | null = null;
	let cancelRetry: (() => void) | null = null;
	let lost = 0;
	let lostUntold = 0;
	let isStopped = false;

	const entryOf = (event: AuditEvent, count: number): AuditEntry => ({
		id: randomUUID(),
		at: clock.now(),
		count,
		...keepable(event),
	});

	/** Makes room by the quota; what is removed is written down before it is. */
	async function keepQuota(): Promise<void> {
		while (writer.bytes() > maxBytes) {
			const oldest = await writer.oldest();
			if (oldest === null) return;
			const { throughSeq, lastHash, remove } = oldest;
			await writer.write([entryOf(ofTheBox(QUOTA_ACTION, { through_seq: throughSeq, last_hash: lastHash }), 1)]);
			await remove();
		}
	}

	async function commit(): Promise<void> {
		if (lostUntold > 0) {
			await writer.write([entryOf(ofTheBox('audit-lost', { entries: lostUntold }), 1)]);
			lostUntold = 0;
		}
		const batch = queue.slice(0, MAX_BATCH);
		await writer.write(batch.map(({ entry }) => entry));
		queue.splice(0, batch.length);
		for (const { done } of batch) done();
		await keepQuota();
	}

	function failed(error: unknown): void {
		const reason = messageOf(error);
		if (writeError !== reason) log.error('audit-write-failed', { path: folder, reason, queued: queue.length });
		writeError = reason;
		// Whoever waits goes on; the entries stay.
		for (const { done } of queue) done();
		cancelRetry ??= setTimer(() => {
			cancelRetry = null;
			drain();
		}, RETRY_MS);
	}

	async function drainAll(): Promise<void> {
		try {
			while (queue.length > 0) {
				await commit();
				if (writeError !== null) log.info('audit-write-recovered', { path: folder });
				writeError = null;
			}
		} catch (error) {
			failed(error);
		}
	}

	function drain(): void {
		draining ??= drainAll().finally(() => {
			draining = null;
			if (queue.length > 0 && writeError === null) drain();
		});
	}

	/** Resolves when the entry is on disk, or when it is known that this will take a while. */
	function put(event: AuditEvent, count: number): Promise<void> {
		if (queue.length >= MAX_QUEUED) {
			lost += 1;
			lostUntold += 1;
			return Promise.resolve();
		}
		return new Promise((resolve) => {
			// Nobody waits for the next try; who comes during it does.
			const isFailing = writeError !== null && draining === null;
			const cancel = setTimer(() => {
				log.warn('audit-slow', { action: event.action, afterMs: RECORD_TIMEOUT_MS });
				resolve();
			}, RECORD_TIMEOUT_MS);
			const done = (): void => {
				cancel();
				resolve();
			};
			queue.push({ entry: entryOf(event, count), done });
			if (isFailing) done();
			// Others of the same turn join this commit.
			else queueMicrotask(drain);
		});
	}

	const refusals = createRefusalCounter({ put: (event, count) => void put(event, count), clock, setTimer });

	log.info('audit-opened', { path: folder, entries: writer.head().seq, head: writer.head().hash });
	async function checkChain(): Promise<void> {
		try {
			const { isIntact, breaks } = await reader.verify(() => !isStopped);
			const [first] = breaks;
			if (!isIntact && !isStopped)
				log.error('audit-chain-broken', { breaks: breaks.length, segment: first?.segment, rule: first?.rule });
		} catch (error) {
			log.warn('audit-not-verified', { reason: messageOf(error) });
		}
	}

	function stopRetry(): void {
		cancelRetry?.();
		cancelRetry = null;
	}

	async function stop(): Promise<void> {
		isStopped = true;
		refusals.stop();
		stopRetry();
		if (queue.length > 0) drain();
		await draining;
		stopRetry();
		if (queue.length > 0) log.error('audit-lost-at-stop', { entries: queue.length });
		await checked;
		await writer.close();
	}

	const checked = checkChain();
	let stopping: Promise<void> | null = null;

	return {
		...reader,
		record: (event) => put(event, 1),
		refused: (event) => refusals.count(event),
		stats: () => ({ entries: writer.head().seq, bytes: writer.bytes(), queued: queue.length, lost, writeError }),
		stop: () => (stopping ??= stop()),
	};
}
