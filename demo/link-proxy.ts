import { type Socket, connect, createServer } from 'node:net';

import type { Clock } from '../core/kernel/clock.ts';
import type { Stoppable } from '../core/kernel/lifecycle.ts';
import { listenOnLoopback } from '../gateway/simulator/listen.ts';
import { resetSocket } from '../gateway/simulator/reset-socket.ts';

/**
 * pass: bytes go through. cut: connections are reset, new ones at once too. black-hole: connections stay and new ones are
 * accepted, but nothing passes, as when a cable is pulled far away. delay: each byte arrives `delayMs` later. throttle: each
 * direction of a connection carries so many bytes a second. cut-after: passes that many bytes more, which end anywhere in a frame, then
 * resets all connections, and passes again.
 */
export type LinkMode =
	| { readonly kind: 'pass' | 'cut' | 'black-hole' }
	| { readonly kind: 'delay'; readonly delayMs: number }
	| { readonly kind: 'throttle'; readonly bytesPerSecond: number }
	| { readonly kind: 'cut-after'; readonly bytes: number };

/** A wire between two programs that can be made bad. Listens on loopback. */
export interface LinkProxy extends Stoppable {
	readonly port: number;
	mode(): LinkMode;
	setMode(mode: LinkMode): void;
	/** Bytes that went through since the start, both directions. */
	passedBytes(): number;
}

const MAX_CONNECTIONS = 64;
/** Bytes one direction may hold back before its sender has to wait. */
const MAX_HELD_BYTES = 1 << 20;

interface Held {
	/** Monotonic ms from which on the bytes may go; null bytes are the end of the stream. */
	readonly dueMs: number;
	readonly bytes: Buffer | null;
}

/** One direction of one connection. Bytes leave in their order: none goes before an earlier one that still waits. */
interface Lane {
	/** Looks again at what is held: the mode has changed. */
	pump(): void;
	close(): void;
}

interface LaneDeps {
	readonly clock: Clock;
	readonly from: Socket;
	readonly to: Socket;
	readonly mode: () => LinkMode;
	/** What of the bytes may go; they are counted. Fewer: the wire is cut once they have gone. */
	readonly admit: (bytes: Buffer) => Buffer;
	readonly cut: () => void;
}

function createLane({ clock, from, to, mode, admit, cut }: LaneDeps): Lane {
	const held: Held[] = [];
	let heldBytes = 0;
	let timer: NodeJS.Timeout | null = null;
	let isBlocked = false;
	let freeMs = 0;

	/** When bytes that come now may leave. */
	function dueMs(bytes: number): number {
		const now = mode();
		const nowMs = clock.monotonicMs();
		if (now.kind === 'delay') return nowMs + now.delayMs;
		if (now.kind !== 'throttle') return nowMs;
		freeMs = Math.max(freeMs, nowMs) + (bytes * 1000) / now.bytesPerSecond;
		return freeMs;
	}

	function hold(bytes: Buffer | null): void {
		const length = bytes?.length ?? 0;
		held.push({ dueMs: dueMs(length), bytes });
		heldBytes += length;
		pump();
	}

	function send({ bytes }: Held): void {
		if (bytes === null) {
			to.end();
			return;
		}
		heldBytes -= bytes.length;
		const part = admit(bytes);
		isBlocked = !to.write(part, part.length < bytes.length ? cut : undefined);
	}

	function wakeIn(ms: number): void {
		timer = setTimeout(pump, Math.ceil(ms));
	}

	function pump(): void {
		if (timer !== null) clearTimeout(timer);
		timer = null;
		if (mode().kind === 'black-hole') {
			from.pause();
			return;
		}
		for (let next = held[0]; !isBlocked && next !== undefined; next = held[0]) {
			const waitMs = next.dueMs - clock.monotonicMs();
			if (waitMs > 0) {
				wakeIn(waitMs);
				break;
			}
			held.shift();
			send(next);
		}
		if (heldBytes < MAX_HELD_BYTES) from.resume();
		else from.pause();
	}

	from.on('data', hold);
	from.once('end', () => hold(null));
	to.on('drain', () => {
		isBlocked = false;
		pump();
	});
	return {
		pump,
		close() {
			if (timer !== null) clearTimeout(timer);
		},
	};
}

interface Connection {
	/** False when it was accepted in a black hole: the far side never heard of it. */
	readonly isThrough: boolean;
	pump(): void;
	destroy(): void;
}

export interface LinkProxyOptions {
	readonly clock: Clock;
	readonly targetPort: number;
	/** Loopback unless told. */
	readonly targetHost?: string;
	/** 0 or nothing: a free one. */
	readonly port?: number;
}

/** @throws the error of `listen`, e.g. EADDRINUSE. */
export async function startLinkProxy(options: LinkProxyOptions): Promise<LinkProxy> {
	const connections = new Set<Connection>();
	let mode: LinkMode = { kind: 'pass' };
	let passed = 0;

	function admit(bytes: Buffer): Buffer {
		const part = mode.kind === 'cut-after' ? bytes.subarray(0, mode.bytes) : bytes;
		if (mode.kind === 'cut-after') mode = { kind: 'cut-after', bytes: mode.bytes - part.length };
		passed += part.length;
		return part;
	}

	function setMode(next: LinkMode): void {
		mode = next;
		for (const connection of connections) {
			if (mode.kind === 'cut' || (mode.kind !== 'black-hole' && !connection.isThrough)) connection.destroy();
			else connection.pump();
		}
	}

	function cutOnce(): void {
		if (mode.kind !== 'cut-after') return;
		setMode({ kind: 'cut' });
		setMode({ kind: 'pass' });
	}

	function track(connection: Connection, sockets: readonly Socket[]): void {
		connections.add(connection);
		for (const socket of sockets) {
			socket.on('error', () => connection.destroy());
			socket.once('close', () => {
				connection.destroy();
				connections.delete(connection);
			});
		}
	}

	function join(near: Socket): void {
		const far = connect({
			host: options.targetHost ?? '127.0.0.1',
			port: options.targetPort,
			allowHalfOpen: true,
			noDelay: true,
		});
		const shared = { clock: options.clock, mode: () => mode, admit, cut: cutOnce };
		const lanes = [createLane({ from: near, to: far, ...shared }), createLane({ from: far, to: near, ...shared })];
		const connection: Connection = {
			isThrough: true,
			pump() {
				for (const lane of lanes) lane.pump();
			},
			destroy() {
				for (const lane of lanes) lane.close();
				resetSocket(near);
				resetSocket(far);
			},
		};
		track(connection, [near, far]);
	}

	const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
		if (mode.kind === 'cut') {
			near.on('error', () => undefined);
			resetSocket(near);
			return;
		}
		if (mode.kind !== 'black-hole') {
			join(near);
			return;
		}
		near.pause();
		track({ isThrough: false, pump: () => undefined, destroy: () => resetSocket(near) }, [near]);
	});
	server.maxConnections = MAX_CONNECTIONS;
	const port = await listenOnLoopback(server, options.port ?? 0);

	return {
		port,
		mode: () => mode,
		setMode,
		passedBytes: () => passed,
		async stop() {
			for (const connection of connections) connection.destroy();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}
