import { setImmediate as nextTurn } from 'node:timers/promises';

import type { FileJournal } from '../journal/file-journal.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import { type Clock, epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { type ChunkDocument, chunksOf, monthEnd } from './history-chunk.ts';
import type { HistoryMonths } from './history-months.ts';
import { compareReadings } from './history-order.ts';
import type { HistoryWindow } from './history-window.ts';
import type { Reading } from './reading.ts';

const DAY_MS = 86_400_000;
/** Documents of one write; each is some tens of kilobytes. */
const DOCUMENTS_PER_WRITE = 8;
const RETRY_MS = 30_000;
const CONFLICT = 409;

/** Where it is kept how far sealing has come. */
export interface SealMark {
	/** The last segment whose readings are all in chunks; 0 for none. */
	read(): Promise<number>;
	/** Durable when it resolves. */
	write(segment: number): Promise<void>;
}

export interface HistorySealerDeps {
	readonly journal: Pick<FileJournal, 'read' | 'hold' | 'end' | 'closedSegments'>;
	readonly window: HistoryWindow;
	readonly months: HistoryMonths;
	readonly mark: SealMark;
	readonly clock: Clock;
	readonly log: Logger;
	readonly setTimer: SetTimer;
	/** Months that ended longer ago are dropped. */
	readonly retentionDays: number;
	readonly sealedThrough: number;
}

export interface HistorySealer extends Stoppable {
	/** Seals what closed segments there are, in the background; tries again later when that fails. */
	kick(): void;
	/** Seals one segment. */
	seal(segment: number): Promise<void>;
	/** Drops months beyond retention. */
	expire(): Promise<void>;
	/** Resolves when no sealing runs. */
	settled(): Promise<void>;
	sealedThrough(): number;
}

/** Turns closed journal segments into chunks: chunks, then the mark, then the segment and the memory are let go. */
export function createHistorySealer(deps: HistorySealerDeps): HistorySealer {
	const { journal, window, months, mark, clock, log, setTimer, retentionDays } = deps;
	let { sealedThrough } = deps;
	let running: Promise<void> | null = null;
	let cancelRetry: (() => void) | null = null;
	let isStopped = false;

	const isExpired = (month: string): boolean => monthEnd(month) < epochMs(clock.now() - retentionDays * DAY_MS);

	async function fromJournal(segment: number): Promise<ReadonlyMap<DeviceId, readonly Reading[]>> {
		const devices = new Map<DeviceId, Reading[]>();
		for await (const { at, readings } of journal.read({ segment, offset: 0 })) {
			if (at.segment !== segment) break;
			for (const reading of readings) {
				const list = devices.get(reading.device);
				if (list === undefined) devices.set(reading.device, [reading]);
				else list.push(reading);
			}
			await nextTurn();
		}
		for (const list of devices.values()) list.sort(compareReadings);
		return devices;
	}

	async function store(month: string, documents: readonly ChunkDocument[]): Promise<void> {
		const results = await months.use(month, (database) => database.bulkDocs([...documents]));
		for (const result of results) {
			if (!('error' in result) || result.status === CONFLICT) continue;
			throw new Error(`chunk ${result.id ?? ''} was not stored: ${result.message ?? 'no reason given'}`);
		}
	}

	async function storeAll(devices: ReadonlyMap<DeviceId, readonly Reading[]>): Promise<void> {
		const waiting = new Map<string, ChunkDocument[]>();
		for (const readings of devices.values()) {
			for (const { month, chunk } of chunksOf(readings)) {
				if (isExpired(month)) continue;
				const documents = waiting.get(month) ?? [];
				waiting.set(month, documents);
				documents.push(chunk);
				if (documents.length >= DOCUMENTS_PER_WRITE) await store(month, documents.splice(0));
				// The bus and the API get their turn between two chunks.
				await nextTurn();
			}
		}
		for (const [month, documents] of waiting) if (documents.length > 0) await store(month, documents);
	}

	async function seal(segment: number): Promise<void> {
		await storeAll(window.bySegment(segment) ?? (await fromJournal(segment)));
		await mark.write(segment);
		sealedThrough = segment;
		journal.hold('sealer', { segment: segment + 1, offset: 0 });
		window.release(segment);
	}

	async function expire(): Promise<void> {
		for (const month of months.list().filter(isExpired)) {
			log.info('history-month-expired', { month });
			await months.drop(month);
		}
	}

	/** The oldest segment to seal. One that the journal gave up for its space is still sealed from memory. */
	function nextSegment(): number | undefined {
		const givenUp = window.segments().filter((segment) => segment < journal.end().segment);
		return [...givenUp, ...journal.closedSegments()]
			.filter((segment) => segment > sealedThrough)
			.toSorted((one, other) => one - other)[0];
	}

	async function run(): Promise<void> {
		for (;;) {
			const next = nextSegment();
			if (next === undefined || isStopped) break;
			await seal(next);
		}
		if (!isStopped) await expire();
	}

	function kick(): void {
		if (running !== null || isStopped) return;
		cancelRetry?.();
		cancelRetry = null;
		running = run()
			.catch((error: unknown) => {
				log.error('history-seal-failed', { sealedThrough, reason: messageOf(error) });
				cancelRetry = setTimer(kick, RETRY_MS);
			})
			.finally(() => {
				running = null;
				if (nextSegment() !== undefined && cancelRetry === null) kick();
			});
	}

	async function drained(): Promise<void> {
		for (let current = running; current !== null; current = running) await current;
	}

	return {
		kick,
		seal,
		expire,
		settled: drained,
		sealedThrough: () => sealedThrough,
		async stop() {
			isStopped = true;
			cancelRetry?.();
			await drained();
		},
	};
}
