import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';
import { parseTimeAnswer, timeMessage, toldEra } from '../../core/link/time-messages.ts';
import type { ClockStatus, TimeKeeper } from '../../core/time/time-keeper.ts';

/** Questions at the beginning of a session; the answer with the shortest round trip counts, because it can be wrong by least. */
const QUESTIONS = 3;
/** A hub that does not answer is an older one, or does not know the time: live values do not wait for it any longer. */
const ANSWER_TIMEOUT_MS = 2_000;
/** How often the hub is asked while a session lasts. */
const ASK_AGAIN_MS = 15 * 60_000;
/** Changes gather for so long before the hub hears of them. */
const GATHER_MS = 200;

interface Answer {
	readonly at: number;
	/** Half of the round trip: the answer was given at some time in it. */
	readonly errorMs: number;
	readonly monotonicMs: number;
}

interface Open {
	readonly ask: number;
	readonly sentMs: number;
	readonly done: (answer: Answer | null) => void;
}

export interface TimeUplinkDeps {
	readonly keeper: Pick<TimeKeeper, 'hubSays' | 'untold' | 'told' | 'forgetTold' | 'listen'> & {
		readonly status: () => Pick<ClockStatus, 'now' | 'quality' | 'eras'>;
	};
	readonly clock: Clock;
	readonly log: Logger;
}

/** Asks the hub what time it is, and tells it under which clock the readings were stamped: before any reading of a session. */
export function createTimeUplink({ keeper, clock, log }: TimeUplinkDeps): UplinkFeature {
	let asked = 0;
	let open: Open | null = null;
	/** Something has changed that the hub has not been asked or told of. */
	let isWanted = false;
	let woken = new AbortController();

	function hear(payload: Uint8Array): void {
		const { ask, at } = parseTimeAnswer(payload);
		if (open === null || open.ask !== ask) return;
		const { sentMs, done } = open;
		open = null;
		const monotonicMs = clock.monotonicMs();
		const errorMs = (monotonicMs - sentMs) / 2;
		done(at === null ? null : { at: at + errorMs, errorMs, monotonicMs });
	}

	async function tell(send: UplinkSend, ask: number | null): Promise<void> {
		const eras = keeper.untold();
		const { now, quality } = keeper.status();
		await send('time', timeMessage({ ask, at: now, quality, eras: eras.map(toldEra) }));
		keeper.told(eras);
	}

	async function askOnce(send: UplinkSend, signal: AbortSignal): Promise<Answer | null> {
		asked += 1;
		const ask = asked;
		const answered = new Promise<Answer | null>((done) => {
			open = { ask, sentMs: clock.monotonicMs(), done };
		});
		await tell(send, ask);
		const waiting = new AbortController();
		const timeout = sleep(ANSWER_TIMEOUT_MS, null, { signal: AbortSignal.any([signal, waiting.signal]) });
		try {
			return await Promise.race([answered, timeout.catch(() => null)]);
		} finally {
			waiting.abort();
			open = null;
		}
	}

	/** Asks some times and believes the best answer. */
	async function learn(send: UplinkSend, signal: AbortSignal): Promise<void> {
		let best: Answer | null = null;
		for (let question = 0; question < QUESTIONS && !signal.aborted; question += 1) {
			const answer = await askOnce(send, signal);
			if (answer === null) break;
			if (best === null || answer.errorMs < best.errorMs) best = answer;
		}
		if (best !== null) keeper.hubSays(best);
	}

	/** Waits until there is something to say or to ask. @throws when the session ends */
	async function pause(signal: AbortSignal): Promise<void> {
		woken = new AbortController();
		const waking = AbortSignal.any([signal, woken.signal]);
		if (!isWanted) await sleep(ASK_AGAIN_MS, undefined, { signal: waking }).catch(() => undefined);
		await sleep(GATHER_MS, undefined, { signal });
		isWanted = false;
	}

	async function keepUp(send: UplinkSend, signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await pause(signal);
			await learn(send, signal);
			// What the answer has changed.
			if (keeper.untold().length > 0) await tell(send, null);
		}
	}

	keeper.listen(() => {
		isWanted = true;
		woken.abort();
	});

	return {
		hears: { time: hear },
		*carried() {
			const { now, quality, eras } = keeper.status();
			yield { kind: 'time', payload: timeMessage({ ask: null, at: now, quality, eras: eras.map(toldEra) }) };
		},
		async begin(send, signal) {
			keeper.forgetTold();
			await learn(send, signal);
			keepUp(send, signal).catch((error: unknown) => {
				// The session has ended; the next one begins with everything.
				if (!signal.aborted) log.warn('time-not-told', { reason: messageOf(error) });
			});
		},
	};
}
