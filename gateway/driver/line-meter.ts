import type { Clock } from '../../core/kernel/clock.ts';
import { createFrameRing, type FrameRing } from './frame-ring.ts';
import { createLatencyWindow, type LatencyWindow } from './latency-window.ts';
import { createUnitMeters, type UnitMeters } from './unit-meter.ts';

/** Counters of one line since the start; they outlive its connections. */
export interface LineCounters {
	requests: number;
	answers: number;
	timeouts: number;
	exceptions: number;
	crcErrors: number;
	/** Bytes or frames that belonged to no open request: late replies, noise, what another master says. */
	strayFrames: number;
	/** Whole frames with a valid check sum that another master asked for. */
	foreignFrames: number;
	/** Requests that came back on the line: an adapter that hears itself. */
	echoFrames: number;
	/** Bytes that make no frame. */
	noiseBytes: number;
	quarantines: number;
}

/** What a line is measured with. Made once for each line and handed to each of its connections. */
export interface LineMeter {
	readonly counters: LineCounters;
	/** The newest latencies, of all units. */
	readonly latency: LatencyWindow;
	readonly units: UnitMeters;
	readonly frames: FrameRing;
}

export const createLineMeter = (clock: Clock): LineMeter => ({
	counters: {
		requests: 0,
		answers: 0,
		timeouts: 0,
		exceptions: 0,
		crcErrors: 0,
		strayFrames: 0,
		quarantines: 0,
		foreignFrames: 0,
		echoFrames: 0,
		noiseBytes: 0,
	},
	latency: createLatencyWindow(),
	units: createUnitMeters(() => clock.monotonicMs()),
	frames: createFrameRing(clock),
});
