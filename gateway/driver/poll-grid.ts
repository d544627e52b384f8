/** A period on a fixed grid: missed points of it are skipped and counted, never stacked. Instants are monotonic, ms. */
export interface PollGrid {
	readonly periodMs: number;
	readonly dueMs: number;
	/** What was due is done: due again at the next grid point. @returns the periods that were missed meanwhile. */
	done(nowMs: number): number;
	/** Due now, whatever the grid says; what was missed before is not counted. */
	hurry(nowMs: number): void;
}

/** @param gridMs any point of the grid; @param firstMs when it is due for the first time, before or at the first grid point */
export function createPollGrid(periodMs: number, gridMs: number, firstMs: number): PollGrid {
	let dueMs = firstMs;
	// A grid point may come out a rounding error before itself.
	const slot = (ms: number): number => Math.floor((ms - gridMs) / periodMs + 1e-9);
	return {
		periodMs,
		get dueMs() {
			return dueMs;
		},
		done(nowMs) {
			if (!Number.isFinite(periodMs)) {
				dueMs = Number.POSITIVE_INFINITY;
				return 0;
			}
			const missed = Math.max(0, slot(nowMs) - Math.max(slot(dueMs), -1));
			dueMs = gridMs + (slot(nowMs) + 1) * periodMs;
			return missed;
		},
		hurry(nowMs) {
			dueMs = nowMs;
		},
	};
}
