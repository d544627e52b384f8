import { type ReadonlySignal, computed, signal } from '@preact/signals';

/** The server's wall clock as this page sees it. Ages are right also where phone and appliance disagree about the time. */
export interface ServerClock {
	/** Server's time now, epoch ms; moves each second while the page is looked at. */
	readonly now: ReadonlySignal<number>;
	/** The server said it is this late, epoch ms. */
	readonly learn: (serverNowMs: number) => void;
}

const TICK_MS = 1_000;

export function createServerClock(): ServerClock {
	const tick = signal(Date.now());
	const offsetMs = signal(0);
	setInterval(() => {
		if (document.visibilityState === 'visible') tick.value = Date.now();
	}, TICK_MS);
	return {
		now: computed(() => tick.value + offsetMs.value),
		learn(serverNowMs) {
			const found = serverNowMs - Date.now();
			// Below a second it is the way of the answer, not the clock.
			offsetMs.value = Math.abs(found) < 1_000 ? 0 : found;
		},
	};
}
