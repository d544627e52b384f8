import type { Socket } from 'node:net';

import { createPacketScanner, type PacketLimits } from './packet-scanner.ts';

export interface SocketLimits extends PacketLimits {
	/** A connection whose unsent bytes pass this is cut: it has stopped reading. */
	readonly backlogBytes: number;
}

/** Why a guard cut a connection. */
export type CutReason = 'packet-too-large' | 'subscriber-frozen' | 'acknowledgements-missing';

/** What is gathered beyond this is handed to the socket at once, so that its backlog is told truly. */
const GATHERED_BYTES = 64 * 1024;

type Chunk = string | Uint8Array;

/** @throws TypeError for what no packet is made of: the broker asks to have a message written that has no form */
function bytesIn(chunk: Chunk | undefined): number {
	if (typeof chunk === 'string') return Buffer.byteLength(chunk);
	if (chunk instanceof Uint8Array) return chunk.length;
	throw new TypeError('not bytes');
}

/** Chunks behind each other; text as UTF-8. */
function joined(chunks: readonly Chunk[], length: number): Buffer {
	const bytes = Buffer.allocUnsafe(length);
	let at = 0;
	for (const chunk of chunks)
		if (typeof chunk === 'string') at += bytes.write(chunk, at);
		else {
			bytes.set(chunk, at);
			at += chunk.length;
		}
	return bytes;
}

/**
 * Puts two guards round a socket before the broker sees it.
 *
 * Writing never reports a full buffer: the broker would wait for `drain`, and with it everybody who shares a topic with the
 * subscriber that stopped reading. A backlog above the limit cuts that one connection instead.
 * What is written within one turn of the event loop leaves as one buffer in one system call: a packet is handed over in up to six pieces,
 * and an acknowledgement for each message and a message for each subscriber would cost a call each.
 * Reading follows the packet headers and cuts the connection at the first byte of a packet that is too large.
 */
export function guardSocket(socket: Socket, limits: SocketLimits, cut: (reason: CutReason) => void): void {
	const scanner = createPacketScanner(limits);
	const plainWrite = socket.write.bind(socket);
	const plainRead = socket.read.bind(socket);
	const plainDestroy = socket.destroy.bind(socket);

	function end(reason: CutReason): void {
		if (socket.destroyed) return;
		cut(reason);
		socket.destroy();
	}

	let gathered: Chunk[] = [];
	let gatheredBytes = 0;
	let isFlushing = false;
	function flush(): void {
		if (gatheredBytes === 0) return;
		const bytes = joined(gathered, gatheredBytes);
		gathered = [];
		gatheredBytes = 0;
		plainWrite(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
		if (socket.writableLength > limits.backlogBytes) end('subscriber-frozen');
	}
	function flushTurn(): void {
		isFlushing = false;
		flush();
	}

	// The pieces of a packet are gathered here; corking for each packet would only cost.
	Reflect.set(socket, 'cork', undefined);
	// An acknowledgement that was given is not taken back by an end in the same turn.
	Reflect.set(socket, 'destroy', (error?: Error) => {
		flush();
		return plainDestroy(error);
	});
	Reflect.set(socket, 'write', (chunk: Chunk) => {
		if (socket.destroyed) return true;
		gatheredBytes += bytesIn(chunk);
		gathered.push(chunk);
		if (gatheredBytes >= GATHERED_BYTES) flush();
		else if (!isFlushing) {
			isFlushing = true;
			setImmediate(flushTurn);
		}
		return true;
	});
	Reflect.set(socket, 'read', (size?: number) => {
		const chunk: unknown = plainRead(size);
		if (!(chunk instanceof Uint8Array) || scanner.accept(chunk)) return chunk;
		end('packet-too-large');
		return null;
	});
}
