import { SerialPort } from 'serialport';

import type { Clock } from '../../core/kernel/clock.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { ModbusSlave } from './modbus-slave.ts';

/** Silence after which a half-received request is forgotten, ms. Far above 3.5 characters: a pty is not punctual. */
const FORGET_AFTER_MS = 100;
/** Start bit, 8 data bits, parity or second stop bit, stop bit (Modbus over serial line, 2.5.1). */
const BITS_PER_CHARACTER = 11;
const MAX_FRAME_BYTES = 256;

/** CRC-16/MODBUS over the bytes (Modbus over serial line, 6.2.2). */
export function crc16(bytes: Uint8Array): number {
	let crc = 0xffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
	}
	return crc;
}

/** Unit id, PDU and CRC, low byte first. */
export function rtuFrame(unitId: number, pdu: Uint8Array): Buffer {
	const frame = Buffer.alloc(pdu.length + 3);
	frame[0] = unitId;
	frame.set(pdu, 1);
	frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
	return frame;
}

/** Length of the request that begins here; null: more bytes are needed to tell. */
function requestLength(bytes: Buffer): number | null {
	const functionCode = bytes[1];
	if (functionCode === undefined) return null;
	if (functionCode !== 15 && functionCode !== 16) return 8;
	return bytes.length < 7 ? null : 9 + (bytes[6] ?? 0);
}

interface RtuRequest {
	readonly unitId: number;
	readonly pdu: Buffer;
}

/** Cuts a line's bytes into requests: length by function code, proof by CRC, one byte forward when it does not fit. */
export function createRequestCutter(clock: Clock): (chunk: Buffer) => readonly RtuRequest[] {
	let rest: Buffer = Buffer.alloc(0);
	let lastAtMs = clock.monotonicMs();
	return (chunk) => {
		const isFresh = clock.monotonicMs() - lastAtMs > FORGET_AFTER_MS;
		lastAtMs = clock.monotonicMs();
		rest = isFresh ? chunk : Buffer.concat([rest, chunk]);
		const requests: RtuRequest[] = [];
		for (;;) {
			const length = requestLength(rest);
			if (length === null || (rest.length < length && length <= MAX_FRAME_BYTES)) return requests;
			const frame = rest.subarray(0, length);
			if (length <= MAX_FRAME_BYTES && crc16(frame.subarray(0, -2)) === frame.readUInt16LE(length - 2)) {
				requests.push({ unitId: frame[0] ?? 0, pdu: Buffer.from(frame.subarray(1, -2)) });
				rest = rest.subarray(length);
			} else {
				rest = rest.subarray(1);
			}
		}
	};
}

export interface RtuSlaveOptions {
	readonly path: string;
	readonly baudRate: number;
	/** True: a reply arrives no sooner than its characters, the request's and the gap take on a real line. */
	readonly isPaced: boolean;
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
 * Answers on a serial port, 8 data bits, no parity, 1 stop bit. Units that are not here stay silent, as on a real bus.
 * @throws the error of the port, e.g. ENOENT.
 */
export async function startRtuSlave(slave: ModbusSlave, options: RtuSlaveOptions): Promise<Stoppable> {
	const port = new SerialPort({ path: options.path, baudRate: options.baudRate, autoOpen: false });
	const pending = new Set<NodeJS.Timeout>();
	const cut = createRequestCutter(options.clock);
	const msPerCharacter = (BITS_PER_CHARACTER * 1000) / options.baudRate;

	function answer({ unitId, pdu }: RtuRequest): void {
		const reply = slave.has(unitId) ? slave.reply(unitId, pdu) : null;
		if (reply === null) return;
		const bytes = rtuFrame(unitId, reply.pdu);
		const last = bytes.length - 1;
		if (reply.isGarbage) bytes[last] = (bytes[last] ?? 0) ^ 0xff;
		const lineMs = options.isPaced ? (pdu.length + 3 + bytes.length + 3.5) * msPerCharacter : 0;
		const timer = setTimeout(() => {
			pending.delete(timer);
			if (port.isOpen) port.write(bytes);
		}, reply.delayMs + lineMs);
		pending.add(timer);
	}

	port.on('data', (chunk: Buffer) => {
		for (const request of cut(chunk)) answer(request);
	});
	port.on('error', () => undefined);
	await open(port);
	return {
		async stop() {
			for (const timer of pending) clearTimeout(timer);
			await close(port);
		},
	};
}
