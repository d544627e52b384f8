import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';

export interface MqttServerDeps {
	/** Counts each connection at once; `false`: it was refused and closed. */
	readonly admit: (socket: Socket) => boolean;
	/** Takes over each connection that was admitted and, with TLS, is through its handshake. */
	readonly handle: (socket: Socket) => void;
	readonly log: Logger;
	/** PEM texts; absent: plain TCP. With `ca`, a client certificate of it is demanded. */
	readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly ca?: string | Buffer };
}

/** Small packets go out at once: with Nagle's algorithm a QoS 0 message waits up to 40 ms for the peer's delayed ACK. */
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;

/** A server for MQTT over TCP or TLS; `listenWithRetry` opens it. Its connections belong to whoever handles them. */
export function mqttServer({ admit, handle, log, tls }: MqttServerDeps): Server {
	if (tls === undefined)
		return createServer(SOCKET_OPTIONS, (socket) => {
			if (admit(socket)) handle(socket);
		});
	const server = createTlsServer(
		{
			...SOCKET_OPTIONS,
			...tls,
			handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
			minVersion: 'TLSv1.2',
			...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
		},
		handle,
	);
	// The plain socket, so that handshakes that are never finished count as well.
	server.on('connection', admit);
	server.on('tlsClientError', (error, socket) =>
		log.debug('mqtt-tls-refused', { address: socket.remoteAddress, reason: messageOf(error) }),
	);
	return server;
}
