import type { EpochMs } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { createTurns } from '../kernel/turns.ts';

/** `raw`: the samples themselves; the others: sums over so much time, those of counters aside. */
export const DROPPED_LEVELS = ['raw', 'minute', 'hour', 'day', 'month'] as const;
export const DROPPED_REASONS = ['retention', 'thinned'] as const;

/** What the history let go of. */
export interface Dropped {
	readonly level: (typeof DROPPED_LEVELS)[number];
	/** First instant of the UTC day, month or year it was of; `null` for readings of no plausible date. */
	readonly day: EpochMs | null;
	/** The first instant after it; `null` with `day`. */
	readonly until: EpochMs | null;
	/** Bytes that became free. */
	readonly bytes: number;
	/** Readings and samples that were in it; `null` where nobody can know any more. */
	readonly readings: number | null;
	readonly samples: number | null;
	/** `retention`: older than is kept. `thinned`: for its space; sums over it stay. */
	readonly reason: (typeof DROPPED_REASONS)[number];
}

/** One kind of things that can be dropped for their space. Steps stand in a table: the first that has something gives it up. */
export interface OverflowStep {
	/** For the log, e.g. `raw-days`. */
	readonly name: string;
	/** Bytes that all of it takes, from real file sizes. */
	readonly bytes: () => number;
	/** Drops the oldest piece; `null` when there is none that may go. */
	readonly dropOldest: () => Promise<Dropped | null>;
}

export interface OverflowDeps {
	readonly steps: readonly OverflowStep[];
	/** Most bytes of all steps together. */
	readonly maxBytes: number;
	/** Free space that is left to others. */
	readonly minFreeBytes: number;
	readonly freeBytes: () => Promise<number>;
	readonly dropped: (what: Dropped) => void;
	readonly log: Logger;
}

/**
 * Drops, step after step and the oldest first, until quota and free-space floor hold or nothing is left that may go. Where all of it together
 * would not reach the floor, nothing goes for it: somebody else fills the disk, and would fill what was let go as well. What was dropped
 * counts as free at once: a file that somebody still reads gives its space back a little later.
 */
export function createOverflow({ steps, maxBytes, minFreeBytes, freeBytes, dropped, log }: OverflowDeps) {
	async function dropOne(): Promise<Dropped | null> {
		for (const step of steps) {
			const what = await step.dropOldest();
			if (what === null) continue;
			log.warn('history-dropped', { step: step.name, ...what });
			dropped(what);
			return what;
		}
		return null;
	}

	async function enforce(): Promise<void> {
		const bytes = steps.reduce((sum, step) => sum + step.bytes(), 0);
		const lacking = minFreeBytes - (await freeBytes());
		let tooMuch = Math.max(bytes - maxBytes, lacking <= bytes ? lacking : 0);
		while (tooMuch > 0) {
			const what = await dropOne();
			if (what === null) return;
			tooMuch -= what.bytes;
		}
	}

	const { run: inTurn } = createTurns();
	/** One at a time: who comes meanwhile looks again when the first is done. */
	return (): Promise<void> => inTurn(enforce);
}
