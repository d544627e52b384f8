import { type Socket, createServer } from 'node:net';

import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import { listenOnLoopback } from './listen.ts';
import type { ModbusSlave } from './modbus-slave.ts';
import { GATEWAY_TARGET_FAILED } from './register-image.ts';

/** MBAP: transaction, protocol, length, unit (Modbus messaging on TCP/IP, 3.1.3). */
const HEADER_BYTES = 7;
/** Longest frame: 7 bytes of header and 253 of PDU. */
const MAX_FRAME_BYTES = 260;
const MAX_CONNECTIONS = 64;
/** A master that does not read its answers is dropped once this much waits for it. */
const MAX_UNSENT_BYTES = 1 << 20;

export interface TcpSlave extends Stoppable {
	readonly port: number;
}

/** One complete request. */
interface TcpFrame {
	/** Transaction id and protocol id, to be sent back. */
	readonly head: Buffer;
	readonly unitId: number;
	readonly pdu: Buffer;
}

/**
 * Cuts a stream into requests; several may arrive in one packet, one may arrive in several.
 * @throws RangeError when the bytes are no Modbus.
 */
export function createFrameCutter(): (chunk: Buffer) => readonly TcpFrame[] {
	let rest: Buffer = Buffer.alloc(0);
	return (chunk) => {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		const frames: TcpFrame[] = [];
		while (rest.length >= HEADER_BYTES) {
			const end = 6 + rest.readUInt16BE(4);
			if (rest.readUInt16BE(2) !== 0 || end > MAX_FRAME_BYTES || end <= HEADER_BYTES)
				throw new RangeError('these bytes are no Modbus TCP');
			if (rest.length < end) break;
			frames.push({ head: rest.subarray(0, 4), unitId: rest[6] ?? 0, pdu: rest.subarray(HEADER_BYTES, end) });
			rest = rest.subarray(end);
		}
		return frames;
	};
}

/** The frame around a reply. Garbage is a frame that calls itself another protocol. */
export function tcpFrame({ head, unitId }: TcpFrame, pdu: Buffer, isGarbage = false): Buffer {
	const frame = Buffer.alloc(HEADER_BYTES + pdu.length);
	head.copy(frame);
	if (isGarbage) frame.writeUInt16BE(0xdead, 2);
	frame.writeUInt16BE(1 + pdu.length, 4);
	frame[6] = unitId;
	pdu.copy(frame, HEADER_BYTES);
	return frame;
}

function serve(socket: Socket, slave: ModbusSlave, late: Set<NodeJS.Timeout>): void {
	const cut = createFrameCutter();

	function send(bytes: Buffer): void {
		if (socket.destroyed) return;
		socket.write(bytes);
		if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
	}

	function sendLater(bytes: Buffer, delayMs: number): void {
		const timer = setTimeout(() => {
			late.delete(timer);
			send(bytes);
		}, delayMs);
		late.add(timer);
	}

	function answer(frame: TcpFrame): void {
		if (!slave.has(frame.unitId)) {
			send(tcpFrame(frame, Buffer.from([(frame.pdu[0] ?? 0) | 0x80, GATEWAY_TARGET_FAILED])));
			return;
		}
		const reply = slave.reply(frame.unitId, frame.pdu);
		if (reply === null) return;
		const bytes = tcpFrame(frame, reply.pdu, reply.isGarbage);
		if (reply.delayMs > 0) sendLater(bytes, reply.delayMs);
		else send(bytes);
	}

	socket.setNoDelay(true);
	socket.on('error', () => socket.destroy());
	socket.on('data', (chunk: Buffer) => {
		try {
			for (const frame of cut(chunk)) answer(frame);
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
			socket.destroy();
		}
	});
}

/** Listens on loopback. Port 0 takes a free one. @throws the error of `listen`, e.g. EADDRINUSE. */
export async function startTcpSlave(slave: ModbusSlave, port: number): Promise<TcpSlave> {
	const sockets = new Set<Socket>();
	const late = new Set<NodeJS.Timeout>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
		serve(socket, slave, late);
	});
	server.maxConnections = MAX_CONNECTIONS;
	const listeningPort = await listenOnLoopback(server, port);
	return {
		port: listeningPort,
		async stop() {
			for (const timer of late) clearTimeout(timer);
			for (const socket of sockets) socket.destroy();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}
