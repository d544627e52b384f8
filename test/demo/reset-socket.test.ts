import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { resetSocket } from '../../gateway/simulator/reset-socket.ts';

async function connected(t: ExecutionContext): Promise<{ readonly near: Socket; readonly far: Socket }> {
	const server = createServer({ allowHalfOpen: true });
	const accepted = new Promise<Socket>((resolve) => {
		server.once('connection', resolve);
	});
	const near = connect({ host: '127.0.0.1', port: await listenOnLoopback(server, 0), allowHalfOpen: true });
	await once(near, 'connect');
	const far = await accepted;
	near.on('error', () => undefined);
	t.teardown(() => {
		far.destroy();
		server.close();
	});
	return { near, far };
}

test('the other side sees a reset', async (t) => {
	const { near, far } = await connected(t);
	const code = new Promise<string | undefined>((resolve) => {
		far.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
	});
	resetSocket(near);
	t.is(await code, 'ECONNRESET');
});

test('a connection whose end is being told is closed as well', async (t) => {
	const { near, far } = await connected(t);
	far.resume();
	const closed = once(near, 'close', { signal: AbortSignal.timeout(30_000) });
	near.end();
	resetSocket(near);
	await t.notThrowsAsync(closed);
});
