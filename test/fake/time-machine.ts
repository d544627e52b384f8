import type { SetTimer } from '../../core/journal/set-timer.ts';
import { type Clock, epochMs } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { SystemTime } from '../../core/time/system-time.ts';
import type { TimeBase, TimeBaseStore } from '../../core/time/time-base-store.ts';
import { openTimeKeeper, type TimeKeeper } from '../../core/time/time-keeper.ts';

/** A machine with a clock of its own in a world that knows the time. */
export interface TimeMachine {
	/** What the machine's clock says. */
	readonly wall: Clock;
	/** The time, ms. */
	trueMs(): number;
	/** Time goes by, second for second, and everything due in it happens. */
	pass(ms: number): Promise<void>;
	/** The machine's clock is set: to an instant, or by so much. */
	setWall(at: number): void;
	stepWall(byMs: number): void;
	setSynchronized(is: boolean | null): void;
	/** While true the disk takes nothing. */
	setFull(is: boolean): void;
	open(): Promise<TimeKeeper>;
	/** The power goes and comes back later, with the machine's clock where it is then told to be; what was not saved is gone. */
	reboot(offMs: number, wallAt: number): void;
	saved(): TimeBase;
}

export function createTimeMachine(options: {
	readonly trueMs: number;
	readonly wallMs: number;
	readonly hasRtc?: boolean;
}) {
	let trueMs = options.trueMs;
	let wallMs = options.wallMs;
	let monotonicMs = 0;
	let boot = 1;
	let isSynchronized: boolean | null = null;
	let isFull = false;
	let base: TimeBase = { last: null, eras: [] };
	let waiting: { readonly dueMs: number; readonly callback: () => void }[] = [];

	const setTimer: SetTimer = (callback, delayMs) => {
		const entry = { dueMs: monotonicMs + delayMs, callback };
		waiting.push(entry);
		return () => void (waiting = waiting.filter((other) => other !== entry));
	};
	const wall: Clock = { now: () => epochMs(Math.floor(wallMs)), monotonicMs: () => monotonicMs };
	const store: TimeBaseStore = {
		read: async () => base,
		async write(next) {
			if (isFull) throw new Error('no space left');
			base = structuredClone(next);
		},
	};

	async function step(ms: number): Promise<void> {
		trueMs += ms;
		wallMs += ms;
		monotonicMs += ms;
		const due = waiting.filter(({ dueMs }) => dueMs <= monotonicMs);
		waiting = waiting.filter((entry) => !due.includes(entry));
		for (const { callback } of due) callback();
		for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
	}

	const machine: TimeMachine = {
		wall,
		trueMs: () => trueMs,
		async pass(ms) {
			for (let left = ms; left > 0; left -= 1_000) await step(Math.min(left, 1_000));
		},
		setWall: (at) => (wallMs = at),
		stepWall: (byMs) => (wallMs += byMs),
		setSynchronized: (is) => (isSynchronized = is),
		setFull: (is) => (isFull = is),
		open() {
			const system: SystemTime = {
				boot: { bootId: `boot-${boot}`, originMs: 0 },
				hasRtc: options.hasRtc ?? true,
				isSynchronized: () => isSynchronized,
			};
			return openTimeKeeper({ wall, system, store, setTimer, log: silentLog });
		},
		reboot(offMs, wallAt) {
			waiting = [];
			boot += 1;
			trueMs += offMs;
			wallMs = wallAt;
			monotonicMs = 20_000;
			isSynchronized = null;
		},
		saved: () => base,
	};
	return machine;
}
