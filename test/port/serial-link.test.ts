import { EventEmitter, once } from 'node:events';

import test from 'ava';

import type { SerialSettings } from '../../config/connection/connection.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createSerialLink, type OpenPort } from '../../gateway/driver/modbus/wire/serial-link.ts';
import { portsOf } from '../fake/machine-ports.ts';

const settings: SerialSettings = {
	path: '/dev/tty',
	baudRate: 9600,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
};

/** A port as the library has it on systems without descriptors. */
function createPlainPort(baudRate: number) {
	const events = new EventEmitter<{ arrived: [bytes: Buffer]; written: [bytes: Buffer] }>();
	let isOpen = true;
	const port: OpenPort = {
		get isOpen() {
			return isOpen;
		},
		async read(buffer) {
			const [bytes] = await once(events, 'arrived');
			if (!isOpen) throw new Error('Canceled');
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the event carries one buffer
			return { bytesRead: (bytes as Buffer).copy(buffer) };
		},
		write(bytes) {
			events.emit('written', bytes);
			return Promise.resolve();
		},
		set: () => Promise.reject(new Error('no such mode')),
		getBaudRate: () => Promise.resolve({ baudRate }),
		close() {
			isOpen = false;
			events.emit('arrived', Buffer.alloc(0));
			return Promise.resolve();
		},
	};
	return { port, events };
}

test('a port without descriptor is read and written through the library', async (t) => {
	const { port, events } = createPlainPort(9600);
	const ports = portsOf();
	const link = createSerialLink(settings, ports, () => Promise.resolve(port));
	const heard: string[] = [];
	const lost: string[] = [];
	await link.open({ bytes: (chunk) => heard.push(chunk.toString()), lost: (reason) => lost.push(reason) });
	const written = once(events, 'written');
	link.write(Buffer.from('question'));
	t.is(String((await written)[0]), 'question');
	events.emit('arrived', Buffer.from('answer'));
	await new Promise(setImmediate);
	events.emit('arrived', Buffer.from(' and more'));
	await new Promise(setImmediate);
	t.deepEqual(heard, ['answer', ' and more']);
	await link.close();
	t.false(port.isOpen);
	t.deepEqual(lost, []);
	await ports.stop();
});

test('a driver that runs at another rate than asked is refused, and its port is closed', async (t) => {
	const { port } = createPlainPort(230_400);
	const ports = portsOf();
	const link = createSerialLink({ ...settings, baudRate: 250_000 }, ports, () => Promise.resolve(port));
	const fault = await t.throwsAsync(link.open({ bytes: () => undefined, lost: () => undefined }), {
		instanceOf: Fault,
	});
	t.is(fault.reason, 'rule-violation');
	t.regex(fault.message, /does not run at 250000 baud: its driver offers 230400 instead/);
	await link.close();
	t.false(port.isOpen);
	await ports.stop();
});

test('a rate that the library refuses is named', async (t) => {
	const ports = portsOf();
	const link = createSerialLink({ ...settings, baudRate: 123 }, ports, () =>
		Promise.reject(new Error('Error baud rate of 123 is not supported on your platform')),
	);
	await t.throwsAsync(link.open({ bytes: () => undefined, lost: () => undefined }), {
		message: /\/dev\/tty does not know the asked rate/,
	});
	await link.close();
	await ports.stop();
});
