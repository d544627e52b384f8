import type { Server, Socket } from 'node:net';

import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';

/** Where a listener stands. `waiting`: the address could not be taken, and is tried again. */
export interface ListenState {
	readonly state: 'waiting' | 'listening' | 'stopped';
	readonly host: string;
	/** The port in use; while waiting the one that is wanted. */
	readonly port: number;
	/** Why it is not listening: a sentence with host and port; `null` while it is. */
	readonly reason: string | null;
}

export interface Listening extends Stoppable {
	state(): ListenState;
	/** Resolves with the port once it listens for the first time; never rejects. Pending while the port is taken. */
	readonly ready: Promise<number>;
}

export interface ListenOptions {
	/** What listens, for the log: `http`, `mqtt`. */
	readonly name: string;
	/** Any TCP, TLS or HTTP server that is not listening yet. */
	readonly listener: Server;
	readonly host: string;
	/** 0: a free port of the system's choice. */
	readonly port: number;
	readonly log: Logger;
	/** Time between two tries, ms. */
	readonly retryMs?: number;
	/** How long open connections may finish after `stop`, ms. */
	readonly graceMs?: number;
}

const RETRY_MS = 5_000;
const GRACE_MS = 1_000;
/** Of a listener whose connections were ended already: what is left has not even said hello. */
export const NO_GRACE_MS = 50;

const reasons: Readonly<Record<string, string>> = {
	EADDRINUSE: 'is in use by another program',
	EACCES: 'may not be opened by this user',
	EADDRNOTAVAIL: 'is not an address of this machine',
	ENOTFOUND: 'is not a name that can be resolved',
};

function sentence(host: string, port: number, error: unknown): string {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	return `${host}:${port} ${reasons[code] ?? `cannot be opened: ${messageOf(error)}`}`;
}

/**
 * Takes the address, and keeps trying while it is taken: a port in use is a message, not the end of the process.
 * Resolves after the first try, whatever its outcome.
 */
export async function listenWithRetry(options: ListenOptions): Promise<Listening> {
	const { name, listener, host, port, log, retryMs = RETRY_MS, graceMs = GRACE_MS } = options;
	const sockets = new Set<Socket>();
	let state: ListenState = { state: 'waiting', host, port, reason: `${host}:${port} is not open yet` };
	let retry: NodeJS.Timeout | null = null;
	let trying = Promise.resolve();
	let isStopped = false;
	let stopping: Promise<void> | null = null;

	listener.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});

	function opened(): void {
		const actual = portOf(listener) ?? port;
		state = { state: 'listening', host, port: actual, reason: null };
		log.info('listening', { name, host, port: actual });
		// After it listens, an error (too many open files, say) belongs to one connection and must not end the process.
		listener.on('error', (error) =>
			log.error('listener-failed', { name, host, port: actual, reason: messageOf(error) }),
		);
	}

	function refused(error: unknown): void {
		const reason = sentence(host, port, error);
		if (state.reason !== reason) log.error('listen-failed', { name, host, port, reason, retryMs });
		state = { state: 'waiting', host, port, reason };
		if (!isStopped) retry = setTimeout(() => void attempt(), retryMs);
	}

	function attempt(): Promise<void> {
		retry = null;
		trying = open(listener, host, port).catch(refused);
		return trying;
	}

	async function close(): Promise<void> {
		isStopped = true;
		if (retry !== null) clearTimeout(retry);
		await trying;
		if (listener.listening) await closeListener(listener, sockets, graceMs);
		state = { state: 'stopped', host, port: state.port, reason: `${name} is stopped` };
	}

	listener.once('listening', opened);
	// Heard after `opened`, so that the state is right for whoever waits.
	const ready = new Promise<number>((resolve) => {
		listener.once('listening', () => resolve(state.port));
	});
	await attempt();
	return { state: () => state, ready, stop: () => (stopping ??= close()) };
}

function portOf(listener: Server): number | null {
	const address = listener.address();
	return typeof address === 'object' && address !== null ? address.port : null;
}

function open(listener: Server, host: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const onError = (error: Error): void => {
			listener.off('listening', onListening);
			reject(error);
		};
		const onListening = (): void => {
			listener.off('error', onError);
			resolve();
		};
		listener.once('error', onError);
		listener.once('listening', onListening);
		listener.listen({ host, port });
	});
}

/** No new connections; open ones get `graceMs` to finish, then they are cut. */
function closeListener(listener: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
	return new Promise((resolve) => {
		const cut = setTimeout(() => {
			for (const socket of sockets) socket.destroy();
		}, graceMs);
		listener.close(() => {
			clearTimeout(cut);
			resolve();
		});
		// Idle keep-alive connections of an HTTP server would use up the grace for nothing.
		if ('closeIdleConnections' in listener && typeof listener.closeIdleConnections === 'function')
			listener.closeIdleConnections();
	});
}
