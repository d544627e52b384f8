import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Framing } from './framings.ts';
import type { PduDevice } from './pdu-device.ts';

export interface DeviceServer {
	readonly port: number;
	readonly connections: number;
	/** Ends all connections, keeps listening. */
	hangUp(): void;
	/** Says something without being asked. */
	say(bytes: Buffer): void;
	stop(): Promise<void>;
}

/** Serves a device on a port of its own, in clear or in TLS. */
export async function startDeviceServer(
	device: PduDevice,
	framing: Framing,
	tls: TlsOptions | null = null,
): Promise<DeviceServer> {
	const sockets = new Set<Socket>();
	let connections = 0;

	function serve(socket: Socket): void {
		connections += 1;
		sockets.add(socket);
		socket.setNoDelay(true);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => socket.destroy());
		let waiting: Buffer = Buffer.alloc(0);
		socket.on('data', (chunk) => {
			waiting = Buffer.concat([waiting, chunk]);
			for (let request = framing.cut(waiting); request !== null; request = framing.cut(waiting)) {
				waiting = request.rest;
				const answer = device.answer(request.pdu);
				if (answer !== null) socket.write(framing.wrap(request.unitId, answer, request.tag));
			}
		});
	}

	const server: Server = tls === null ? createServer(serve) : createTlsServer(tls, serve);
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an AddressInfo
	const { port } = server.address() as AddressInfo;
	const hangUp = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	return {
		port,
		get connections() {
			return connections;
		},
		hangUp,
		say(bytes) {
			for (const socket of sockets) socket.write(bytes);
		},
		stop() {
			hangUp();
			return new Promise((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}
