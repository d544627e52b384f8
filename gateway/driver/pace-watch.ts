/** Time that is looked at together, ms, and the fewest periods in it that say something. */
const WINDOW_MS = 60_000;
const FEWEST = 5;
/** Share of skipped periods from which a device counts as not kept up with, and below which it does again. */
const TOO_MANY = 0.2;
const FEW = 0.05;

/** Whether a device gets its periods: it is told each round, and says when too many are skipped for a minute or more. */
export interface PaceWatch {
	/** A round was read. @param missed periods that were skipped before the next one; @param nowMs monotonic */
	round(missed: number, nowMs: number): void;
	/** Share of the periods that were skipped lately, while it is too large; `null` while the line keeps up. */
	readonly skippedShare: number | null;
}

export function createPaceWatch(startMs: number): PaceWatch {
	let sinceMs = startMs;
	let periods = 0;
	let skipped = 0;
	let skippedShare: number | null = null;
	return {
		round(missed, nowMs) {
			periods += 1 + missed;
			skipped += missed;
			if (nowMs < sinceMs + WINDOW_MS || periods < FEWEST) return;
			const share = skipped / periods;
			skippedShare = share > (skippedShare === null ? TOO_MANY : FEW) ? share : null;
			sinceMs = nowMs;
			periods = 0;
			skipped = 0;
		},
		get skippedShare() {
			return skippedShare;
		},
	};
}
