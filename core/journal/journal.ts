import type { EpochMs } from '../kernel/clock.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import type { Reading } from '../telemetry/reading.ts';

/** `group`: with the next group commit (default 1 s or 64 KiB). `prompt`: somebody waits; commit within tens of ms. */
export type Urgency = 'group' | 'prompt';

/** Where a commit begins. Ordered by segment, then offset. */
export interface JournalPosition {
	readonly segment: number;
	readonly offset: number;
}

/** One durable commit, decoded. */
export interface JournalCommit {
	readonly at: JournalPosition;
	/** The position after it: where reading goes on. */
	readonly next: JournalPosition;
	readonly readings: readonly Reading[];
}

/** What start-up found and what the quota cost. Every loss is said, never hidden. */
export interface JournalLoss {
	readonly reason: 'torn-tail' | 'corrupt' | 'missing-segment' | 'quota' | 'disk-full';
	/** Bytes that could not be used; 0 where unknown. */
	readonly bytes: number;
	/** Samples known to be in them; `null` where nobody can know. */
	readonly samples: number | null;
	readonly at: EpochMs;
	readonly detail: string;
}

export interface JournalStats {
	readonly epoch: number;
	readonly segments: number;
	/** Bytes of all segment files, as the file system counts them. */
	readonly bytes: number;
	readonly committedSamples: number;
	readonly commits: number;
	readonly syncs: number;
	readonly writtenBytes: number;
	/** Samples accepted but not yet on disk. */
	readonly pendingSamples: number;
	readonly losses: readonly JournalLoss[];
	/** Why the last write failed, while writing fails; reading and live values go on. */
	readonly writeError: string | null;
}

/**
 * The durable log of readings: preallocated segments, CRC-framed compressed commits, one flush per group.
 * What it holds is acknowledged; nothing else is.
 */
export interface Journal extends Stoppable {
	/** Number of this boot: larger than any epoch that was ever handed out from this folder. Durable before the journal opens. */
	readonly epoch: number;
	/** Resolves when the readings are on disk (flushed); rejects with a Fault `unavailable` when they cannot be. */
	append(readings: readonly Reading[], urgency: Urgency): Promise<void>;
	/** The oldest position that is still held. */
	oldest(): JournalPosition;
	/** The position after the last durable commit. */
	end(): JournalPosition;
	/** Durable commits from a position on, in order; ends at `end()`. A position that was dropped continues at the oldest kept one. */
	read(from: JournalPosition): AsyncIterable<JournalCommit>;
	/** Holders (sealer, uplink) name the oldest position they still need; segments wholly before all of them are recycled. */
	hold(holder: string, from: JournalPosition): void;
	/** Sequence numbers of all durable commits that are still here, oldest segment first. */
	held(): readonly StreamRange[];
	stats(): JournalStats;
}
