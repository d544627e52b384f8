import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Fault } from '../../../../core/kernel/fault.ts';
import type { ByteLink, ByteLinkListener } from './byte-link.ts';
import { openFault } from './open-fault.ts';
import { tlsFault } from './tls-fault.ts';

/** Bytes read from the socket at once: the answers of the deepest pipeline. */
const READ_BYTES = 8192;
/** First probe of a silent connection, ms: a device without power is noticed even when nothing is asked of it. */
const KEEP_ALIVE_MS = 30_000;

export interface SocketLinkDeps {
	readonly host: string;
	readonly port: number;
	/** Certificates and rules of TLS, read for each connection; absent: the bytes go in the clear. */
	readonly tls?: () => Promise<ConnectionOptions>;
}

/** A TCP connection to a device or a converter, with TLS around it when asked. */
export function createSocketLink({ host, port, tls }: SocketLinkDeps): ByteLink {
	const place = `${host}:${port}`;
	let socket: Socket | null = null;
	let isClosed = false;

	function dial(security: ConnectionOptions | null, listener: ByteLinkListener): Socket {
		// One buffer for the life of the connection: the stream would else make one of 64 KB for each arrival.
		const buffer = Buffer.alloc(READ_BYTES);
		const callback = (length: number): boolean => {
			if (!isClosed) listener.bytes(buffer.subarray(0, length));
			return true;
		};
		const options = { host, port, onread: { buffer, callback } };
		const fresh = security === null ? connect(options) : connectTls({ ...options, ...security });
		return fresh.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
	}

	function opened(fresh: Socket, isSecure: boolean, listener: ByteLinkListener): Promise<void> {
		return new Promise((resolve, reject) => {
			let isOpen = false;
			const faultOf = (error: NodeJS.ErrnoException): Fault =>
				(isSecure ? tlsFault(place, error) : null) ?? openFault(place, error.code, error);
			function lose(reason: string): void {
				if (!isOpen || isClosed) return;
				isOpen = false;
				fresh.destroy();
				listener.lost(reason);
			}
			fresh.once(isSecure ? 'secureConnect' : 'connect', () => {
				isOpen = true;
				resolve();
			});
			fresh.on('error', (error: NodeJS.ErrnoException) => {
				if (!isOpen) reject(faultOf(error));
				// A device that wants another certificate says so only after the handshake (RFC 8446, 4.4.2.4).
				else lose((isSecure ? tlsFault(place, error)?.message : null) ?? brokeBy(place, error));
			});
			fresh.on('end', () => lose(`${place} closed the connection`));
			fresh.on('close', () => {
				lose(`${place} closed the connection`);
				reject(new Fault('unreachable', `${place} closed the connection while it was being opened`));
			});
		});
	}

	return {
		async open(listener) {
			const security = tls === undefined ? null : await tls();
			if (isClosed) throw new Fault('unavailable', `the connection to ${place} was closed while it was being opened`);
			socket = dial(security, listener);
			await opened(socket, security !== null, listener);
		},
		write: (bytes) => void socket?.write(bytes),
		close() {
			isClosed = true;
			socket?.destroy();
			return Promise.resolve();
		},
	};
}

const brokeBy = (place: string, error: NodeJS.ErrnoException): string =>
	`the connection to ${place} broke (${error.code ?? error.message})`;
