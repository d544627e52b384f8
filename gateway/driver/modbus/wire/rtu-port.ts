import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { Bystanders } from './bystanders.ts';
import type { ByteLink } from './byte-link.ts';
import { createEchoSense, isMirrored } from './echo-sense.ts';
import type { FramePort, FramePortListener } from './frame-port.ts';
import { createGapTimer } from './gap-timer.ts';
import { createLineSilence } from './line-silence.ts';
import { isWrite, type ModbusExchange } from './modbus-line.ts';
import { replyBytes } from './reply-pdu.ts';
import { CRC_BYTES, encodeRtu, scanRtu } from './rtu-frame.ts';
import { gapMs, type RtuTiming, wireMs } from './rtu-timing.ts';
import { createTurnaround } from './turnaround.ts';

/** Twice the longest RTU frame (256 bytes): a reply and what came before it. */
const BUFFER_BYTES = 512;
/** Unit, function, exception code, CRC. */
const EXCEPTION_BYTES = 5;
/** Unit before a PDU, CRC behind it. */
const OVERHEAD_BYTES = 3;
const NO_FRAME = Buffer.alloc(0);

interface RtuPortDeps {
	readonly link: ByteLink;
	readonly timing: RtuTiming;
	readonly clock: Clock;
	readonly meter: LineMeter;
	readonly bystanders: Bystanders;
}

/**
 * Modbus RTU over a byte link. Frames are told apart by their expected length and by silence; before each request the line is
 * silent for 3.5 characters, and longer when another master waits for an answer. What is neither answer nor echo is taken apart
 * and counted, and an answer that another master may have asked for is not taken.
 */
