import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Framing } from './framings.ts';
import type { PduDevice } from './pdu-device.ts';

/** What becomes of one answer. `mangle` changes its bytes. */
export interface Fate {
	readonly delayMs: number;
	readonly isLost: boolean;
	readonly mangle: ((bytes: Buffer) => Buffer) | null;
}

/**
 * A slave behind a bad line: its answers are late, lost or damaged, but come in the order of their requests, as those of a slave
 * do. @returns its port and what ends it
 */
export async function startUnrulyServer(device: PduDevice, framing: Framing, fateOf: () => Fate) {
	const sockets = new Set<Socket>();
	const timers = new Set<NodeJS.Timeout>();

	function serve(socket: Socket): void {
		sockets.add(socket);
		socket.setNoDelay(true);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => socket.destroy());
		let waiting: Buffer = Buffer.alloc(0);
		let lastDueMs = 0;
		/** Timers of one instant may fire in any order, so each sends the oldest answer. */
		const queue: Buffer[] = [];
		const answer = (bytes: Buffer, { delayMs, isLost, mangle }: Fate): void => {
			lastDueMs = Math.max(lastDueMs, performance.now() + delayMs);
			if (isLost) return;
			queue.push(mangle === null ? bytes : mangle(bytes));
			const timer = setTimeout(
				() => {
					timers.delete(timer);
					socket.write(queue.shift() ?? Buffer.alloc(0));
				},
				Math.ceil(lastDueMs - performance.now()),
			);
			timers.add(timer);
		};
		socket.on('data', (chunk) => {
			waiting = Buffer.concat([waiting, chunk]);
			for (let request = framing.cut(waiting); request !== null; request = framing.cut(waiting)) {
				waiting = request.rest;
				const pdu = device.answer(request.pdu);
				if (pdu !== null) answer(framing.wrap(request.unitId, pdu, request.tag), fateOf());
			}
		});
	}

	const server = createServer(serve);
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an AddressInfo
	const { port } = server.address() as AddressInfo;
	return {
		port,
		stop(): Promise<void> {
			for (const timer of timers) clearTimeout(timer);
			for (const socket of sockets) socket.destroy();
			return new Promise((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}
