/** One lost frame is weather, two are bad luck; a device that is silent three times in a row is taken for dead. */
const OPENS_AFTER = 3;
const FIRST_PAUSE_MS = 1000;
const MOST_PAUSE_MS = 30_000;
/** Pause per time spent in vain: what a dead device costs its line stays within 5 %. */
const PAUSE_PER_SPENT = 20;

/** Keeps a silent device from taking the time of the others on its line. Instants are monotonic, ms. */
export interface CircuitBreaker {
	/** Whether only single probes are sent. */
	readonly isOpen: boolean;
	/** Requests since the last answer. */
	readonly silentCount: number;
	/** When the next probe is due, while open. */
	readonly probeDueMs: number;
	answered(): void;
	/** The device did not answer; the line was busy with it for `spentMs`. */
	silent(nowMs: number, spentMs: number): void;
	/** The line came back: probe at once. */
	retryAt(nowMs: number): void;
}

export function createCircuitBreaker(): CircuitBreaker {
	let silentCount = 0;
	let probeDueMs = 0;
	return {
		get isOpen() {
			return silentCount >= OPENS_AFTER;
		},
		get silentCount() {
			return silentCount;
		},
		get probeDueMs() {
			return probeDueMs;
		},
		answered() {
			silentCount = 0;
		},
		silent(nowMs, spentMs) {
			silentCount += 1;
			const doublings = Math.max(0, silentCount - OPENS_AFTER);
			const pauseMs = Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(doublings, 30));
			probeDueMs = nowMs + Math.max(pauseMs, PAUSE_PER_SPENT * spentMs);
		},
		retryAt(nowMs) {
			probeDueMs = nowMs;
		},
	};
}
