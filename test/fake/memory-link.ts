import { Fault } from '../../core/kernel/fault.ts';
import type { ByteLink, ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import type { Framing } from './framings.ts';
import type { PduDevice } from './pdu-device.ts';

/** A wire in memory with a device at its end. */
export interface MemoryLink extends ByteLink {
	/** The device's side goes away. */
	cut(): void;
}

export function createMemoryLink(device: PduDevice, framing: Framing): MemoryLink {
	let listener: ByteLinkListener | null = null;
	let isCut = false;
	let waiting: Buffer = Buffer.alloc(0);

	return {
		open(next) {
			if (isCut) return Promise.reject(new Fault('unreachable', 'the wire is cut'));
			listener = next;
			return Promise.resolve();
		},
		write(bytes) {
			waiting = Buffer.concat([waiting, bytes]);
			for (let request = framing.cut(waiting); request !== null; request = framing.cut(waiting)) {
				waiting = request.rest;
				const pdu = device.answer(request.pdu);
				if (pdu === null) continue;
				const answer = framing.wrap(request.unitId, pdu, request.tag);
				setImmediate(() => {
					listener?.bytes(answer);
					// The memory is used again.
					answer.fill(0xa5);
				});
			}
		},
		close() {
			listener = null;
			return Promise.resolve();
		},
		cut() {
			isCut = true;
			listener?.lost('the wire is cut');
		},
	};
}
