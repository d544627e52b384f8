import type { EpochRange } from './not-journalled.ts';

/** Times that samples arrived damaged after which they go alone, so that they take nothing else along. */
const ALONE_AFTER = 2;
/** Times after which they are given up. */
const GIVEN_UP_AFTER = 6;
/** Readings that are watched; more are in no window. */
const MOST_WATCHED = 100_000;

const keyOf = ({ epoch, first }: EpochRange): string => `${epoch} ${first}`;

/**
 * How often readings have arrived damaged. A line that damages what TLS protects does not exist; memory that does so, and readings whose block nobody
 * can read, do: they must not be sent for ever.
 */
export function createSendAttempts() {
	const attempts = new Map<string, number>();
	return {
		damaged(range: EpochRange): void {
			const key = keyOf(range);
			if (attempts.size < MOST_WATCHED || attempts.has(key)) attempts.set(key, (attempts.get(key) ?? 0) + 1);
		},
		arrived(range: EpochRange): void {
			if (attempts.size > 0) attempts.delete(keyOf(range));
		},
		goesAlone: (range: EpochRange): boolean => attempts.size > 0 && (attempts.get(keyOf(range)) ?? 0) >= ALONE_AFTER,
		isGivenUp: (range: EpochRange): boolean => attempts.size > 0 && (attempts.get(keyOf(range)) ?? 0) >= GIVEN_UP_AFTER,
		clear: (): void => attempts.clear(),
	};
}
