import type { EpochMs } from '../kernel/clock.ts';

/** What the history let go of. */
export interface Dropped {
	/** Start of the UTC day it was of; `null` for readings of no plausible date. */
	readonly day: EpochMs | null;
	/** Bytes that became free. */
	readonly bytes: number;
	/** Readings and samples that were in it; `null` where nobody can know any more. */
	readonly readings: number | null;
	readonly samples: number | null;
	/** `retention`: older than is kept. `thinned`: for its space; sums over it stay. */
	readonly reason: 'retention' | 'thinned';
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
