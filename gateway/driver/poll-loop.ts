import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { PollSchedule } from './poll-schedule.ts';

/** Longest sleep; timers cannot wait longer than 24 days, and a loop that wakes now and then cannot get lost. */
const MOST_SLEEP_MS = 60_000;

/** Asks the devices of one line in turn, as many at once as the line takes, for as long as it is open. One timer, and none while it asks. */
export interface PollLoop extends Stoppable {
	/** Something changed: the line opened, or the schedule did. */
	wake(): void;
}

/** A turn that was begun. */
export interface BegunTurn {
	/** Whether the device may have another turn while this one is under way. */
	readonly hasMore: boolean;
	/** Resolves when the turn is over and the device has its next place in the schedule. Never rejects. */
	readonly over: Promise<void>;
}

export interface PollLoopDeps {
	readonly schedule: PollSchedule;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	/** Turns that may be under way now; 0 while the line cannot be asked. */
	readonly room: () => number;
	/** One request of the device. */
	readonly takeTurn: (id: string) => BegunTurn;
	/** Nothing is under way, and nothing due for so long. */
	readonly idle: (waitMs: number) => void;
}

export function createPollLoop({ schedule, clock, setTimer, room, takeTurn, idle }: PollLoopDeps): PollLoop {
	const underWay = new Set<Promise<void>>();
	const stopping = new AbortController();
	let cancelSleep: (() => void) | null = null;

	function start(id: string): void {
		const { hasMore, over } = takeTurn(id);
		if (hasMore) schedule.again(id);
		underWay.add(over);
		void over.finally(() => {
			underWay.delete(over);
			run();
		});
	}

	function sleep(waitMs: number): void {
		if (underWay.size === 0) idle(waitMs);
		cancelSleep = setTimer(run, Math.min(MOST_SLEEP_MS, Math.ceil(waitMs)));
	}

	function run(): void {
		cancelSleep?.();
		cancelSleep = null;
		const { signal } = stopping;
		while (!signal.aborted && underWay.size < room()) {
			const turn = schedule.next(clock.monotonicMs());
			if ('waitMs' in turn) {
				sleep(turn.waitMs);
				return;
			}
			start(turn.id);
		}
	}

	return {
		wake: run,
		async stop() {
			stopping.abort();
			cancelSleep?.();
			await Promise.all(underWay);
		},
	};
}
