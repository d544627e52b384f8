import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';

/** One write or one arrival on a line, as the bytes were on the wire. A frame may arrive in several. */
export interface LineFrame {
	readonly direction: 'sent' | 'received';
	/** Since the beginning of the recording, µs. */
	readonly sinceStartUs: number;
	readonly bytes: Buffer;
}

/** What went wrong on the line. */
export interface RecordedFault {
	readonly at: EpochMs;
	/** A sentence. */
	readonly reason: string;
}

/** How far a recording is. */
export interface Recording {
	readonly startedAt: EpochMs;
	/** When it ends, or ended, by itself. */
	readonly until: EpochMs;
	readonly isRunning: boolean;
	/** Whether the first fault ends it. */
	readonly untilFault: boolean;
	/** The fault that ended it. */
	readonly fault: RecordedFault | null;
	readonly bytes: number;
	/** Older frames that made room for newer ones. */
	readonly dropped: number;
}

/** Memory of one recording; a frame costs its bytes and this much more. */
export const RING_BYTES = 256 * 1024;
const FRAME_BYTES = 64;
/** Longest recording, ms. */
export const MOST_RECORDING_MS = 15 * 60_000;
/** Longest wait for a fault, ms. */
export const MOST_WATCH_MS = 7 * 86_400_000;
/** How long a recording goes on after the fault that it waited for, ms. */
const AFTER_FAULT_MS = 5_000;
/** How long frames are kept after their recording has ended, ms. */
const KEPT_MS = 60 * 60_000;
/** The same of a fault that came while nobody looked. */
const FAULT_KEPT_MS = MOST_WATCH_MS;

/** The newest frames of a line, for diagnosis. Off until somebody watches, so that it costs one comparison. */
export interface FrameRing {
	/** Records from now on for so long, at most 15 minutes, and forgets what was recorded before; 0 ends and forgets. */
	record(forMs: number): void;
	/** Records until `fault` is called, at most a week: the newest frames, so that those before the fault are there. Forgets what was recorded before. */
	watch(forMs: number): void;
	/** A device of the line was lost. Ends a recording that waits for it, a few seconds later. */
	fault(reason: string): void;
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
	readonly untilFault: boolean;
	fault: RecordedFault | null;
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
		if (run !== null && nowMs >= run.endMs + (run.fault === null ? KEPT_MS : FAULT_KEPT_MS)) run = null;
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

	function begin(lastsMs: number, untilFault: boolean): void {
		const startMs = clock.monotonicMs();
		isOn = lastsMs > 0;
		const fresh = { untilFault, fault: null, frames: [], first: 0, bytes: 0, dropped: 0 };
		run = isOn ? { startedAt: clock.now(), startMs, endMs: startMs + lastsMs, ...fresh } : null;
	}

	return {
		record: (forMs) => begin(Math.min(forMs, MOST_RECORDING_MS), false),
		watch: (forMs) => begin(Math.min(forMs, MOST_WATCH_MS), true),
		fault(reason) {
			const into = isOn ? kept() : null;
			if (into === null || !isOn || !into.untilFault || into.fault !== null) return;
			into.fault = { at: clock.now(), reason };
			into.endMs = Math.min(into.endMs, clock.monotonicMs() + AFTER_FAULT_MS);
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
			const { startedAt, startMs, endMs, untilFault, fault, bytes, dropped } = now;
			const until = epochMs(startedAt + Math.round(endMs - startMs));
			return { startedAt, until, isRunning: isOn, untilFault, fault, bytes, dropped };
		},
	};
}
