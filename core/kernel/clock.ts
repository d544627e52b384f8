/** Wall-clock instant, milliseconds since the Unix epoch. Never compare with a monotonic reading. */
export type EpochMs = number & { readonly __unit: 'epoch-ms' };

/** The only source of "now" in the product; tests hand in a clock they can move. */
export interface Clock {
	/** Wall clock. May jump. */
	now(): EpochMs;
	/** Milliseconds since an arbitrary start; never jumps. For elapsed time only, never stored. */
	monotonicMs(): number;
	/** The time, or `null` while it is not known well enough to remove anything for its age. A clock that does not say is trusted. */
	trustedNow?(): EpochMs | null;
}

/** "Now" for whoever removes what is old; `null`: nothing may be removed now. A clock in 2106 would otherwise empty the box. */
export const removalNow = (clock: Clock): EpochMs | null =>
	clock.trustedNow === undefined ? clock.now() : clock.trustedNow();

/** The one door into the brand; everywhere else an instant is passed on, not made. */
export function epochMs(ms: number): EpochMs {
	if (!Number.isSafeInteger(ms)) throw new RangeError(`not an instant: ${ms}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- brands are cast where they are checked
	return ms as EpochMs;
}

export const systemClock: Clock = {
	now: () => epochMs(Date.now()),
	monotonicMs: () => performance.now(),
};

/** ISO 8601 in UTC with `Z` (contract rule R4). */
export const toIso = (at: EpochMs): string => new Date(at).toISOString();
