import { setTimeout as sleep } from 'node:timers/promises';

/** Wakes somebody who waits for something to do. */
export interface Bell {
	ring(): void;
	/** Resolves at the next ring, or after so long. Rejects when the signal is aborted. */
	wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
	let waiting: AbortController | null = null;
	let isRung = false;
	return {
		ring() {
			isRung = true;
			waiting?.abort();
		},
		async wait(ms, signal) {
			signal.throwIfAborted();
			if (!isRung) {
				waiting = new AbortController();
				await sleep(ms, undefined, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => undefined);
				waiting = null;
			}
			isRung = false;
			signal.throwIfAborted();
		},
	};
}
