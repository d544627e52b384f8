import type { EpochMs } from '../kernel/clock.ts';

const DAY_MS = 86_400_000;

/** No release of the product is older: a clock that says less has not been set. */
export const PRODUCT_BORN_MS = Date.UTC(2026, 0, 1);

/**
 * No reading is older, devices' own instants included: clocks without power begin at 1970, 1980, 2000 or 2001. Later instants may be
 * history that somebody brings along.
 */
export const OLDEST_READING_MS = Date.UTC(2010, 0, 1);

/** A gateway takes what a device says up to a day ahead; an hour more is what clocks of gateway and hub may differ by. */
export const MOST_AHEAD_MS = DAY_MS + 3_600_000;

/** What can be said of the instant of a reading that has arrived. */
export type TimeVerdict = 'possible' | 'before-the-product' | 'in-the-future';

/** @param now `null`: the judge does not know the time itself, and cannot say what is in the future */
export function verdictOn(readAt: EpochMs, now: EpochMs | null): TimeVerdict {
	if (readAt < OLDEST_READING_MS) return 'before-the-product';
	return now !== null && readAt > now + MOST_AHEAD_MS ? 'in-the-future' : 'possible';
}
