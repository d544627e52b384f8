import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { createAsciiReader, encodeAscii } from './ascii-frame.ts';
import type { ByteLink } from './byte-link.ts';
import type { FramePort, FramePortListener } from './frame-port.ts';
import { createLineSilence } from './line-silence.ts';
import type { ModbusExchange } from './modbus-line.ts';
import { EXCEPTION_BIT, replyLength } from './reply-pdu.ts';

/** Longest silence within a frame (Modbus over Serial Line V1.02, 2.5.2.1). */
const BETWEEN_CHARS_MS = 1000;

interface AsciiPortDeps {
	readonly link: ByteLink;
	readonly clock: Clock;
	readonly meter: LineMeter;
}

/** Modbus ASCII over a byte link. Frames have a beginning and an end of their own, so it needs no silence before a request. */
export function createAsciiPort({ link, clock, meter }: AsciiPortDeps): FramePort {
	const { counters } = meter;
	const silence = createLineSilence(clock);
	let expected: ModbusExchange | null = null;
	let listener: FramePortListener | null = null;
	let sentAtMs = 0;

	const countStray = (): void => {
		counters.strayFrames += 1;
	};

	function frame(bytes: Buffer, isSound: boolean): void {
		const isOurs = expected !== null && bytes[0] === expected.unitId;
		if (expected === null || !isOurs) {
			countStray();
			return;
		}
		if (!isSound) {
			counters.crcErrors += 1;
			if (((bytes[1] ?? 0) & ~EXCEPTION_BIT) === expected.functionCode) fail('a wrong check sum');
			return;
		}
		// An echo of the request, or the late answer to a read of another length.
		if (replyLength(expected, bytes, 1, bytes.length) !== bytes.length - 1) {
			countStray();
			return;
		}
		expected = null;
		listener?.reply(bytes.subarray(1));
	}

	function fail(why: string): void {
		expected = null;
		listener?.corrupt(why);
	}

	const reader = createAsciiReader({ frame, noise: countStray });

	function receive(chunk: Buffer): void {
		meter.frames.push('received', chunk);
		if (silence.ms() > BETWEEN_CHARS_MS) reader.drop();
		silence.broken();
		reader.read(chunk);
	}

	function abandon(): void {
		expected = null;
	}

	return {
		get sentAtMs() {
			return sentAtMs;
		},
		async open(next) {
			listener = next;
			await link.open({
				bytes: receive,
				lost(reason) {
					silence.release();
					abandon();
					next.lost(reason);
				},
			});
			silence.broken();
		},
		send(exchange) {
			const bytes = encodeAscii(exchange);
			expected = exchange;
			reader.drop();
			sentAtMs = clock.monotonicMs();
			meter.frames.push('sent', bytes);
			link.write(bytes);
		},
		abandon,
		async quarantine(holdMs) {
			abandon();
			await silence.hold(holdMs);
			reader.drop();
		},
		close() {
			silence.release();
			abandon();
			return link.close();
		},
	};
}
