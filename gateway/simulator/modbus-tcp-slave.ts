import { type Socket, createServer } from 'node:net';

import { type Clock, systemClock } from '../../core/kernel/clock.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import { listenOnLoopback } from './listen.ts';
import type { ModbusSlave } from './modbus-slave.ts';
import { resetSocket } from './reset-socket.ts';
import { type FramingName, framingOf } from './slave-framing.ts';
import { type SlaveConnection, type Responder, connectSlave, createResponder } from './slave-line.ts';

const MAX_CONNECTIONS = 64;
/** A master that does not read its answers is dropped once this much waits for it. */
const MAX_UNSENT_BYTES = 1 << 20;

export interface TcpSlave extends Stoppable {
	readonly port: number;
}

export interface TcpSlaveOptions {
	/** 0: a free one. */
	readonly port: number;
	/** `rtu` and `ascii`: as behind a transparent serial server. */
	readonly framing: FramingName;
	readonly clock: Clock;
}

function serve(socket: Socket, responder: Responder, { framing, clock }: TcpSlaveOptions): SlaveConnection {
	const connection = connectSlave(responder, framingOf(framing), clock, {
		write(bytes) {
			if (socket.destroyed) return;
			socket.write(bytes);
			if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
		},
		reset: () => resetSocket(socket),
	});
	socket.setNoDelay(true);
	socket.on('error', () => socket.destroy());
	socket.on('data', (chunk: Buffer) => {
		try {
			connection.receive(chunk);
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
			socket.destroy();
		}
	});
	return connection;
}

/** Listens on loopback. @throws the error of `listen`, e.g. EADDRINUSE. */
export async function startTcpResponder(responder: Responder, options: TcpSlaveOptions): Promise<TcpSlave> {
	const connections = new Map<Socket, SlaveConnection>();
	const server = createServer((socket) => {
		const connection = serve(socket, responder, options);
		connections.set(socket, connection);
		socket.once('close', () => {
			connection.stop();
			connections.delete(socket);
		});
	});
	server.maxConnections = MAX_CONNECTIONS;
	const port = await listenOnLoopback(server, options.port);
	return {
		port,
		async stop() {
			for (const socket of connections.keys()) socket.destroy();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}

/** A Modbus TCP server on loopback in which nothing goes wrong but what its units are told. Port 0 takes a free one. */
export function startTcpSlave(slave: ModbusSlave, port: number): Promise<TcpSlave> {
	const clock = systemClock;
	const responder = createResponder({ slave, clock, scenario: null, pacedBaud: null });
	return startTcpResponder(responder, { port, framing: 'tcp', clock });
}
