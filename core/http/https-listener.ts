import { createServer, type Server as HttpsServer } from 'node:https';
import type { Server as HttpServer } from 'node:http';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { boundConnections, type HttpLimits, listenerOptions } from './server.ts';
import type { ServerCertificate } from '../pki/server-certificate.ts';

export interface HttpsListenerDeps {
	/** The plain listener, which hapi and Socket.IO serve. */
	readonly plain: HttpServer;
	readonly certificate: Pick<ServerCertificate, 'current' | 'onChange'>;
	/** Those of the plain listener. */
	readonly limits: HttpLimits;
	readonly log: Logger;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What a listener tells those who serve it; each names the connection in its arguments, so that it does not matter who passes it on. */
const EVENTS = ['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect', 'clientError'] as const;

/**
 * The same service over TLS: hapi knows one listener only, so this one hands everything to the plain one's servants. No HSTS: the
 * authority is the box's own, and a browser that has once heard it would lock out everybody who does not trust it yet, or any more after a
 * new installation. `listenWithRetry` opens it,
 * after everything is attached to the plain one.
 */
export function httpsListener({ plain, certificate, limits, log }: HttpsListenerDeps): HttpsServer {
	const { key, cert } = certificate.current();
	const listener = createServer({
		...listenerOptions(limits),
		key,
		cert,
		minVersion: 'TLSv1.2',
		handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
	});
	boundConnections(listener, limits);
	for (const event of EVENTS)
		// What nobody hears is left to the platform.
		if (plain.listenerCount(event) > 0) listener.on(event, (...given: unknown[]) => plain.emit(event, ...given));
	listener.on('tlsClientError', (error, socket) =>
		log.debug('https-refused', { address: socket.remoteAddress, reason: messageOf(error) }),
	);
	certificate.onChange((tls) => listener.setSecureContext({ key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' }));
	return listener;
}
