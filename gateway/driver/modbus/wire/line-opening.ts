import { Fault } from '../../../../core/kernel/fault.ts';

/** Longest wait for a connection or a port to open. */
const OPEN_MS = 5000;

/**
 * Waits for a line to open, at most five seconds and at most until `signal` says that nobody needs it. The opening itself goes
 * on; whoever waits closes the line after a fault.
 * @throws Fault what `opening` throws, `timeout`, or `unavailable` when it was called off
 */
export function openInTime(opening: Promise<void>, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const settle = (error: unknown): void => {
			clearTimeout(timer);
			signal.removeEventListener('abort', abort);
			if (error === null) resolve();
			else reject(error);
		};
		const abort = (): void => settle(new Fault('unavailable', 'the line was closed while it was being opened'));
		const late = `the line did not open within ${OPEN_MS / 1000} s: check power, cable and address (ETIMEDOUT)`;
		const timer = setTimeout(() => settle(new Fault('timeout', late)), OPEN_MS);
		signal.addEventListener('abort', abort);
		opening.then(() => settle(null), settle);
		if (signal.aborted) abort();
	});
}
