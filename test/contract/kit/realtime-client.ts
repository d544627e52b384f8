import { connect, type ManagerOptions, type SocketOptions } from 'socket.io-client';

import { createMailbox, type Mailbox } from './mailbox.ts';

/** An event as it arrived. */
export interface Heard {
	readonly event: string;
	readonly payload: unknown;
}

/** A connection to one namespace. */
export interface RealtimeClient {
	/** Sends an event and waits for its acknowledgement. */
	ask(event: string, payload: unknown): Promise<unknown>;
	readonly heard: Mailbox<Heard>;
	close(): void;
}

const ANSWER_WITHIN_MS = 30_000;

export interface RealtimeOptions {
	readonly port: number;
	readonly namespace: string;
	readonly options: Partial<ManagerOptions & SocketOptions>;
}

/** What the refusal of a handshake carries. */
export class HandshakeRefused extends Error {
	override readonly name = 'HandshakeRefused';
	readonly body: unknown;

	constructor(message: string, body: unknown) {
		super(message);
		this.body = body;
	}
}

/** @throws HandshakeRefused when the server does not let it in */
export async function connectRealtime({ port, namespace, options }: RealtimeOptions): Promise<RealtimeClient> {
	const socket = connect(`http://127.0.0.1:${port}${namespace}`, {
		path: '/socket.io/',
		forceNew: true,
		reconnection: false,
		...options,
	});
	const heard = createMailbox<Heard>();
	socket.onAny((event: string, payload: unknown) => heard.put({ event, payload }));
	try {
		await new Promise<void>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`${namespace} did not answer`)), ANSWER_WITHIN_MS);
			socket.once('connect', () => {
				clearTimeout(timer);
				resolve();
			});
			socket.once('connect_error', (error) => {
				clearTimeout(timer);
				reject(new HandshakeRefused(error.message, Reflect.get(error, 'data')));
			});
		});
	} catch (error) {
		socket.disconnect();
		throw error;
	}
	return {
		heard,
		ask: (event, payload) => socket.timeout(ANSWER_WITHIN_MS).emitWithAck(event, payload),
		close: () => void socket.disconnect(),
	};
}
