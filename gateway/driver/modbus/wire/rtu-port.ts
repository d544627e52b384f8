import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { ByteLink } from './byte-link.ts';
import type { FramePort, FramePortListener } from './frame-port.ts';
import type { ModbusExchange } from './modbus-line.ts';
import { encodeRtu, scanRtu } from './rtu-frame.ts';

/** Twice the longest RTU frame (256 bytes): a reply and what came before it. */
const BUFFER_BYTES = 512;

/** A line that is never silent (a second master, noise) is used again after this many times the silence asked for. */
const MOST_HOLDS = 10;

/** Above this rate the silence between frames is fixed (Modbus over Serial Line V1.02, 2.5.1.1). */
const FIXED_GAP_ABOVE_BAUD = 19_200;
const FIXED_GAP_MS = 1.75;

export interface RtuTiming {
	readonly baudRate: number;
	/** Start, data, parity and stop bits. */
	readonly bitsPerChar: number;
}

/** Time that so many characters take on the wire, ms. */
export const wireMs = ({ baudRate, bitsPerChar }: RtuTiming, chars: number): number =>
	(chars * bitsPerChar * 1000) / baudRate;

/** Silence that ends a frame, ms: 3.5 characters, or 1.75 ms above 19200 baud. */
export const gapMs = (timing: RtuTiming): number =>
	timing.baudRate > FIXED_GAP_ABOVE_BAUD ? FIXED_GAP_MS : wireMs(timing, 3.5);

interface RtuPortDeps {
	readonly link: ByteLink;
	readonly timing: RtuTiming;
	readonly clock: Clock;
	readonly meter: LineMeter;
}

/** Modbus RTU over a byte link: framing by the expected reply, the silence before each request, the quarantine after a timeout. */
export class RtuPort implements FramePort {
	/** Monotonic instant at which the open request was handed to the link. */
	sentAtMs = 0;
	readonly #deps: RtuPortDeps;
	readonly #gapMs: number;
	readonly #buffer = Buffer.alloc(BUFFER_BYTES);
	#length = 0;
	#expected: ModbusExchange | null = null;
	#listener: FramePortListener | null = null;
	#gapTimer: NodeJS.Timeout | null = null;
	#isOpen = false;
	#lastByteMs = Number.NEGATIVE_INFINITY;
	#lastStrayMs = Number.NEGATIVE_INFINITY;
	#endHold: (() => void) | null = null;

	constructor(deps: RtuPortDeps) {
		this.#deps = deps;
		this.#gapMs = gapMs(deps.timing);
	}

	async open(listener: FramePortListener): Promise<void> {
		const { link, clock } = this.#deps;
		this.#listener = listener;
		await link.open({ bytes: (chunk) => this.#receive(chunk), lost: (reason) => this.#lose(reason) });
		this.#isOpen = true;
		// What was on the line before we came may be the middle of a frame.
		this.#lastByteMs = clock.monotonicMs();
	}

	close(): Promise<void> {
		this.#stop();
		return this.#deps.link.close();
	}

	send(exchange: ModbusExchange): void {
		this.#sendAfterGap(exchange, encodeRtu(exchange));
	}

	abandon(): void {
		if (this.#gapTimer !== null) clearTimeout(this.#gapTimer);
		this.#gapTimer = null;
		this.#expected = null;
		this.#length = 0;
	}

	/** Holds the line and drops all input until it has been silent for `holdMs`. Ends early when the port closes. */
	async quarantine(holdMs: number): Promise<void> {
		const { clock } = this.#deps;
		this.abandon();
		const startMs = clock.monotonicMs();
		while (this.#isOpen) {
			const nowMs = clock.monotonicMs();
			const silentMs = nowMs - Math.max(startMs, this.#lastByteMs);
			if (silentMs >= holdMs || nowMs - startMs >= MOST_HOLDS * holdMs) return;
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, Math.ceil(holdMs - silentMs));
				this.#endHold = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
	}

	#sendAfterGap(exchange: ModbusExchange, frame: Buffer): void {
		const waitMs = this.#gapMs - (this.#deps.clock.monotonicMs() - this.#lastByteMs);
		if (waitMs > 0) this.#gapTimer = setTimeout(() => this.#sendAfterGap(exchange, frame), Math.ceil(waitMs));
		else this.#send(exchange, frame);
	}

	#send(exchange: ModbusExchange, frame: Buffer): void {
		if (!this.#isOpen) return;
		const { link, clock, meter } = this.#deps;
		this.#expected = exchange;
		this.#length = 0;
		this.sentAtMs = clock.monotonicMs();
		meter.frames.push('sent', frame);
		link.write(frame);
	}

	#receive(chunk: Buffer): void {
		this.#lastByteMs = this.#deps.clock.monotonicMs();
		this.#deps.meter.frames.push('received', chunk);
		if (this.#expected === null) {
			this.#countStray();
			return;
		}
		this.#keep(chunk);
		const scan = scanRtu(this.#buffer, this.#length, this.#expected);
		if (scan.kind === 'wait') {
			if (scan.keepFrom > 0) {
				this.#countStray();
				this.#drop(scan.keepFrom);
			}
			return;
		}
		this.#expected = null;
		if (scan.kind === 'corrupt') {
			this.#deps.meter.counters.crcErrors += 1;
			this.#listener?.corrupt('a wrong CRC');
			return;
		}
		if (scan.start > 0 || scan.end < this.#length) this.#countStray();
		this.#listener?.reply(this.#buffer.subarray(scan.start + 1, scan.end - 2));
	}

	/** Appends, and forgets the oldest bytes when there are more than any reply needs. */
	#keep(chunk: Buffer): void {
		const fitting = chunk.subarray(Math.max(0, chunk.length - BUFFER_BYTES));
		const surplus = this.#length + fitting.length - BUFFER_BYTES;
		if (surplus > 0) this.#drop(surplus);
		fitting.copy(this.#buffer, this.#length);
		this.#length += fitting.length;
	}

	#drop(count: number): void {
		this.#buffer.copyWithin(0, count, this.#length);
		this.#length -= count;
	}

	/** Pieces of one burst count once: a burst ends with the silence that ends a frame. */
	#countStray(): void {
		const nowMs = this.#lastByteMs;
		if (nowMs - this.#lastStrayMs > Math.max(this.#gapMs, 5)) this.#deps.meter.counters.strayFrames += 1;
		this.#lastStrayMs = nowMs;
	}

	#lose(reason: string): void {
		if (!this.#isOpen) return;
		this.#stop();
		this.#listener?.lost(reason);
	}

	#stop(): void {
		this.#isOpen = false;
		this.abandon();
		this.#endHold?.();
	}
}
