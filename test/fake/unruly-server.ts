import type { Socket } from 'node:net';
import { startFrameServer } from './device-server.ts';
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
	const timers = new Set<NodeJS.Timeout>();

	function answering(socket: Socket) {
		let lastDueMs = 0;
		/** Timers of one instant may fire in any order, so each sends the oldest answer. */
		const queue: Buffer[] = [];
		return (bytes: Buffer, { delayMs, isLost, mangle }: Fate): void => {
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
	}

	const server = await startFrameServer(framing, (socket) => {
		const answer = answering(socket);
		return ({ unitId, pdu, tag }) => {
			const reply = device.answer(pdu);
			if (reply !== null) answer(framing.wrap(unitId, reply, tag), fateOf());
		};
	});
	return {
		port: server.port,
		stop(): Promise<void> {
			for (const timer of timers) clearTimeout(timer);
			return server.stop();
		},
	};
}
