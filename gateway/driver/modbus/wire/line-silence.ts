import type { Clock } from '../../../../core/kernel/clock.ts';

/** A line that is never silent (a second master, noise) is used again after this many times the silence asked for. */
const MOST_HOLDS = 10;

/** How long a line has been silent, and the wait for such a silence. */
export interface LineSilence {
	/** Something was heard now. */
	broken(): void;
	/** Since the last byte, ms. */
	ms(): number;
	/** Waits until the line has been silent for `holdMs` from now on, at most ten times as long, or until it is released. */
	hold(holdMs: number): Promise<void>;
	/** Ends the wait; from now on nothing is waited for. */
	release(): void;
}

export function createLineSilence(clock: Clock): LineSilence {
	let lastByteMs = Number.NEGATIVE_INFINITY;
	let isReleased = false;
	let wake: (() => void) | null = null;

	return {
		broken() {
			lastByteMs = clock.monotonicMs();
		},
		ms: () => clock.monotonicMs() - lastByteMs,
		async hold(holdMs) {
			const startMs = clock.monotonicMs();
			for (;;) {
				const nowMs = clock.monotonicMs();
				const silentMs = nowMs - Math.max(startMs, lastByteMs);
				if (isReleased || silentMs >= holdMs || nowMs - startMs >= MOST_HOLDS * holdMs) return;
				await new Promise<void>((resolve) => {
					const timer = setTimeout(resolve, Math.ceil(holdMs - silentMs));
					wake = () => {
						clearTimeout(timer);
						resolve();
					};
				});
			}
		},
		release() {
			isReleased = true;
			wake?.();
		},
	};
}
