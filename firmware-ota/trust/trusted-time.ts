import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { epochMs } from '../../core/kernel/clock.ts';

/** Ahead of what is proven by more than this, a clock has not been set: 2036, 2106. */
const AHEAD_MS = 10 * 365 * 86_400_000;

/** The time of one update, fixed at its beginning (TUF 1.0.34, 5.1). */
export interface UpdateTime {
	/** Earliest instant it can be: when this build was made, or the newest trusted file was signed. */
	readonly floor: EpochMs;
	/** What is taken for the time: never before `floor`. */
	readonly at: EpochMs;
	/** False: the clock was not set, or says what cannot be; only the floor is certain. */
	readonly isKnown: boolean;
}

/**
 * The machine's clock held against what is proven. A box without a clock of its own begins in 1970, and must neither take expired metadata
 * for fresh nor lock itself out of updates for ever.
 */
export function updateTime(clock: Clock, proven: readonly (EpochMs | null)[]): UpdateTime {
	const floor = epochMs(Math.max(...proven.map((at) => at ?? 0)));
	const now = clock.trustedNow === undefined ? clock.now() : clock.trustedNow();
	const isKnown = now !== null && now >= floor && now - floor <= AHEAD_MS;
	return { floor, at: epochMs(Math.max(now ?? clock.now(), floor)), isKnown };
}

/** `doubtful`: expired by a clock that nobody vouches for. */
export type Expiry = 'valid' | 'doubtful' | 'expired';

/**
 * Whether a file is past its time (TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5). What expired before `floor` is past it whatever the clock says.
 */
export function expiryOf(expiresAt: EpochMs, { at, floor, isKnown }: UpdateTime): Expiry {
	if (expiresAt <= floor) return 'expired';
	if (expiresAt > at) return 'valid';
	return isKnown ? 'expired' : 'doubtful';
}
