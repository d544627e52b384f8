import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';

/** One write or one arrival on a line, as the bytes were on the wire. A frame may arrive in several. */
export interface LineFrame {
	readonly direction: 'sent' | 'received';
	/** Since the beginning of the recording, µs. */
	readonly sinceStartUs: number;
	readonly bytes: Buffer;
}

/** How far a recording is. */
export interface Recording {
	readonly startedAt: EpochMs;
	/** When it ends, or ended, by itself. */
	readonly until: EpochMs;
	readonly isRunning: boolean;
	readonly bytes: number;
	/** Older frames that made room for newer ones. */
	readonly dropped: number;
}

/** Memory of one recording; a frame costs its bytes and this much more. */
export const RING_BYTES = 256 * 1024;
const FRAME_BYTES = 64;
/** Longest recording, ms. */
export const MOST_RECORDING_MS = 15 * 60_000;
/** How long frames are kept after their recording has ended, ms. */
const KEPT_MS = 60 * 60_000;

/** The newest frames of a line, for diagnosis. Off until somebody watches, so that it costs one comparison. */
export interface FrameRing {
	/** Records from now on for so long, at most 15 minutes, and forgets what was recorded before; 0 ends and forgets. */
	record(forMs: number): void;
	/** Ends the recording and keeps it. */
	end(): void;
	push(direction: LineFrame['direction'], bytes: Buffer): void;
	/** Oldest first. */
	frames(): readonly LineFrame[];
	/** `null`: there is none. */
	recording(): Recording | null;
}

interface Run {
	readonly startedAt: EpochMs;
	readonly startMs: number;
	endMs: number;
	frames: LineFrame[];
	/** Index of the oldest frame that is kept. */
	first: number;
	bytes: number;
	dropped: number;
}

export function createFrameRing(clock: Clock): FrameRing {
	let run: Run | null = null;
	let isOn = false;

	/** The recording, while it is kept. */
	function kept(): Run | null {
		const nowMs = clock.monotonicMs();
		if (run !== null && nowMs >= run.endMs) isOn = false;
		if (run !== null && nowMs >= run.endMs + KEPT_MS) run = null;
		return run;
	}

	function keep(into: Run, frame: LineFrame): void {
		into.frames.push(frame);
		into.bytes += frame.bytes.length + FRAME_BYTES;
		while (into.bytes > RING_BYTES) {
			into.bytes -= (into.frames[into.first]?.bytes.length ?? 0) + FRAME_BYTES;
			into.first += 1;
			into.dropped += 1;
		}
		if (into.first < 1024 || into.first * 2 < into.frames.length) return;
		into.frames = into.frames.slice(into.first);
		into.first = 0;
	}

	return {
		record(forMs) {
			const startMs = clock.monotonicMs();
			const lastsMs = Math.min(forMs, MOST_RECORDING_MS);
			isOn = lastsMs > 0;
			const fresh = { frames: [], first: 0, bytes: 0, dropped: 0 };
			run = isOn ? { startedAt: clock.now(), startMs, endMs: startMs + lastsMs, ...fresh } : null;
		},
		end() {
			if (isOn && run !== null) run.endMs = Math.min(run.endMs, clock.monotonicMs());
			isOn = false;
		},
		push(direction, bytes) {
			if (!isOn) return;
			const into = kept();
			if (into === null || !isOn) return;
			const sinceStartUs = Math.round((clock.monotonicMs() - into.startMs) * 1000);
			keep(into, { direction, sinceStartUs, bytes: Buffer.from(bytes) });
		},
		frames() {
			const from = kept();
			return from === null ? [] : from.frames.slice(from.first);
		},
		recording() {
			const now = kept();
			if (now === null) return null;
			const { startedAt, startMs, endMs, bytes, dropped } = now;
			const until = epochMs(startedAt + Math.round(endMs - startMs));
			return { startedAt, until, isRunning: isOn, bytes, dropped };
		},
	};
}
