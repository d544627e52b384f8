/** Sleeps of the thread, ms: short enough that other lines hardly notice. */
const NAP_MS = 0.15;
/** Shorter waits are over by the time they would begin. */
const NO_WAIT_MS = 0.02;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Waits for the silence between two frames, to a tenth of a millisecond. */
export interface GapTimer {
	/** Calls `reached` once `leftMs` tells 0 or less; an earlier call is forgotten. @param leftMs how much of the silence is still to come */
	wait(leftMs: () => number, reached: () => void): void;
	cancel(): void;
}

/**
 * Timers have steps of a millisecond, which is half of the silence that ends a frame at 115200 baud. So the whole milliseconds
 * are left to a timer and the rest to naps of the thread, with a turn of the event loop between them: that costs no processor
 * time, and bytes that arrive meanwhile are heard before the next look.
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
		const look = (): void => {
			immediate = null;
			const left = leftMs();
			if (left <= NO_WAIT_MS) {
				reached();
				return;
			}
			if (left >= 1) {
				timer = setTimeout(lookSoon, Math.floor(left));
				return;
			}
			Atomics.wait(cell, 0, 0, Math.min(left, NAP_MS));
			lookSoon();
		};
		const lookSoon = (): void => {
			timer = null;
			immediate = setImmediate(look);
		};
		look();
	}

	return { wait, cancel };
}
