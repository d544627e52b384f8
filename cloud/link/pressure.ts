import type { Clock } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { type Pressure, pressureMessage } from '../../core/link/lane-messages.ts';
import type { HubSend } from '../../core/link/link-feature.ts';

/** How often the load is looked at. */
const LOOK_MS = 500;
/** A pause; it is said again while it has to last. */
const PAUSE_MS = 1_500;
/** What a gateway whose block could not be stored waits for: the disk is full, say. */
const REFUSED_PAUSE_MS = 5_000;
/** Samples that wait for the hub's journal: from here on history waits, from there on live values too. The journal refuses at 200 000. */
const HISTORY_PAUSE_SAMPLES = 100_000;
const LIVE_PAUSE_SAMPLES = 160_000;
/** Bytes of blocks that wait for their turn, from which on history waits at the gateways. */
const HISTORY_PAUSE_BYTES = 32 * 1024 * 1024;
/** Samples of history that all gateways together may have on the way. */
const ALL_WINDOWS_SAMPLES = 1_000_000;
const LARGEST_WINDOW_SAMPLES = 60_000;
const SMALLEST_WINDOW_SAMPLES = 4_000;
/** A gateway that has sent history so lately is draining. */
const DRAINING_MS = 5_000;

export interface PressureDeps {
	readonly send: HubSend;
	/** Bytes of blocks that wait for their turn. */
	readonly waitingBytes: () => number;
	/** Samples that wait for the journal. */
	readonly pendingSamples: () => number;
	readonly online: () => readonly GatewayId[];
	readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface Told {
	readonly pressure: Pressure;
	readonly atMs: number;
}

const isEasy = ({ pauseMs, windowSamples }: Pressure): boolean =>
	pauseMs === 0 && windowSamples === LARGEST_WINDOW_SAMPLES;

function windowFor(gateways: number): number {
	const share = Math.floor(ALL_WINDOWS_SAMPLES / Math.max(1, gateways));
	// In steps, so that each gateway that comes or goes is not told to all the others.
	const step = 2 ** Math.floor(Math.log2(Math.max(1, share)));
	return Math.min(LARGEST_WINDOW_SAMPLES, Math.max(SMALLEST_WINDOW_SAMPLES, step));
}

/**
 * Tells gateways how fast this hub takes samples: how much history each may have on the way, so that all of them together are bounded, and when to wait. History
 * waits first, live values last. A gateway that does not listen is held by its connection.
 */
export function createPressure({ send, waitingBytes, pendingSamples, online, clock }: PressureDeps) {
	/** When each gateway has last sent history. */
	const draining = new Map<GatewayId, number>();
	const told = new Map<GatewayId, Told>();

	function tell(gateway: GatewayId, pressure: Pressure): void {
		const before = told.get(gateway);
		const nowMs = clock.monotonicMs();
		const isSame =
			before !== undefined &&
			before.pressure.pauseMs === pressure.pauseMs &&
			before.pressure.isLivePaused === pressure.isLivePaused &&
			before.pressure.windowSamples === pressure.windowSamples;
		// A pause ends by itself; it is said again before it does.
		const isFresh = pressure.pauseMs === 0 || nowMs - (before?.atMs ?? 0) < pressure.pauseMs / 2;
		if ((isSame && isFresh) || (before === undefined && isEasy(pressure))) return;
		if (!send(gateway, 'pressure', pressureMessage(pressure))) told.delete(gateway);
		else told.set(gateway, { pressure, atMs: nowMs });
	}

	function look(): void {
		const nowMs = clock.monotonicMs();
		for (const [gateway, atMs] of draining) if (nowMs - atMs > DRAINING_MS) draining.delete(gateway);
		const pending = pendingSamples();
		const isLivePaused = pending > LIVE_PAUSE_SAMPLES;
		const isPaused = pending > HISTORY_PAUSE_SAMPLES || waitingBytes() > HISTORY_PAUSE_BYTES;
		const pressure = { pauseMs: isPaused ? PAUSE_MS : 0, isLivePaused, windowSamples: windowFor(draining.size) };
		for (const gateway of isLivePaused ? online() : draining.keys()) tell(gateway, pressure);
		for (const gateway of told.keys()) if (!draining.has(gateway) && !isLivePaused) tell(gateway, pressure);
	}

	const timer = setInterval(look, LOOK_MS);
	timer.unref();

	return {
		look,
		/** A gateway has sent history. */
		history(gateway: GatewayId): void {
			draining.set(gateway, clock.monotonicMs());
		},
		/** A gateway's block could not be stored. */
		refused(gateway: GatewayId): void {
			tell(gateway, { pauseMs: REFUSED_PAUSE_MS, isLivePaused: false, windowSamples: SMALLEST_WINDOW_SAMPLES });
		},
		/** A gateway has come, and knows of nothing that was said before. */
		began(gateway: GatewayId): void {
			told.delete(gateway);
		},
		async stop(): Promise<void> {
			clearInterval(timer);
		},
	};
}
