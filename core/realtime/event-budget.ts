/** So many events: `burst` at once after a rest, `perSecond` in the long run. */
export interface EventRate {
	readonly perSecond: number;
	readonly burst: number;
}

/** Takes one event; false when there is none left. */
export type EventBudget = () => boolean;

export function createEventBudget({ perSecond, burst }: EventRate, monotonicMs: () => number): EventBudget {
	let left = burst;
	let refilledAtMs = monotonicMs();
	return () => {
		const nowMs = monotonicMs();
		left = Math.min(burst, left + ((nowMs - refilledAtMs) / 1_000) * perSecond);
		refilledAtMs = nowMs;
		if (left < 1) return false;
		left -= 1;
		return true;
	};
}
