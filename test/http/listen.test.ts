import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { createServer as createPlainHttp } from 'node:http';

import test from 'ava';
import fc from 'fast-check';

import { listenWithRetry } from '../../core/http/listen.ts';
import { createRateLimiter, RateLimitFault } from '../../core/http/rate-limit.ts';
import { addressKey } from '../../core/kernel/address-key.ts';
import { createHttpServer, startHttp } from '../../core/http/server.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import { type LogFields, type Logger, silentLog } from '../../core/kernel/log.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const host = '127.0.0.1';

async function occupied(): Promise<{ readonly holder: Server; readonly port: number }> {
	const holder = createServer();
	holder.listen({ host, port: 0 });
	await once(holder, 'listening');
	const address = holder.address();
	if (typeof address !== 'object' || address === null) throw new TypeError('no port');
	return { holder, port: address.port };
}

async function connected(port: number): Promise<Socket> {
	const socket = connect({ host, port });
	await once(socket, 'connect');
	return socket;
}

test('a port in use is told once with host, port and reason, and taken as soon as it is free', async (t) => {
	const { holder, port } = await occupied();
	const errors: [string, LogFields | undefined][] = [];
	const log: Logger = { ...silentLog, error: (event, fields) => void errors.push([event, fields]) };
	const listening = await listenWithRetry({ name: 'mqtt', listener: createServer(), host, port, log, retryMs: 10 });
	t.teardown(() => listening.stop());
	t.teardown(() => holder.close());
	const reason = `${host}:${port} is in use by another program`;
	t.deepEqual(listening.state(), { state: 'waiting', host, port, reason });
	await new Promise((resolve) => setTimeout(resolve, 50));
	t.is(errors.length, 1);
	t.like(errors[0]?.[1], { name: 'mqtt', host, port, reason });

	holder.close();
	t.is(await listening.ready, port);
	t.deepEqual(listening.state(), { state: 'listening', host, port, reason: null });
	(await connected(port)).destroy();
	await listening.stop();
	t.is(listening.state().state, 'stopped');
});

test('stopping while the port is taken ends the tries', async (t) => {
	const { holder, port } = await occupied();
	const listener = createServer();
	const listening = await listenWithRetry({ name: 'x', listener, host, port, log: silentLog, retryMs: 5 });
	await listening.stop();
	await listening.stop();
	holder.close();
	await once(holder, 'close');
	await new Promise((resolve) => setTimeout(resolve, 30));
	t.false(listener.listening);
});

