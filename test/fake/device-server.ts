import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { FramedRequest, Framing } from './framings.ts';
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

/** What hears the requests of one connection. */
export type Hearing = (socket: Socket) => (request: FramedRequest) => void;

/** Listens on a port of its own, in clear or in TLS, and takes the requests out of what its connections send. */
export async function startFrameServer(
	framing: Framing,
	hearing: Hearing,
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
		const hear = hearing(socket);
		let waiting: Buffer = Buffer.alloc(0);
		socket.on('data', (chunk) => {
			waiting = Buffer.concat([waiting, chunk]);
			for (let request = framing.cut(waiting); request !== null; request = framing.cut(waiting)) {
				waiting = request.rest;
				hear(request);
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

/** Serves a device, whichever unit is asked. */
export const startDeviceServer = (
	device: PduDevice,
	framing: Framing,
	tls: TlsOptions | null = null,
): Promise<DeviceServer> =>
	startFrameServer(
		framing,
		(socket) =>
			({ unitId, pdu, tag }) => {
				const answer = device.answer(pdu);
				if (answer !== null) socket.write(framing.wrap(unitId, answer, tag));
			},
		tls,
	);
