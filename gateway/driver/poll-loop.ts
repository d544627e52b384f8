import type { Clock } from '../../core/kernel/clock.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { PollSchedule } from './poll-schedule.ts';

/** Longest sleep; timers cannot wait longer than 24 days, and a loop that wakes now and then cannot get lost. */
const MOST_SLEEP_MS = 60_000;

/** Asks the devices of one line in turn, one at a time, for as long as the line is open. */
export interface PollLoop extends Stoppable {
	/** Something changed: the line opened, or the schedule did. */
	wake(): void;
}

export interface PollLoopDeps {
	readonly schedule: PollSchedule;
	readonly clock: Clock;
	readonly isLineOpen: () => boolean;
	/** One request of the device; never rejects, and moves the device on in the schedule once nothing is left to ask. */
	readonly takeTurn: (id: string) => Promise<void>;
}

export function createPollLoop({ schedule, clock, isLineOpen, takeTurn }: PollLoopDeps): PollLoop {
	const stopping = new AbortController();
	let endSleep: (() => void) | null = null;

	function sleep(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, Math.min(MOST_SLEEP_MS, Math.ceil(ms)));
			endSleep = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	async function run(): Promise<void> {
		while (!stopping.signal.aborted) {
			const turn = isLineOpen() ? schedule.next(clock.monotonicMs()) : { waitMs: MOST_SLEEP_MS };
			if ('waitMs' in turn) await sleep(turn.waitMs);
			else await takeTurn(turn.id);
		}
	}

	const running = run();
	return {
		wake: () => endSleep?.(),
		async stop() {
			stopping.abort();
			endSleep?.();
			await running;
		},
	};
}
