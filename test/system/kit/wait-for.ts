import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../../core/kernel/fault.ts';

const POLL_MS = 25;

/**
 * Asks again and again until the answer is neither null, undefined nor false, and returns it.
 * @throws Error that names what was awaited, and the last failure, when `withinMs` is over.
 */
export async function waitFor<T>(
	what: string,
	withinMs: number,
	ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
	const deadline = performance.now() + withinMs;
	let failure: unknown = null;
	while (performance.now() < deadline) {
		try {
			const answer = await ask();
			if (answer !== null && answer !== undefined && answer !== false) return answer;
		} catch (error) {
			failure = error;
		}
		await sleep(POLL_MS);
	}
	const last = failure === null ? '' : ` (${messageOf(failure)})`;
	throw new Error(`not within ${withinMs} ms: ${what}${last}`, { cause: failure });
}

/**
 * Asks again and again until the answer is good, or `withinMs` is over, and returns the last answer: the assertion that follows
 * says what is wrong with it. For what changes until everything has arrived.
 */
export async function settled<T>(withinMs: number, ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
	const deadline = performance.now() + withinMs;
	for (;;) {
		const answer = await ask();
		if (isGood(answer) || performance.now() >= deadline) return answer;
		await sleep(POLL_MS);
	}
}
