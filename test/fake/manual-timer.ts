import type { SetTimer } from '../../core/journal/set-timer.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

export interface ManualTimer {
	readonly clock: ManualClock;
	readonly setTimer: SetTimer;
	/** Moves the clock and calls what came due, in order. */
	advance(ms: number): void;
}

/** Timers that follow a manual clock. */
export function createManualTimer(): ManualTimer {
	const clock = createManualClock();
	const waiting = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
	return {
		clock,
		setTimer(callback, delayMs) {
			const entry = { dueMs: clock.monotonicMs() + delayMs, callback };
			waiting.add(entry);
			return () => void waiting.delete(entry);
		},
		advance(ms) {
			clock.advance(ms);
			const due = [...waiting].filter(({ dueMs }) => dueMs <= clock.monotonicMs());
			for (const entry of due.toSorted((one, other) => one.dueMs - other.dueMs)) {
				if (waiting.delete(entry)) entry.callback();
			}
		},
	};
}
