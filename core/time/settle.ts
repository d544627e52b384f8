import type { EpochMs } from '../kernel/clock.ts';
import type { Reading } from '../telemetry/reading.ts';

/**
 * A reading under the time that is known now: moved where the clock of its boot was wrong. `null` while its time is not known and may still
 * become known; it then stays in the journal, and is neither sealed nor sent.
 */
export type SettleTime = (reading: Reading) => Reading | null;

/** An instant that this box has stamped, and where in its readings that was. */
export interface Stamp {
	readonly epoch: number;
	/** Of the reading it belongs to, or the next number of the epoch. */
	readonly seq: number;
	readonly at: EpochMs;
}

/** An instant of this box under the time that is known now; `null`, as of a reading, while that is not known and may still become known. */
export type SettleInstant = (stamp: Stamp) => EpochMs | null;
