import type { Clock, EpochMs } from '../../core/kernel/clock.ts';

/** One write or one arrival on a line, as the bytes were on the wire. */
export interface LineFrame {
	readonly direction: 'sent' | 'received';
	readonly at: EpochMs;
	readonly bytes: Buffer;
}

/** Frames kept for each line. */
const FRAMES = 200;

/** The newest frames of a line, for diagnosis. Off until somebody watches, so that it costs one comparison. */
export interface FrameRing {
	/** Starts or ends the recording; ending forgets what was recorded. */
	record(on: boolean): void;
	push(direction: LineFrame['direction'], bytes: Buffer): void;
	/** Oldest first. */
	frames(): readonly LineFrame[];
}

export function createFrameRing(clock: Clock): FrameRing {
	let kept: LineFrame[] = [];
	let next = 0;
	let isOn = false;
	return {
		record(on) {
			isOn = on;
			if (!on) {
				kept = [];
				next = 0;
			}
		},
		push(direction, bytes) {
			if (!isOn) return;
			kept[next] = { direction, at: clock.now(), bytes: Buffer.from(bytes) };
			next = (next + 1) % FRAMES;
		},
		frames: () => [...kept.slice(next), ...kept.slice(0, next)],
	};
}
