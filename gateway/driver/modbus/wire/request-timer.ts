import type { Clock } from '../../../../core/kernel/clock.ts';

/** A timer that fires this late says that the process stood still, and that replies may wait unread. */
const STALL_MS = 10;
/** Time to read them then: a serial port takes some turns of the event loop to hand over its bytes. */
const AFTER_STALL_MS = 25;

/** One timer for all requests of a line, however many are made: it is armed for the first deadline and looks on when it fires. */
export interface RequestTimer {
	/** Judges at this instant (monotonic, ms) or soon after; an earlier call of `judge` tells the next one. */
	expectBy(dueMs: number): void;
	stop(): void;
}

/**
 * @param judge ends what was due at the instant it is handed, and answers when the next deadline is, `Infinity` for none. It is
 * called only after the replies that wait in the kernel were handed out: timers run before arrivals, so after a stall of the
 * process a deadline would otherwise pass on answered requests. What became due in the meantime has to wait for its own turn.
 */
export function createRequestTimer(clock: Clock, judge: (dueBeforeMs: number) => number): RequestTimer {
	let armedMs = Infinity;
	let timer: NodeJS.Timeout | null = null;
	let immediate: NodeJS.Immediate | null = null;

	function verdict(firedMs: number): void {
		timer = null;
		immediate = setImmediate(() => {
			immediate = null;
			armedMs = Infinity;
			expectBy(judge(firedMs));
		});
	}

	function fired(): void {
		const firedMs = clock.monotonicMs();
		if (firedMs - armedMs < STALL_MS) verdict(firedMs);
		else timer = setTimeout(verdict, AFTER_STALL_MS, firedMs);
	}

	function expectBy(dueMs: number): void {
		// A verdict that is under way answers with the next deadline.
		if (dueMs >= armedMs || immediate !== null) return;
		armedMs = dueMs;
		if (timer !== null) clearTimeout(timer);
		timer = setTimeout(fired, Math.max(1, Math.ceil(dueMs - clock.monotonicMs())));
	}

	return {
		expectBy,
		stop() {
			if (timer !== null) clearTimeout(timer);
			if (immediate !== null) clearImmediate(immediate);
			timer = null;
			immediate = null;
			armedMs = Infinity;
		},
	};
}
