import type { Clock } from '../../core/kernel/clock.ts';
import { createFrameRing, type FrameRing } from './frame-ring.ts';
import { createLatencyWindow, type LatencyWindow } from './latency-window.ts';

/** Counters of one line since the start; they outlive its connections. */
export interface LineCounters {
	requests: number;
	answers: number;
	timeouts: number;
	exceptions: number;
	crcErrors: number;
	strayFrames: number;
	quarantines: number;
	/** Whole frames of another master and its devices. */
	foreignFrames: number;
	/** Our own requests, heard again. */
	echoFrames: number;
	/** Bytes that belong to no frame. */
	noiseBytes: number;
}

/** What a line is measured with. Made once for each line and handed to each of its connections. */
export interface LineMeter {
	readonly counters: LineCounters;
	readonly latency: LatencyWindow;
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
	frames: createFrameRing(clock),
});
