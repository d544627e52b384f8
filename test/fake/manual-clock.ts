import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';

/** A clock that moves only when it is told to. */
export interface ManualClock extends Clock {
	/** Moves wall and monotonic time forward. */
	advance(ms: number): void;
	/** Sets the wall clock only: a jump. */
	jumpTo(at: number): void;
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
	let wall = startMs;
	let mono = 0;
	return {
		now: (): EpochMs => epochMs(wall),
		monotonicMs: () => mono,
		advance(ms) {
			wall += ms;
			mono += ms;
		},
		jumpTo(at) {
			wall = at;
		},
	};
}