export function createRtuPort({ link, timing, clock, meter, bystanders }: RtuPortDeps): FramePort {
	const { counters, frames } = meter;
	const leastGapMs = gapMs(timing);
	const silence = createLineSilence(clock);
	const gap = createGapTimer();
	const echo = createEchoSense();
	const turnaround = createTurnaround();
	const buffer = Buffer.alloc(BUFFER_BYTES);
	let length = 0;
	let open: ModbusExchange | null = null;
	/** The newest request as it was sent. */
	let sent: Buffer = NO_FRAME;
	let listener: FramePortListener | null = null;
	let isOpen = false;
	let sentAtMs = 0;
	/** Times that something was heard since the request. */
	let looks = 0;

	/** Of bytes that are nobody's answer: they are counted, and the buffer is empty again. */
	function settle(): void {
		if (length === 0) return;
		counters.strayFrames += 1;
		if (bystanders.heard(buffer, 0, length, sent).hasEcho) echo.heard();
		length = 0;
	}

	function drop(count: number): void {
		buffer.copyWithin(0, count, length);
		length -= count;
	}

	/** Appends; when there is more than any reply needs, what is there is settled. */
	function keep(chunk: Buffer): void {
		for (let at = 0; at < chunk.length;) {
			if (length === BUFFER_BYTES) settle();
			const copied = chunk.copy(buffer, length, at);
			length += copied;
			at += copied;
		}
	}

	function leftMs(exchange: ModbusExchange): number {
		const neededMs = isWrite(exchange) ? Math.max(leastGapMs, exchange.guardMs) : leastGapMs;
		const left = neededMs - silence.ms();
		if (left > 0) return left;
		settle();
		return bystanders.politeMs();
	}

	function transmit(exchange: ModbusExchange, frame: Buffer): void {
		if (!isOpen) return;
		settle();
		open = exchange;
		looks = 0;
		sent = frame;
		echo.sent(exchange);
		sentAtMs = clock.monotonicMs();
		frames.push('sent', frame);
		link.write(frame);
		const idleMs = turnaround.expectedMs(exchange);
		if (idleMs !== null) link.rest?.(idleMs + exchangeMs(exchange));
	}

	/** Time of the request and its answer on the wire, ms. */
	const exchangeMs = (exchange: ModbusExchange): number =>
		wireMs(timing, sent.length + replyBytes(exchange) + OVERHEAD_BYTES);

	/** Whether the request, heard again, would be a right answer: of a mirrored one it always is, of a read of bits at some addresses. */
	const couldAnswer = (exchange: ModbusExchange): boolean =>
		isMirrored(exchange) || scanRtu(sent, sent.length, exchange).kind === 'reply';

	/** Whether a copy of a request that could be its answer is the echo. Few answers are such a copy without being mirrored. */
	const isEchoed = (exchange: ModbusExchange): boolean =>
		isMirrored(exchange) ? echo.isEcho() : echo.hasEcho !== false;

	const isOwn = (start: number, end: number): boolean =>
		end - start === sent.length && buffer.compare(sent, 0, sent.length, start, end) === 0;

	/** Removes our own request from the front of what was heard. */
	function swallowEcho(exchange: ModbusExchange): void {
		const isThere = length >= sent.length && buffer.compare(sent, 0, sent.length, 0, sent.length) === 0;
		if (!isThere || (couldAnswer(exchange) && !isEchoed(exchange))) return;
		counters.echoFrames += 1;
		echo.heard();
		drop(sent.length);
	}

	function fail(exchange: ModbusExchange, why: string): void {
		open = null;
		bystanders.gaveUp(exchange);
		turnaround.failed(exchange);
		listener?.corrupt(why);
	}

	function take(exchange: ModbusExchange, start: number, end: number): void {
		const before = bystanders.heard(buffer, 0, start, sent);
		if (start > 0) counters.strayFrames += 1;
		if (before.hasEcho) echo.heard();
		const isException = end - start === EXCEPTION_BYTES;
		const isForeign = bystanders.mayTake(exchange, isException);
		echo.over(before.noiseBytes === 0);
		if (isForeign) {
			drop(end);
			fail(exchange, 'what may be the answer to another master on the line');
			return;
		}
		bystanders.answered(exchange.unitId, sentAtMs);
		open = null;
		if (isException) turnaround.failed(exchange);
		else turnaround.answered(exchange, clock.monotonicMs() - sentAtMs - exchangeMs(exchange), looks === 1);
		const reply = buffer.subarray(start + 1, end - CRC_BYTES);
		listener?.reply(reply);
		drop(end);
	}

	/** Looks for the answer in all that was heard since the request. */
	function look(exchange: ModbusExchange): void {
		swallowEcho(exchange);
		const scan = scanRtu(buffer, length, exchange);
		if (scan.kind === 'reply') {
			if (isOwn(scan.start, scan.end) && isEchoed(exchange)) {
				bystanders.heard(buffer, 0, scan.end, sent);
				echo.heard();
				drop(scan.end);
				look(exchange);
				return;
			}
			take(exchange, scan.start, scan.end);
		} else if (scan.kind === 'corrupt') {
			counters.crcErrors += 1;
			length = 0;
			fail(exchange, 'a wrong CRC');
		} else if (scan.missing > 0) link.rest?.(wireMs(timing, scan.missing));
	}

	function receive(chunk: Buffer): void {
		// A silence ends what was heard before it, unless an answer is awaited: adapters make pauses of their own.
		if (open === null && silence.ms() >= leastGapMs) settle();
		silence.broken();
		frames.push('received', chunk);
		keep(chunk);
		if (open === null) return;
		looks += 1;
		look(open);
	}

	function abandon(): void {
		gap.cancel();
		if (open === null) return;
		bystanders.gaveUp(open);
		turnaround.failed(open);
		open = null;
		const isQuiet = length === 0;
		settle();
		echo.over(isQuiet);
	}

	function stop(): void {
		isOpen = false;
		abandon();
		silence.release();
	}

	return {
		get sentAtMs() {
			return sentAtMs;
		},
		get hasEcho() {
			return echo.hasEcho;
		},
		async open(next) {
			listener = next;
			await link.open({
				bytes: receive,
				lost(reason) {
					stop();
					next.lost(reason);
				},
			});
			isOpen = true;
			// What was on the line before we came may be the middle of a frame.
			silence.broken();
		},
		send(exchange) {
			const frame = encodeRtu(exchange);
			gap.wait(
				() => leftMs(exchange),
				() => transmit(exchange, frame),
			);
		},
		abandon,
		async quarantine(holdMs) {
			abandon();
			await silence.hold(holdMs);
			settle();
		},
		close() {
			stop();
			return link.close();
		},
	};
}
