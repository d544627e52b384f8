import { once } from 'node:events';
import { connect } from 'node:net';

import type { ExecutionContext } from 'ava';

const ANSWER_WITHIN_MS = 30_000;

/** A socket that says what it is told and hears what comes. */
export interface RawClient {
	/** Sends, and resolves with the next bytes that come. @throws Error when nothing comes within 5 s */
	ask(bytes: Buffer): Promise<Buffer>;
}

/** Connects to a port of this machine; the end of the test ends it. */
export async function connectTo(t: ExecutionContext, port: number): Promise<RawClient> {
	const socket = connect({ host: '127.0.0.1', port, noDelay: true });
	t.teardown(() => socket.destroy());
	await once(socket, 'connect');
	return {
		async ask(bytes) {
			const heard = once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
			socket.write(bytes);
			const [chunk]: readonly unknown[] = await heard;
			return Buffer.isBuffer(chunk) ? chunk : Buffer.alloc(0);
		},
	};
}
