import type { SerialFormat } from '../../../config/template/serial-format.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import type { FrameRing } from '../frame-ring.ts';

/** What is counted of the bytes of one serial device since its line was set up, beside the counters that all lines have. */
export interface StreamCounters {
	/** Whole frames with a valid checksum, where there is one; also those that the template has no points of. */
	frames: number;
	/** Times the order of frames was lost without a checksum to say so: bytes between two sound frames that make none. */
	framingErrors: number;
	receivedBytes: number;
	sentBytes: number;
}

/** What the line of one serial device is measured with. It outlives the connections of the line. */
export interface StreamMeter {
	readonly device: DeviceId;
	/** Whether the device is asked; one that is not sends by itself. */
	readonly isAsked: boolean;
	/** How its frames are told apart. */
	readonly format: Pick<SerialFormat, 'framing' | 'checksum' | 'layout'>;
	readonly counters: Readonly<StreamCounters>;
	/** The newest pieces, as they came; off until somebody watches. */
	readonly frames: FrameRing;
}

export const createStreamCounters = (): StreamCounters => ({
	frames: 0,
	framingErrors: 0,
	receivedBytes: 0,
	sentBytes: 0,
});
