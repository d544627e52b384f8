import type { StreamLine } from '../../../config/connection/connection.ts';
import type { SerialFormat } from '../../../config/template/serial-format.ts';
import type { SetTimer } from '../../../core/journal/set-timer.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import { serialName } from '../modbus/line-name.ts';
import type { FrameRing } from '../frame-ring.ts';
import type { KeptLine } from '../line-keeper.ts';
import type { ByteLink } from '../modbus/wire/byte-link.ts';
import { openInTime } from '../modbus/wire/line-opening.ts';
import { createFrameReader, type FrameListener } from './frame-reader.ts';
import type { StreamCounters } from './stream-meter.ts';

/** e.g. `serial /dev/ttyUSB0 9600 8N1` or `socket 192.168.1.21:4001`. */
export const streamLineName = (line: StreamLine): string =>
	line.transport === 'serial' ? `serial ${line.path} ${serialName(line)}` : `socket ${line.host}:${line.port}`;

/** One connection to a serial device that is not Modbus. */
export interface FramedLine extends KeptLine {
	/** Sends a request; what was held of earlier bytes belongs to nothing any more. */
	ask(request: Uint8Array): void;
}

export interface FramedLineDeps {
	readonly link: ByteLink;
	readonly format: SerialFormat;
	readonly listener: FrameListener;
	/** All bytes of the line go through these. */
	readonly counters: Pick<StreamCounters, 'receivedBytes' | 'sentBytes'>;
	readonly frames: Pick<FrameRing, 'push'>;
	readonly clock: Pick<Clock, 'monotonicMs'>;
	readonly setTimer: SetTimer;
}

/** Frames over a byte link. */
export function createFramedLine(deps: FramedLineDeps): FramedLine {
	const { link, format, listener, counters, frames, clock, setTimer } = deps;
	const reader = createFrameReader(format, listener);
	const { gapMs } = format.framing;
	let heardMs = 0;
	let endGap: (() => void) | null = null;
	let isClosed = false;

	/** One timer for all bytes of a frame: it looks when the last one came. */
	function watchGap(waitMs: number): void {
		endGap = setTimer(() => {
			endGap = null;
			if (gapMs === null || isClosed) return;
			const restMs = heardMs + gapMs - clock.monotonicMs();
			if (restMs > 0) watchGap(restMs);
			else reader.silence();
		}, waitMs);
	}

	return {
		async open(signal, lost) {
			const opening = link.open({
				bytes(chunk) {
					if (isClosed) return;
					heardMs = clock.monotonicMs();
					counters.receivedBytes += chunk.length;
					frames.push('received', chunk);
					reader.push(chunk);
					if (gapMs !== null && endGap === null) watchGap(gapMs);
				},
				lost,
			});
			await openInTime(opening, signal);
		},
		ask(request) {
			const held = reader.held;
			reader.clear();
			if (held > 0) listener.noise(held);
			// The link keeps what it is handed.
			const bytes = Buffer.from(request);
			counters.sentBytes += bytes.length;
			frames.push('sent', bytes);
			link.write(bytes);
		},
		async close() {
			isClosed = true;
			endGap?.();
			endGap = null;
			await link.close();
		},
	};
}
