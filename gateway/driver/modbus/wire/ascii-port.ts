import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { createAsciiReader, encodeAscii } from './ascii-frame.ts';
import type { ByteLink } from './byte-link.ts';
import { createEchoSense, isMirrored } from './echo-sense.ts';
import type { FramePort, FramePortListener } from './frame-port.ts';
import { createLineSilence } from './line-silence.ts';
import type { ModbusExchange } from './modbus-line.ts';
import { EXCEPTION_BIT, replyLength } from './reply-pdu.ts';

/** Longest silence within a frame (Modbus over Serial Line V1.02, 2.5.2.1). */
const BETWEEN_CHARS_MS = 1000;

const UNITS = 256;
const NO_FRAME = Buffer.alloc(0);

/** Whether a sound frame has the shape of the answer. */
const hasAnswerShape = (exchange: ModbusExchange, frame: Buffer): boolean =>
	frame[0] === exchange.unitId && replyLength(exchange, frame, 1, frame.length) === frame.length - 1;

interface AsciiPortDeps {
	readonly link: ByteLink;
	readonly clock: Clock;
	readonly meter: LineMeter;
}

/** Modbus ASCII over a byte link. Frames have a beginning and an end of their own, so it needs no silence before a request. */
export function createAsciiPort({ link, clock, meter }: AsciiPortDeps): FramePort {
	const { counters, frames } = meter;
	const silence = createLineSilence(clock);
	const echo = createEchoSense();
	/** Units this port has asked: sound frames of others belong to another master. */
	const asked = new Uint8Array(UNITS);
	let open: ModbusExchange | null = null;
	/** Unit and PDU of the newest request. */
	let sent: Buffer = NO_FRAME;
	/** Nothing but the answer was heard since the newest request. */
	let isQuiet = true;
	let listener: FramePortListener | null = null;
	let sentAtMs = 0;

	function stray(unitId: number | null): void {
		isQuiet = false;
		counters.strayFrames += 1;
		if (unitId !== null && asked[unitId] === 0) counters.foreignFrames += 1;
	}

	function damaged(exchange: ModbusExchange | null, frame: Buffer): void {
		isQuiet = false;
		counters.crcErrors += 1;
		const isAnswer = exchange?.unitId === frame[0] && exchange?.functionCode === ((frame[1] ?? 0) & ~EXCEPTION_BIT);
		if (!isAnswer) return;
		end();
		listener?.corrupt('a wrong check sum');
	}

	function isEcho(exchange: ModbusExchange, frame: Buffer): boolean {
		if (!frame.equals(sent)) return false;
		if (isMirrored(exchange)) return echo.isEcho();
		// A read of bits at some addresses is answered by its own bytes when the bits are so.
		return echo.hasEcho !== false || !hasAnswerShape(exchange, frame);
	}

	function sound(exchange: ModbusExchange, frame: Buffer): void {
		if (isEcho(exchange, frame)) {
			counters.echoFrames += 1;
			echo.heard();
		} else if (hasAnswerShape(exchange, frame)) {
			end();
			listener?.reply(frame.subarray(1));
		} else {
			stray(frame[0] ?? null);
		}
	}

	function heard(frame: Buffer, isSound: boolean): void {
		if (!isSound) damaged(open, frame);
		else if (open === null) stray(frame[0] ?? null);
		else sound(open, frame);
	}

	function noise(count: number, isFirst: boolean): void {
		counters.noiseBytes += count;
		if (isFirst) stray(null);
	}

	const reader = createAsciiReader({ frame: heard, noise });

	function receive(chunk: Buffer): void {
		frames.push('received', chunk);
		if (silence.ms() > BETWEEN_CHARS_MS) reader.drop();
		silence.broken();
		reader.read(chunk);
	}

	/** The open request is over, in whatever way. */
	function end(): void {
		if (open === null) return;
		open = null;
		echo.over(isQuiet);
	}

	return {
		get hasEcho() {
			return echo.hasEcho;
		},
		get sentAtMs() {
			return sentAtMs;
		},
		async open(next) {
			listener = next;
			await link.open({
				bytes: receive,
				lost(reason) {
					silence.release();
					end();
					next.lost(reason);
				},
			});
			silence.broken();
		},
		send(exchange) {
			const { body, characters } = encodeAscii(exchange);
			reader.drop();
			open = exchange;
			sent = body;
			isQuiet = true;
			asked[exchange.unitId] = 1;
			echo.sent(exchange);
			sentAtMs = clock.monotonicMs();
			frames.push('sent', characters);
			link.write(characters);
		},
		abandon: end,
		async quarantine(holdMs) {
			end();
			await silence.hold(holdMs);
			reader.drop();
		},
		close() {
			silence.release();
			end();
			return link.close();
		},
	};
}
