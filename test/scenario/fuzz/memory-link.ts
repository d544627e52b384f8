import { systemClock } from '../../../core/kernel/clock.ts';
import type { ByteLink, ByteLinkListener } from '../../../gateway/driver/modbus/wire/byte-link.ts';
import { framingOf } from '../../../gateway/simulator/slave-framing.ts';
import { connectSlave, type Responder } from '../../../gateway/simulator/slave-line.ts';

/** A serial port in memory with an RTU slave at its other end. */
export function createMemoryLink(responder: Responder): ByteLink {
	let listener: ByteLinkListener | null = null;
	const slave = connectSlave(responder, framingOf('rtu'), systemClock, {
		write: (bytes) => listener?.bytes(bytes),
		reset: () => undefined,
	});
	return {
		open(next) {
			listener = next;
			return Promise.resolve();
		},
		// The bytes leave first and are answered afterwards, as on a real port.
		write: (bytes) => void setImmediate(() => slave.receive(bytes)),
		close() {
			listener = null;
			slave.stop();
			return Promise.resolve();
		},
	};
}
