import type { Socket } from 'node:net';

import { createPacketScanner, type PacketLimits } from './packet-scanner.ts';

export interface SocketLimits extends PacketLimits {
	/** A connection whose unsent bytes pass this is cut: it has stopped reading. */
	readonly backlogBytes: number;
}

/** Why a guard cut a connection. */
export type CutReason = 'packet-too-large' | 'subscriber-frozen' | 'acknowledgements-missing';

/**
 * Puts two guards round a socket before the broker sees it.
 *
 * Writing never reports a full buffer: the broker would wait for `drain`, and with it everybody who shares a topic with the
 * subscriber that stopped reading. A backlog above the limit cuts that one connection instead.
 * What is written within one turn of the event loop leaves in one system call: an acknowledgement for each message and a message for
 * each subscriber would cost one each.
 * Reading follows the packet headers and cuts the connection at the first byte of a packet that is too large.
 */
export function guardSocket(socket: Socket, limits: SocketLimits, cut: (reason: CutReason) => void): void {
	const scanner = createPacketScanner(limits);
	const plainWrite: unknown = Reflect.get(socket, 'write');
	const plainRead: unknown = Reflect.get(socket, 'read');
	const plainDestroy: unknown = Reflect.get(socket, 'destroy');
	if (typeof plainWrite !== 'function' || typeof plainRead !== 'function' || typeof plainDestroy !== 'function')
		throw new TypeError('not a socket');

	function end(reason: CutReason): void {
		if (socket.destroyed) return;
		cut(reason);
		socket.destroy();
	}

	let isGathering = false;
	function flush(): void {
		if (!isGathering) return;
		isGathering = false;
		socket.uncork();
	}

	// An acknowledgement that was given is not taken back by an end in the same turn.
	Reflect.set(socket, 'destroy', (...given: unknown[]) => {
		flush();
		return Reflect.apply(plainDestroy, socket, given) as unknown;
	});
	Reflect.set(socket, 'write', (...given: unknown[]) => {
		if (!isGathering) {
			isGathering = true;
			socket.cork();
			setImmediate(flush);
		}
		Reflect.apply(plainWrite, socket, given);
		if (socket.writableLength > limits.backlogBytes) end('subscriber-frozen');
		return true;
	});
	Reflect.set(socket, 'read', (...given: unknown[]) => {
		const chunk: unknown = Reflect.apply(plainRead, socket, given);
		if (!(chunk instanceof Uint8Array) || scanner.accept(chunk)) return chunk;
		end('packet-too-large');
		return null;
	});
}
