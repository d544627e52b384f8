import { type Socket, connect, createServer } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { startLinkProxy } from '../../demo/link-proxy.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { waitFor } from '../system/kit/wait-for.ts';

/** A server that sends everything back, behind a proxy. */
async function startEcho(t: ExecutionContext) {
	const echoed: Buffer[] = [];
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => undefined);
		socket.on('data', (chunk: Buffer) => {
			echoed.push(chunk);
			socket.write(chunk);
		});
	});
	const port = await listenOnLoopback(server, 0);
	const proxy = await startLinkProxy({ clock: systemClock, targetPort: port });
	t.teardown(async () => {
		await proxy.stop();
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return { proxy, echoedText: () => Buffer.concat(echoed).toString(), connections: () => sockets.size };
}

function open(t: ExecutionContext, port: number) {
	const socket = connect({ host: '127.0.0.1', port });
	const state = { text: '', isClosed: false };
	socket.on('error', () => undefined);
	socket.on('data', (chunk: Buffer) => {
		state.text += chunk.toString();
	});
	socket.on('close', () => {
		state.isClosed = true;
	});
	t.teardown(() => socket.destroy());
	return {
		socket,
		heard: (text: string) => waitFor(`"${text}" comes back`, 30_000, () => state.text === text),
		closed: () => waitFor('the connection ends', 30_000, () => state.isClosed),
		state,
	};
}

test('what is sent comes through in both directions and is counted', async (t) => {
	const { proxy } = await startEcho(t);
	const client = open(t, proxy.port);
	client.socket.write('hello');
	await client.heard('hello');
	t.is(proxy.passedBytes(), 10);
});

test('the end of one side reaches the other after all its bytes', async (t) => {
	const { proxy } = await startEcho(t);
	const client = open(t, proxy.port);
	client.socket.end('bye');
	await client.heard('bye');
	await client.closed();
	t.pass();
});

test('a cut resets connections, refuses new ones and ends when it is restored', async (t) => {
	const { proxy } = await startEcho(t);
	const client = open(t, proxy.port);
	client.socket.write('a');
	await client.heard('a');
	proxy.setMode({ kind: 'cut' });
	await client.closed();
	const refused = open(t, proxy.port);
	await refused.closed();
	t.is(refused.state.text, '');
	proxy.setMode({ kind: 'pass' });
	const again = open(t, proxy.port);
	again.socket.write('b');
	await again.heard('b');
});

test('a black hole keeps connections, takes new ones and passes nothing; then the old ones go on in order', async (t) => {
	const { proxy, echoedText, connections } = await startEcho(t);
	const old = open(t, proxy.port);
	old.socket.write('1');
	await old.heard('1');
	proxy.setMode({ kind: 'black-hole' });
	old.socket.write('2');
	const swallowed = open(t, proxy.port);
	await new Promise<void>((resolve) => {
		swallowed.socket.once('connect', resolve);
	});
	swallowed.socket.write('lost');
	// A round trip through another proxy shows that there was time enough for the bytes to move.
	const other = await startEcho(t);
	const witness = open(t, other.proxy.port);
	witness.socket.write('w');
	await witness.heard('w');
	t.is(echoedText(), '1');
	t.is(connections(), 1);
	t.false(old.state.isClosed);
	t.false(swallowed.state.isClosed);
	old.socket.write('3');
	proxy.setMode({ kind: 'pass' });
	await old.heard('123');
	await swallowed.closed();
	t.is(echoedText(), '123');
});

test('delayed bytes keep their order when the delay ends', async (t) => {
	const { proxy } = await startEcho(t);
	const client = open(t, proxy.port);
	client.socket.write('0');
	await client.heard('0');
	const before = proxy.passedBytes();
	proxy.setMode({ kind: 'delay', delayMs: 300 });
	client.socket.write('1');
	await waitFor('the proxy holds the byte', 30_000, () => client.socket.bytesWritten === 2);
	t.is(proxy.passedBytes(), before);
	proxy.setMode({ kind: 'pass' });
	client.socket.write('2');
	await client.heard('012');
});

test('more than the proxy may hold comes through whole after a black hole', async (t) => {
	const { proxy } = await startEcho(t);
	const client = open(t, proxy.port);
	client.socket.write('a');
	await client.heard('a');
	proxy.setMode({ kind: 'black-hole' });
	client.socket.write('x'.repeat(3_000_000));
	proxy.setMode({ kind: 'pass' });
	await waitFor('all bytes come back', 30_000, () => client.state.text.length === 3_000_001);
	t.pass();
});

test('a wire that is cut after some bytes lets exactly those through, ends its connections, and is good again', async (t) => {
	const { proxy, echoedText } = await startEcho(t);
	const first = open(t, proxy.port);
	first.socket.write('hello');
	await first.heard('hello');
	proxy.setMode({ kind: 'cut-after', bytes: 3 });
	first.socket.write('0123456789');
	await first.closed();
	await waitFor('what came through', 30_000, () => echoedText() === 'hello012');
	t.is(proxy.mode().kind, 'pass');
	const second = open(t, proxy.port);
	second.socket.write('again');
	await second.heard('again');
});

test('a narrow wire carries everything, in its order and no faster than told', async (t) => {
	const { proxy } = await startEcho(t);
	proxy.setMode({ kind: 'throttle', bytesPerSecond: 200 });
	const client = open(t, proxy.port);
	const startMs = performance.now();
	client.socket.write('a'.repeat(30));
	client.socket.write('b'.repeat(30));
	await client.heard('a'.repeat(30) + 'b'.repeat(30));
	t.true(performance.now() - startMs >= 400, 'sixty bytes at 200 a second, and half of them once more');
});
