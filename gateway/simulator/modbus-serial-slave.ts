import { SerialPort } from 'serialport';

import type { SerialSettings } from '../../config/connection/connection.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import { type FramingName, framingOf } from './slave-framing.ts';
import { type Responder, connectSlave } from './slave-line.ts';

export interface SerialSlaveOptions extends SerialSettings {
	readonly framing: Exclude<FramingName, 'tcp'>;
	readonly clock: Clock;
}

const open = (port: SerialPort): Promise<void> =>
	new Promise((resolve, reject) => {
		port.open((error) => (error === null ? resolve() : reject(error)));
	});

const close = (port: SerialPort): Promise<void> =>
	new Promise((resolve) => {
		if (port.isOpen) port.close(() => resolve());
		else resolve();
	});

/**
 * Answers on a serial port. Units that are not here stay silent, as on a real bus.
 * @throws the error of the port, e.g. ENOENT.
 */
export async function startSerialResponder(responder: Responder, options: SerialSlaveOptions): Promise<Stoppable> {
	const { path, baudRate, parity, dataBits, stopBits, framing, clock } = options;
	const port = new SerialPort({ path, baudRate, parity, dataBits, stopBits, autoOpen: false });
	const connection = connectSlave(responder, framingOf(framing), clock, {
		write(bytes) {
			if (port.isOpen) port.write(bytes);
		},
		reset: () => undefined,
	});
	port.on('data', (chunk: Buffer) => connection.receive(chunk));
	port.on('error', () => undefined);
	await open(port);
	return {
		async stop() {
			connection.stop();
			await close(port);
		},
	};
}
