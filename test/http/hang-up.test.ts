import { once } from 'node:events';
import { request as callHttp } from 'node:http';

import { server as createHapi } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';

import { hangUpOf } from '../../core/http/hang-up.ts';
import { type Deferred, deferred } from '../fake/deferred.ts';

/** A server whose only handler works until it is told to end. */
async function stage(t: ExecutionContext) {
	const begun: Deferred<AbortSignal> = deferred();
	const end: Deferred<void> = deferred();
	const server = createHapi();
	server.route({
		method: 'POST',
		path: '/work',
		handler: async (request) => {
			const signal = hangUpOf(request);
			begun.resolve(signal);
			await end.promise;
			return { isAborted: signal.aborted };
		},
	});
	await server.initialize();
	server.listener.listen(0, '127.0.0.1');
	await once(server.listener, 'listening');
	t.teardown(async () => {
		end.resolve();
		server.listener.close();
		await server.stop();
	});
	const address = server.listener.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const call = () => {
		const sent = callHttp({ host: '127.0.0.1', port, path: '/work', method: 'POST', agent: false });
		sent.on('error', () => undefined).end('{}');
		return sent;
	};
	return { server, call, begun, end };
}

test('work is told when its caller hangs up', async (t) => {
	const { call, begun } = await stage(t);
	const sent = call();
	const signal = await begun.promise;
	t.false(signal.aborted);
	const told = once(signal, 'abort');
	sent.destroy();
	await told;
	t.true(signal.aborted);
});

test('a caller that has its answer has not hung up', async (t) => {
	const { call, begun, end } = await stage(t);
	const sent = call();
	const signal = await begun.promise;
	end.resolve();
	const [answer] = await once(sent, 'response');
	const closed = once(sent, 'close');
	answer.resume();
	await closed;
	t.is(answer.statusCode, 200);
	t.false(signal.aborted);
});

test('a call that comes over the link is not ended', async (t) => {
	const { server, begun, end } = await stage(t);
	const answer = server.inject({ method: 'POST', url: '/work', payload: {} });
	const signal = await begun.promise;
	end.resolve();
	t.deepEqual((await answer).result, { isAborted: false });
	t.false(signal.aborted);
});
