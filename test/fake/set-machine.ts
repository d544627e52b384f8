import { type Clock, epochMs, systemClock } from '../../core/kernel/clock.ts';
import type { SystemTime } from '../../core/time/system-time.ts';

/** A machine whose wall clock is set at will, while the time of this machine goes by. */
export function createMachine(wallAt: number) {
	let shiftMs = wallAt - systemClock.now();
	let boot = 1;
	const clock: Clock = {
		now: () => epochMs(systemClock.now() + shiftMs),
		monotonicMs: () => systemClock.monotonicMs(),
	};
	return {
		clock,
		systemTime: (): SystemTime => ({
			boot: { bootId: `boot-${boot}`, originMs: 0 },
			hasRtc: null,
			isSynchronized: () => null,
		}),
		setWall: (at: number): void => void (shiftMs = at - systemClock.now()),
		step: (ms: number): void => void (shiftMs += ms),
		reboot: (): void => void (boot += 1),
	};
}
