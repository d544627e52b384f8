import type { FileJournal } from '../journal/file-journal.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryWindow } from './history-window.ts';

const RETRY_MS = 30_000;

export interface SealLoopDeps {
	readonly journal: Pick<FileJournal, 'end' | 'closedSegments'>;
	readonly window: Pick<HistoryWindow, 'segments'>;
	/** Seals one segment; `false` when it cannot be sealed yet. */
	readonly seal: (segment: number) => Promise<boolean>;
	/** Runs after each round, sealed or not. */
	readonly tidy: () => Promise<void>;
	readonly sealedThrough: number;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

export interface SealLoop extends Stoppable {
	/** Seals what closed segments there are, in the background; tries again later when that fails. */
	readonly kick: () => void;
	/** Seals all closed segments but the newest `keep`. What cannot be sealed is left to the background. */
	readonly catchUp: (keep: number) => Promise<void>;
	/** Resolves when no sealing runs. */
	readonly settled: () => Promise<void>;
	readonly sealedThrough: () => number;
}

/** Seals closed segments in their order, one at a time. */
export function createSealLoop({ journal, window, seal, tidy, setTimer, log, ...deps }: SealLoopDeps): SealLoop {
	let { sealedThrough } = deps;
	let running: Promise<void> | null = null;
	let cancelRetry: (() => void) | null = null;
	/** A segment that waits for its time; it is tried again with the next kick. */
	let waiting = 0;
	let isStopped = false;

	/** The oldest segment to seal. One that the journal gave up for its space is still sealed from memory. */
	function nextSegment(): number | undefined {
		const givenUp = window.segments().filter((segment) => segment < journal.end().segment);
		return [...givenUp, ...journal.closedSegments()]
			.filter((segment) => segment > sealedThrough)
			.toSorted((one, other) => one - other)[0];
	}

	async function sealAll(keep: number): Promise<void> {
		for (let next = nextSegment(); next !== undefined; next = nextSegment()) {
			if (isStopped) return;
			if (journal.closedSegments().filter((segment) => segment > sealedThrough).length <= keep && keep > 0) return;
			if (!(await seal(next))) {
				if (waiting !== next) log.info('history-waits-for-time', { segment: next });
				waiting = next;
				return;
			}
			sealedThrough = next;
		}
	}

	/** What cannot be written may be written when the oldest was let go. */
	async function sealWithRoom(keep: number): Promise<void> {
		try {
			await sealAll(keep);
		} catch (error) {
			log.warn('history-seal-failed', { sealedThrough, reason: messageOf(error), again: true });
			await tidy();
			await sealAll(keep);
		}
	}

	async function run(keep = 0): Promise<void> {
		try {
			await sealWithRoom(keep);
		} catch (error) {
			log.error('history-seal-failed', { sealedThrough, reason: messageOf(error) });
			cancelRetry = setTimer(kick, RETRY_MS);
		}
		if (!isStopped)
			await tidy().catch((error: unknown) => log.warn('history-tidy-failed', { reason: messageOf(error) }));
	}

	function kick(): void {
		if (running !== null || isStopped) return;
		cancelRetry?.();
		cancelRetry = null;
		running = run().finally(() => {
			running = null;
			const next = nextSegment();
			if (next !== undefined && next !== waiting && cancelRetry === null) kick();
		});
	}

	async function settled(): Promise<void> {
		for (let current = running; current !== null; current = running) await current;
	}

	return {
		kick,
		catchUp: run,
		settled,
		sealedThrough: () => sealedThrough,
		async stop() {
			isStopped = true;
			cancelRetry?.();
			await settled();
		},
	};
}
