import { type Server, createServer } from 'node:net';

import { listenOnLoopback } from '../../demo/listen.ts';
import { createFrameCutter, tcpFrame } from '../../demo/simulator/modbus-tcp-slave.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: devices whose every register holds the clock at the moment it is read (ms modulo 65 536), one per port, any unit
 * id. The receiver of a value thus knows its age.
 */
const MAX_REGISTERS = 125;

/** Answer to functions 3 and 4; anything else is an illegal function. */
function stampPdu(request: Buffer): Buffer {
	const functionCode = request[0] ?? 0;
	if (functionCode !== 3 && functionCode !== 4) return Buffer.from([functionCode | 0x80, 1]);
	const count = request.length === 5 ? request.readUInt16BE(3) : 0;
	if (count < 1 || count > MAX_REGISTERS) return Buffer.from([functionCode | 0x80, 3]);
	const reply = Buffer.alloc(2 + 2 * count);
	reply[0] = functionCode;
	reply[1] = 2 * count;
	const stamp = Date.now() & 0xffff;
	for (let index = 0; index < count; index += 1) reply.writeUInt16BE(stamp, 2 + 2 * index);
	return reply;
}

function createDevice(): Server {
	return createServer({ noDelay: true }, (socket) => {
		const cut = createFrameCutter();
		socket.on('error', () => socket.destroy());
		socket.on('data', (chunk: Buffer) => {
			for (const frame of cut(chunk)) socket.write(tcpFrame(frame, stampPdu(frame.pdu)));
		});
	});
}

const { devices } = requiredArguments(['devices']);
const ports = await Promise.all(Array.from({ length: Number(devices) }, () => listenOnLoopback(createDevice(), 0)));
console.log(JSON.stringify({ event: 'ready', ports }));
process.once('SIGTERM', () => process.exit(0));
