import type { Journal } from '../../core/journal/journal.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { isBefore, type ScanWindow } from './scan-window.ts';

/** Commits that one look reads at most. */
const COMMITS_LOOKED_AT = 200;

/** Looks in the journal for the oldest sample that the hub lacks; a little at a time, from where it was found last. */
export function createOldestOwed({
	journal,
	window,
	clock,
}: {
	readonly journal: Pick<Journal, 'read'>;
	readonly window: Pick<ScanWindow, 'checkpoint' | 'isOwed' | 'oldestUnderWayAt'>;
	readonly clock: Clock;
}) {
	let from = window.checkpoint();
	let lookedAt = clock.now();
	let foundAt: EpochMs | null = null;
	return {
		reset(): void {
			from = window.checkpoint();
		},
		async look(): Promise<void> {
			if (isBefore(from, window.checkpoint())) from = window.checkpoint();
			let looked = 0;
			let found: EpochMs | null = null;
			const startedAt = clock.now();
			for await (const commit of journal.read(from)) {
				const owed = commit.readings.find((reading) => window.isOwed(reading));
				// What is further on was not looked at yet: nothing that is owed is older.
				found = owed?.readAt ?? (looked === COMMITS_LOOKED_AT ? (commit.readings[0]?.readAt ?? null) : null);
				if (found !== null) break;
				from = commit.next;
				looked += 1;
			}
			foundAt = found;
			lookedAt = startedAt;
		},
		/** Of samples that are owed, the instant of the oldest as far as it was looked for; those that no look has found have come since. */
		at: (): EpochMs => window.oldestUnderWayAt() ?? foundAt ?? lookedAt,
	};
}
