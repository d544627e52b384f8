/** A healthy device is waited for at least this long, ms: a network, a write to its flash or a busy minute must not look like silence. */
const LEAST_MS = 250;
/** A device that is taken for dead is probed with shorter waits. */
const LEAST_PROBE_MS = 100;
const PER_LATENCY = 4;
/** Fewer answers say too little about how long it takes. */
const ENOUGH_ANSWERS = 16;
/** Each so many probes, one waits the whole timeout, for a device that came back slower than it was. */
const PATIENT_EVERY = 4;

export interface AnswerWait {
	readonly mode: 'adaptive' | 'fixed';
	/** Longest wait, ms. */
	readonly timeoutMs: number;
	/** What 99 % of the answers of the device stayed within, ms; of its line while it has not answered; `null`: nothing is known. */
	readonly latencyP99Ms: number | null;
	/** Answers of the device that are behind this number. */
	readonly answers: number;
	/** Requests since the last answer. */
	readonly silentCount: number;
	/** Whether it is taken for dead. */
	readonly isDead: boolean;
}

/**
 * How long to wait for the next answer, ms. Adaptive: four times what the device usually needs, twice as much after each silence,
 * between a least and `timeoutMs`; a dead one is probed shortly, and each fourth time patiently. Fixed: always `timeoutMs`. Pure.
 */
export function answerWaitMs({ mode, timeoutMs, latencyP99Ms, answers, silentCount, isDead }: AnswerWait): number {
	if (mode === 'fixed' || latencyP99Ms === null) return timeoutMs;
	const usualMs = PER_LATENCY * latencyP99Ms;
	if (isDead) {
		return silentCount % PATIENT_EVERY === 0 ? timeoutMs : Math.min(timeoutMs, Math.max(LEAST_PROBE_MS, usualMs));
	}
	if (answers < ENOUGH_ANSWERS) return timeoutMs;
	return Math.min(timeoutMs, Math.max(LEAST_MS, usualMs) * 2 ** silentCount);
}