test('stopping in the middle of a try makes it the last one', async (t) => {
	const listener = createServer();
	const tries: string[] = [];
	listener.listen = () => {
		tries.push('listen');
		return listener;
	};
	const fail = () => listener.emit('error', Object.assign(new Error('taken'), { code: 'EADDRINUSE' }));
	const pending = listenWithRetry({ name: 'x', listener, host, port: 1, log: silentLog, retryMs: 1 });
	fail();
	const listening = await pending;
	while (tries.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
	const stopped = listening.stop();
	fail();
	await stopped;
	await new Promise((resolve) => setTimeout(resolve, 20));
	t.is(tries.length, 2);
});

test('an address that is not of this machine is a reason, not the end', async (t) => {
	const listening = await listenWithRetry({
		name: 'x',
		listener: createServer(),
		host: '192.0.2.1',
		port: 1,
		log: silentLog,
		retryMs: 60_000,
	});
	t.is(listening.state().reason, '192.0.2.1:1 is not an address of this machine');
	await listening.stop();
});

test('stop cuts connections that stay open after the grace', async (t) => {
	const listening = await listenWithRetry({
		name: 'x',
		listener: createServer(),
		host,
		port: 0,
		log: silentLog,
		graceMs: 10,
	});
	const socket = await connected(await listening.ready);
	const closed = once(socket, 'close');
	await listening.stop();
	await closed;
	t.pass();
});

test('the HTTP server opens when its port is free, answers, and stops with a connection kept alive', async (t) => {
	const holder = createPlainHttp();
	holder.listen({ host, port: 0 });
	await once(holder, 'listening');
	const address = holder.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const tokens = {
		verify: () => {
			throw new Fault('bad-credentials', 'no');
		},
	};
	const server = await createHttpServer({ log: silentLog, tokens, parts: [], web: null });
	const running = await startHttp({ server, host, port, log: silentLog, retryMs: 10 });
	t.is(running.listening.state().state, 'waiting');
	t.is((await server.inject('/nothing')).statusCode, 404);
	holder.close();
	t.is(await running.listening.ready, port);
	const answer = await fetch(`http://${host}:${port}/nothing`);
	t.is(answer.status, 404);
	await answer.text();
	await running.stop();
	await t.throwsAsync(fetch(`http://${host}:${port}/nothing`));
});

test('a bucket gives its burst, then one token at a time, and says how long to wait', (t) => {
	const clock = createManualClock();
	const limiter = createRateLimiter({ clock, perMinute: 5 });
	for (let count = 0; count < 5; count += 1) limiter.take('a');
	const error = t.throws(() => limiter.take('a'), { instanceOf: RateLimitFault });
	t.is(error.retryAfterSeconds, 12);
	t.is(error.reason, 'rate-limited');
	limiter.take('b');
	clock.advance(12_000);
	limiter.take('a');
	t.throws(() => limiter.take('a'));
});

test('no schedule of requests gets more than its burst and its rate', (t) => {
	fc.assert(
		fc.property(fc.array(fc.nat({ max: 20_000 }), { maxLength: 100 }), (pausesMs) => {
			const clock = createManualClock();
			const limiter = createRateLimiter({ clock, perMinute: 5 });
			let granted = 0;
			for (const pauseMs of pausesMs) {
				clock.advance(pauseMs);
				try {
					limiter.take('a');
					granted += 1;
				} catch {
					continue;
				}
			}
			t.true(granted <= 5 + (clock.monotonicMs() * 5) / 60_000 + 1e-6);
		}),
	);
});

test('the limiter forgets the key that asked least recently, never the one that is asking', (t) => {
	const limiter = createRateLimiter({ clock: createManualClock(), perMinute: 1, maxKeys: 3 });
	limiter.take('attacker');
	for (const key of ['a', 'b', 'c', 'd', 'e']) {
		t.throws(() => limiter.take('attacker'));
		limiter.take(key);
	}
	limiter.take('a');
});

const addresses = [
	['192.168.1.7', '192.168.1.7'],
	['::ffff:192.168.1.7', '192.168.1.7'],
	['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
	['2001:db8:1:2::9', '2001:db8:1:2'],
	['2001:DB8:0001:0002::', '2001:db8:1:2'],
	['fe80::1%eth0', 'fe80:0:0:0'],
	['::1', '0:0:0:0'],
] as const;

for (const [address, key] of addresses) {
	test(`the limiter counts ${address} as ${key}`, (t) => t.is(addressKey(address), key));
}

test('a gate runs no more than its width, keeps the order, and refuses beyond its queue', async (t) => {
	const gate = createGate({ what: 'tasks', parallel: 2, waiting: 2 });
	const order: string[] = [];
	const release = new Map<string, () => void>();
	const task = (name: string) =>
		gate.run(async () => {
			order.push(name);
			await new Promise<void>((resolve) => void release.set(name, resolve));
			if (name === 'b') throw new RangeError('b fails');
			return name;
		});
	const [a, b, c, d] = [task('a'), task('b'), task('c'), task('d')];
	const refused = await t.throwsAsync(task('e'), { instanceOf: Fault });
	t.is(refused.reason, 'unavailable');
	t.deepEqual(order, ['a', 'b']);
	release.get('b')?.();
	await t.throwsAsync(b, { message: 'b fails' });
	t.deepEqual(order, ['a', 'b', 'c']);
	release.get('a')?.();
	t.is(await a, 'a');
	release.get('c')?.();
	await c;
	release.get('d')?.();
	t.is(await d, 'd');
	t.is(await gate.run(async () => 'free again'), 'free again');
});
