/** Longest sleep of the thread, ms. */
const MOST_NAP_MS = 0.8;
/** The kernel wakes a thread so much later than it asked for, ms; the rest of a wait is spent in turns of the event loop. */
const NAP_LATENESS_MS = 0.06;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Waits for the silence between two frames, to a tenth of a millisecond. */
export interface GapTimer {
	/** Calls `reached` once `leftMs` tells 0 or less; an earlier call is forgotten. @param leftMs how much of the silence is still to come */
	wait(leftMs: () => number, reached: () => void): void;
	cancel(): void;
}

/**
 * Timers have steps of a millisecond, which is half of the silence that ends a frame at 115200 baud. So the whole milliseconds
 * are left to a timer and the rest to a nap of the thread, with a turn of the event loop behind it: that costs no processor time,
 * and bytes that arrive meanwhile are heard before the next look.
 */
export function createGapTimer(): GapTimer {
	let timer: NodeJS.Timeout | null = null;
	let immediate: NodeJS.Immediate | null = null;

	function cancel(): void {
		if (timer !== null) clearTimeout(timer);
		if (immediate !== null) clearImmediate(immediate);
		timer = null;
		immediate = null;
	}

	function wait(leftMs: () => number, reached: () => void): void {
		cancel();
		let hasTurned = false;
		const look = (): void => {
			immediate = null;
			const left = leftMs();
			// What waits in the kernel is heard before anything is said: a turn of the loop reads it.
			if (left <= 0 && hasTurned) {
				reached();
				return;
			}
			if (left >= 1) {
				timer = setTimeout(lookSoon, Math.floor(left));
				return;
			}
			if (left > NAP_LATENESS_MS) Atomics.wait(cell, 0, 0, Math.min(left - NAP_LATENESS_MS, MOST_NAP_MS));
			lookSoon();
		};
		const lookSoon = (): void => {
			timer = null;
			hasTurned = true;
			immediate = setImmediate(look);
		};
		look();
	}

	return { wait, cancel };
}
