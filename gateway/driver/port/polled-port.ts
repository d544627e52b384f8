import type { EventEmitter } from 'node:events';
import { readSync, writeSync } from 'node:fs';

import { codeOf, MOST_WAITING_BYTES, type PortIo, type PortIoListener, READ_BYTES } from './port-io.ts';

/** Flags of the binding's poller. */
const READABLE = 1;
const WRITABLE = 2;

/** Not worth a timer: sleeping shorter than this saves no wake-up. */
const LEAST_REST_MS = 2;
/** Timers come up to a millisecond late; the end of a frame must not. */
const WAKE_EARLY_MS = 1;

/** Nothing to read, or no room to write, for now. */
const LATER: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EINTR']);

/** Tells once for each `poll` when a descriptor can be read or written. */
interface Poller extends EventEmitter {
	poll(flags: number): void;
}

/** An open port with a descriptor of the operating system, as the binding for Linux and macOS makes it. */
export interface PolledPort {
	readonly fd: number;
	readonly poller: Poller;
}

/** The descriptor and poller of an open port; `null` where the binding has none. */
export function polledPortOf(port: object): PolledPort | null {
	if (!('fd' in port) || typeof port.fd !== 'number' || !('poller' in port)) return null;
	const { poller } = port;
	const isPoller = typeof poller === 'object' && poller !== null && 'poll' in poller && 'on' in poller;
	if (!isPoller) return null;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library types each platform's port apart; the members were looked at
	return port as PolledPort;
}

/**
 * Reads and writes on the descriptor itself, in the thread of the program. The library makes two trips through the thread pool
 * for each piece that arrives, which costs ten times as much as the bytes; a port never blocks, so nothing is gained by them.
 */
export function createPolledIo({ fd, poller }: PolledPort, listener: PortIoListener): PortIo {
	const buffer = Buffer.allocUnsafe(READ_BYTES);
	let waiting: Buffer = Buffer.alloc(0);
	let isOver = false;
	/** While the link rests nobody asks the poller. */
	let restTimer: NodeJS.Timeout | null = null;
	let isArmed = false;
	/** Bytes that waited for the end of a rest do not tell when they came, nor when the next ones are due. */
	let isWaking = false;

	function fail(error: Error | null): void {
		if (isOver) return;
		end();
		listener.failed(error);
	}

	function arm(): void {
		if (isOver || restTimer !== null) return;
		poller.poll(waiting.length === 0 ? READABLE : READABLE | WRITABLE);
		isArmed = true;
	}

	/** @returns whether there may be more */
	function readOnce(): boolean {
		if (isOver) return false;
		let count: number;
		try {
			count = readSync(fd, buffer, 0, READ_BYTES, null);
		} catch (error) {
			if (!LATER.has(codeOf(error))) fail(error instanceof Error ? error : new Error(String(error)));
			return false;
		}
		// A port that was unplugged is read as the end of a file.
		if (count === 0) fail(null);
		else listener.bytes(buffer.subarray(0, count));
		return count === READ_BYTES;
	}

	function drain(): void {
		while (readOnce());
	}

	function flush(): void {
		try {
			const written = writeSync(fd, waiting);
			waiting = waiting.subarray(written);
		} catch (error) {
			if (!LATER.has(codeOf(error))) fail(error instanceof Error ? error : new Error(String(error)));
		}
	}

	function woken(act: () => void): (error: Error | null) => void {
		return (error) => {
			// The poller tells whoever waits that the port is being closed.
			if (isOver) return;
			isArmed = false;
			if (error !== null) {
				fail(error);
				return;
			}
			act();
			arm();
		};
	}

	const onReadable = woken(drain);
	const onWritable = woken(flush);
	poller.on('readable', onReadable);
	poller.on('writable', onWritable);
	arm();

	function wake(): void {
		restTimer = null;
		isWaking = true;
		drain();
		isWaking = false;
		arm();
	}

	function end(): void {
		isOver = true;
		poller.off('readable', onReadable);
		poller.off('writable', onWritable);
		if (restTimer !== null) clearTimeout(restTimer);
	}

	return {
		write(bytes) {
			if (isOver) return;
			if (waiting.length + bytes.length > MOST_WAITING_BYTES) {
				fail(new Error(`the port has not taken ${waiting.length} bytes`));
				return;
			}
			waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
			flush();
			if (waiting.length > 0) arm();
		},
		rest(ms) {
			const sleepMs = Math.floor(ms - WAKE_EARLY_MS);
			if (isOver || isWaking || sleepMs < LEAST_REST_MS || waiting.length > 0) return;
			if (restTimer !== null) clearTimeout(restTimer);
			restTimer = setTimeout(wake, sleepMs);
			if (isArmed) poller.poll(0);
			isArmed = false;
		},
		end,
	};
}
