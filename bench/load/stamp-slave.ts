import { type Server, createServer } from 'node:net';

import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { createFrameCutter, tcpFrame } from '../../gateway/simulator/tcp-slave-frame.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: devices whose first `stamps` registers hold the clock at the moment they are read (ms modulo 65 536), one per port,
 * any unit id. The receiver of such a value knows its age. The other registers hold what a meter measures: values that wander,
 * with noise in their last digit.
 */
const MAX_REGISTERS = 125;

/** Middle of the measured values, their slow swing and their noise, in register units. */
const MIDDLE = 2_300;
const SWING = 60;
const NOISE = 4;
const SWING_MS = 60_000;

const measured = (index: number, nowMs: number): number =>
	MIDDLE + Math.round(SWING * Math.sin((nowMs / SWING_MS) * 2 * Math.PI + index) + Math.random() * NOISE);

/** Answer to functions 3 and 4; anything else is an illegal function. */
function stampPdu(request: Buffer, stamps: number): Buffer {
	const functionCode = request[0] ?? 0;
	if (functionCode !== 3 && functionCode !== 4) return Buffer.from([functionCode | 0x80, 1]);
	const count = request.length === 5 ? request.readUInt16BE(3) : 0;
	if (count < 1 || count > MAX_REGISTERS) return Buffer.from([functionCode | 0x80, 3]);
	const reply = Buffer.alloc(2 + 2 * count);
	reply[0] = functionCode;
	reply[1] = 2 * count;
	const nowMs = Date.now();
	const first = request.readUInt16BE(1);
	for (let index = 0; index < count; index += 1) {
		const value = first + index < stamps ? nowMs & 0xffff : measured(first + index, nowMs);
		reply.writeUInt16BE(value, 2 + 2 * index);
	}
	return reply;
}

function createDevice(stamps: number): Server {
	return createServer({ noDelay: true }, (socket) => {
		const cut = createFrameCutter();
		socket.on('error', () => socket.destroy());
		socket.on('data', (chunk: Buffer) => {
			for (const frame of cut(chunk)) socket.write(tcpFrame(frame, stampPdu(frame.pdu, stamps)));
		});
	});
}

const { devices, stamps } = requiredArguments(['devices', 'stamps']);
const ports = await Promise.all(
	Array.from({ length: Number(devices) }, () => listenOnLoopback(createDevice(Number(stamps)), 0)),
);
console.log(JSON.stringify({ event: 'ready', ports }));
process.once('SIGTERM', () => process.exit(0));
