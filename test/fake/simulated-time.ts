import type { SetTimer } from '../../core/journal/set-timer.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

/** Time that passes as fast as the code under test runs: hours of a bus in seconds. */
export interface SimulatedTime {
	readonly clock: ManualClock;
	readonly setTimer: SetTimer;
	/** Resolves after so much simulated time. */
	sleep(ms: number): Promise<void>;
	/** Lets so much time pass, timer by timer; what a timer leads to is done before the next one. */
	run(forMs: number): Promise<void>;
	/** Timers that wait: what grows here leaks. */
	readonly timers: number;
}

interface Timer {
	readonly dueMs: number;
	readonly order: number;
	readonly callback: () => void;
}

const settle = (): Promise<void> =>
	new Promise((resolve) => {
		setImmediate(resolve);
	});

export function createSimulatedTime(): SimulatedTime {
	const clock = createManualClock();
	const waiting = new Set<Timer>();
	let order = 0;

	const setTimer: SetTimer = (callback, delayMs) => {
		order += 1;
		const timer = { dueMs: clock.monotonicMs() + Math.max(0, delayMs), order, callback };
		waiting.add(timer);
		return () => void waiting.delete(timer);
	};

	function first(untilMs: number): Timer | null {
		let best: Timer | null = null;
		for (const timer of waiting) {
			const isSooner =
				best === null || timer.dueMs < best.dueMs || (timer.dueMs === best.dueMs && timer.order < best.order);
			if (timer.dueMs <= untilMs && isSooner) best = timer;
		}
		return best;
	}

	return {
		clock,
		setTimer,
		sleep: (ms) =>
			new Promise((resolve) => {
				setTimer(resolve, ms);
			}),
		async run(forMs) {
			const untilMs = clock.monotonicMs() + forMs;
			await settle();
			for (let timer = first(untilMs); timer !== null; timer = first(untilMs)) {
				waiting.delete(timer);
				clock.advance(Math.max(0, timer.dueMs - clock.monotonicMs()));
				timer.callback();
				await settle();
			}
			clock.advance(Math.max(0, untilMs - clock.monotonicMs()));
		},
		get timers() {
			return waiting.size;
		},
	};
}
