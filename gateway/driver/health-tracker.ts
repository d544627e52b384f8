import type { DeviceHealth, HealthState } from '../../core/device/device.ts';
import type { Clock } from '../../core/kernel/clock.ts';

/** Outcomes that are remembered, and how many bad ones among them make a device degraded. */
const REMEMBERED = 10;
const BAD_MAKES_DEGRADED = 2;
/** Good outcomes in a row that make it ok again. */
const GOOD_MAKES_OK = 5;

/** Health of one device with hysteresis: it is told outcomes and says a new health only when it changed. */
export interface HealthTracker {
	good(): void;
	/** One request failed, for this reason. */
	bad(reason: string): void;
	/** The device does not answer at all, or cannot be asked. `cause` tells one such trouble from another. */
	offline(cause: string, reason: string): void;
	/** Something is wrong for as long as it is not taken back with `null`, e.g. points the device does not have. The first kind is told first. */
	flaw(kind: 'points' | 'pace', reason: string | null): void;
}

export function createHealthTracker(clock: Clock, changed: (health: DeviceHealth) => void): HealthTracker {
	let state: HealthState = 'unknown';
	let cause = '';
	let recent: boolean[] = [];
	let goodInRow = 0;
	let badReason = '';
	const flaws: { points: string | null; pace: string | null } = { points: null, pace: null };

	function become(next: HealthState, nextCause: string, reason: string | null): void {
		if (next === state && nextCause === cause) return;
		state = next;
		cause = nextCause;
		changed({ state, since: clock.now(), reason });
	}

	/** While the device answers: ok or degraded. */
	function judge(): void {
		const bad = recent.filter((isGood) => !isGood).length;
		const flaw = flaws.points ?? flaws.pace;
		const isShaky = bad >= BAD_MAKES_DEGRADED || (state === 'degraded' && cause === 'shaky' && recent.length > 0);
		if (isShaky && goodInRow < GOOD_MAKES_OK) become('degraded', 'shaky', badReason);
		else if (flaw !== null) become('degraded', flaw, flaw);
		else become('ok', '', null);
	}

	return {
		good() {
			goodInRow += 1;
			if (state === 'offline') {
				recent = [false, false];
				badReason = 'the device answers again; it has to do so a few times in a row to count as sound';
			}
			recent = goodInRow >= GOOD_MAKES_OK ? [] : [...recent, true].slice(-REMEMBERED);
			judge();
		},
		bad(reason) {
			goodInRow = 0;
			badReason = reason;
			recent = [...recent, false].slice(-REMEMBERED);
			// Before the first answer nothing is known; silence is the breaker's to judge.
			if (state === 'ok' || state === 'degraded') judge();
		},
		offline(nextCause, reason) {
			goodInRow = 0;
			become('offline', nextCause, reason);
		},
		flaw(kind, reason) {
			flaws[kind] = reason;
			if (state === 'ok' || state === 'degraded') judge();
		},
	};
}
