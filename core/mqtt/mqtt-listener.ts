import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { clientCertificateOf } from './client-certificate.ts';

export interface MqttServerDeps {
	/** Counts each connection at once; `false`: it was refused and closed. */
	readonly admit: (socket: Socket) => boolean;
	/** Takes over each connection that was admitted and, with TLS, is through its handshake. */
	readonly handle: (socket: Socket) => void;
	readonly log: Logger;
	/** Absent: plain TCP. */
	readonly tls?: MqttTls;
}

/** PEM texts. */
export interface MqttTls {
	readonly key: string | Buffer;
	readonly cert: string | Buffer;
	/** A client certificate of this authority is demanded; whether one that has expired still counts is decided by `authenticate`. */
	readonly ca?: string | Buffer;
	/** Tells of the certificates that follow this one while the listener runs. */
	readonly onChange?: (listener: (next: { readonly key: string; readonly cert: string }) => void) => void;
}

/** Small packets go out at once: with Nagle's algorithm a QoS 0 message waits up to 40 ms for the peer's delayed ACK. */
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
const MIN_VERSION = 'TLSv1.2';

const nothing = (): void => undefined;

/** A server for MQTT over TCP or TLS; `listenWithRetry` opens it. Its connections belong to whoever handles them. */
export function mqttServer({ admit, handle, log, tls }: MqttServerDeps): Server {
	if (tls === undefined)
		return createServer(SOCKET_OPTIONS, (socket) => {
			if (admit(socket)) handle(socket);
		});
	const { key, cert, ca, onChange } = tls;
	const server = createTlsServer(
		{
			...SOCKET_OPTIONS,
			key,
			cert,
			ca,
			minVersion: MIN_VERSION,
			handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
			// Judged below: the TLS layer would refuse a certificate that has only expired, which may have to be renewed.
			...(ca !== undefined && { requestCert: true, rejectUnauthorized: false }),
		},
		ca === undefined ? handle : handleCertified,
	);

	function handleCertified(socket: TLSSocket): void {
		if (clientCertificateOf(socket) !== null) {
			handle(socket);
			return;
		}
		const reason = String(socket.authorizationError);
		log.debug('mqtt-tls-refused', { address: socket.remoteAddress, reason });
		socket.on('error', nothing);
		socket.destroy();
	}

	onChange?.((next) => server.setSecureContext({ key: next.key, cert: next.cert, ca, minVersion: MIN_VERSION }));
	// The plain socket, so that handshakes that are never finished count as well.
	server.on('connection', admit);
	server.on('tlsClientError', (error, socket) =>
		log.debug('mqtt-tls-refused', { address: socket.remoteAddress, reason: messageOf(error) }),
	);
	return server;
}
