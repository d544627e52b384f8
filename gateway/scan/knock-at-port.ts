import { connect } from 'node:net';

import type { KnockAtPort } from './tcp-sweep.ts';

/** A device in the same network answers within a few ms; this leaves room for one that resolves addresses first. */
const CONNECT_MS = 250;

/** Tries a TCP connection and ends it at once. */
export const knockAtPort: KnockAtPort = (host, port, signal) =>
	new Promise((resolve) => {
		if (signal.aborted) {
			resolve(false);
			return;
		}
		const socket = connect({ host, port });
		const settle = (isOpen: boolean): void => {
			clearTimeout(timer);
			signal.removeEventListener('abort', giveUp);
			socket.destroy();
			resolve(isOpen);
		};
		const giveUp = (): void => settle(false);
		// Timers run before arrivals: after a stall of the process, a connection that was made in time is heard of first.
		const timer = setTimeout(() => setImmediate(giveUp), CONNECT_MS);
		signal.addEventListener('abort', giveUp);
		socket.once('connect', () => settle(true));
		socket.on('error', giveUp);
	});
