import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';

export interface MqttListenerSettings {
	readonly host: string;
	/** 0: a free one. */
	readonly port: number;
	/** PEM texts; absent: plain TCP. With `ca`, a client certificate of it is demanded. */
	readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly ca?: string | Buffer };
}

export interface MqttListenerDeps {
	readonly handle: (socket: Socket) => void;
	readonly log: Logger;
}

export interface MqttListener extends Stoppable {
	/** The port that is really listened on. */
	readonly port: number;
}

/** Small packets go out at once: with Nagle's algorithm a QoS 0 message waits up to 40 ms for the peer's delayed ACK. */
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;

/** A server that hands its connections to a broker; who opens it decides on address and retries. */
export function mqttServer({ tls, handle, log }: MqttListenerDeps & Pick<MqttListenerSettings, 'tls'>): Server {
	if (tls === undefined) return createServer(SOCKET_OPTIONS, handle);
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
	server.on('tlsClientError', (error, socket) =>
		log.debug('mqtt-tls-refused', { address: socket.remoteAddress, reason: messageOf(error) }),
	);
	return server;
}

/**
 * Opens a listener for MQTT and hands each of its connections over. `stop` closes the port; the connections belong to the
 * broker that took them.
 * @throws the error of `listen`, e.g. EADDRINUSE
 */
export async function createMqttListener(
	settings: MqttListenerSettings,
	deps: MqttListenerDeps,
): Promise<MqttListener> {
	const server = mqttServer({ ...deps, ...(settings.tls === undefined ? {} : { tls: settings.tls }) });
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(settings.port, settings.host, () => {
			server.off('error', reject);
			resolve();
		});
	});
	server.on('error', (error) => deps.log.error('mqtt-listener-failed', { reason: messageOf(error) }));
	const address: AddressInfo | string | null = server.address();
	const port = typeof address === 'object' && address !== null ? address.port : settings.port;
	let stopping: Promise<void> | null = null;
	return {
		port,
		stop: () =>
			(stopping ??= new Promise((resolve) => {
				// Closes when the last connection ends; nobody has to wait for that.
				server.close();
				resolve();
			})),
	};
}
