import type { Clock } from '../../core/kernel/clock.ts';
import { type Pressure, parsePressure } from '../../core/link/lane-messages.ts';

/** Samples of history sent and not acknowledged while the hub has said nothing else; its memory for one gateway is bounded by it. */
const WINDOW_SAMPLES = 60_000;

/** What the hub has said about how fast it takes samples, in this session. History yields first. */
export function createHubPressure({ clock }: { readonly clock: Pick<Clock, 'monotonicMs'> }) {
	let historyFromMs = Number.NEGATIVE_INFINITY;
	let liveFromMs = Number.NEGATIVE_INFINITY;
	let windowSamples = WINDOW_SAMPLES;

	function take({ pauseMs, isLivePaused, windowSamples: window }: Pressure): void {
		historyFromMs = clock.monotonicMs() + pauseMs;
		liveFromMs = isLivePaused ? historyFromMs : Number.NEGATIVE_INFINITY;
		windowSamples = Math.min(WINDOW_SAMPLES, window);
	}

	return {
		/** @throws Fault `rule-violation` when the message is none */
		hear: (payload: Uint8Array): void => take(parsePressure(payload)),
		/** A new session: the hub has said nothing yet. */
		reset: (): void => take({ pauseMs: 0, isLivePaused: false, windowSamples: WINDOW_SAMPLES }),
		/** Time until history may be sent; 0: now. */
		historyWaitMs: (): number => Math.max(0, historyFromMs - clock.monotonicMs()),
		isLivePaused: (): boolean => liveFromMs > clock.monotonicMs(),
		windowSamples: (): number => windowSamples,
	};
}

export type HubPressure = ReturnType<typeof createHubPressure>;
