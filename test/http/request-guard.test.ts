import { gzipSync } from 'node:zlib';

import type { Plugin } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';
import Joi from 'joi';

import { publicAccess } from '../../core/http/access.ts';
import { createHttpServer, DEFAULT_HTTP_LIMITS, type HttpServerDeps, part, startHttp } from '../../core/http/server.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { answerOn, dial, exchange, type WireAnswer } from './wire.ts';

const samples: Plugin<void> = {
	name: 'samples',
	multiple: true,
	register(server) {
		server.route({
			method: 'POST',
			path: '/things',
			options: { ...publicAccess, validate: { payload: Joi.object().unknown() }, handler: ({ payload }) => payload },
		});
		server.route({ method: 'GET', path: '/things', options: { ...publicAccess, handler: () => [] } });
		server.route({ method: 'GET', path: '/things/{id}', options: { ...publicAccess, handler: () => ({}) } });
	},
};

const LIMITS = { ...DEFAULT_HTTP_LIMITS, bodyBytes: 65_536 };

async function open(t: ExecutionContext, more: Partial<HttpServerDeps> = {}) {
	const server = await createHttpServer({
		log: silentLog,
		tokens: {
			verify() {
				throw new Fault('bad-credentials', 'nobody has a token here');
			},
		},
		web: null,
		parts: [part(samples, undefined, '/api/v1'), part(samples, undefined, '/api')],
		limits: LIMITS,
		...more,
	});
	const running = await startHttp({ server, host: '127.0.0.1', port: 0, log: silentLog });
	t.teardown(() => running.stop());
	return { server, port: running.listening.state().port };
}

const request = (line: string, headers: readonly string[] = [], body = ''): string =>
	[line, 'Host: box', 'Connection: close', ...headers, '', body].join('\r\n');

const json = (body: string, ...headers: readonly string[]): string =>
	request(
		'POST /api/v1/things HTTP/1.1',
		['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...headers],
		body,
	);

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: box\r\n\r\n`;

const JSON_TYPE = ['Content-Type: application/json'];

const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;

const bomb = gzipSync(Buffer.from(JSON.stringify({ a: 'x'.repeat(20_000_000) })));
const compressed = (body: Buffer): readonly (string | Buffer)[] => [
	request(
		'POST /api/v1/things HTTP/1.1',
		['Content-Type: application/json', 'Content-Encoding: gzip', `Content-Length: ${body.length}`],
		'',
	),
	body,
];

interface Case {
	readonly name: string;
	readonly bytes: readonly (string | Buffer)[];
	readonly status: number;
	readonly family?: 'v1' | 'platform';
}

const refused: readonly Case[] = [
	{ name: 'no HTTP at all', bytes: ['\u0016\u0003\u0001\r\n\r\n'], status: 400, family: 'platform' },
	{ name: 'an unknown method', bytes: [request('BREW /api/v1/things HTTP/1.1')], status: 400 },
	{ name: 'an unknown version', bytes: ['GET /api/v1/things HTTP/9.9\r\n\r\n'], status: 400 },
	{ name: 'no Host', bytes: ['GET /api/v1/things HTTP/1.1\r\nConnection: close\r\n\r\n'], status: 400 },
	{
		name: 'a Host that is none',
		bytes: ['GET http://[::/api/v1/things HTTP/1.1\r\nHost: [::\r\nConnection: close\r\n\r\n'],
		status: 400,
		family: 'platform',
	},
	{
		name: 'headers over 16 KiB',
		bytes: [request('GET /api/v1/things HTTP/1.1', [`X-A: ${'a'.repeat(20_000)}`])],
		status: 431,
	},
	{
		name: 'a thousand headers of 20 bytes',
		bytes: [
			request(
				'GET /api/things HTTP/1.1',
				Array.from({ length: 1_000 }, (_, at) => `X-${at}: ${'a'.repeat(12)}`),
			),
		],
		status: 431,
		family: 'platform',
	},
	{ name: 'a path over 8 KiB', bytes: [request(`GET /api/v1/things/${'a'.repeat(9_000)} HTTP/1.1`)], status: 414 },
	{ name: 'a path that cannot be decoded', bytes: [request('GET /api/v1/things/%E0%A4 HTTP/1.1')], status: 400 },
	{ name: 'a NUL in the path', bytes: [request('GET /api/v1/things/%00 HTTP/1.1')], status: 400 },
	{ name: 'a NUL in a path of the page', bytes: [request('GET /a%00b HTTP/1.1')], status: 400, family: 'platform' },
	{ name: 'TRACE', bytes: [request('TRACE /api/v1/things HTTP/1.1')], status: 405 },
	{ name: 'CONNECT', bytes: [request('CONNECT other:80 HTTP/1.1')], status: 405, family: 'platform' },
	{
		name: 'an expectation nobody knows',
		bytes: [request('GET /api/v1/things HTTP/1.1', ['Expect: coffee'])],
		status: 417,
	},
	{
		name: 'a length that is none',
		bytes: [request('POST /api/v1/things HTTP/1.1', ['Content-Length: x'])],
		status: 400,
	},
	{
		name: 'two lengths',
		bytes: [request('POST /api/v1/things HTTP/1.1', ['Content-Length: 2', 'Content-Length: 3'], '{}')],
		status: 400,
	},
	{
		name: 'length and chunks at once',
		bytes: [request('POST /api/v1/things HTTP/1.1', ['Content-Length: 2', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
		status: 400,
	},
	{
		name: 'a charset nobody reads',
		bytes: [json('{}').replace('application/json', 'application/json; charset="utf-16"')],
		status: 415,
	},
	{ name: 'an encoding nobody reads', bytes: [json('{}', 'Content-Encoding: br')], status: 415 },
	{ name: 'a gzip that is none', bytes: [json('{}', 'Content-Encoding: gzip')], status: 400 },
	{ name: 'a gzip bomb', bytes: compressed(bomb), status: 413 },
	{ name: 'a body over the limit', bytes: [json(JSON.stringify({ a: 'x'.repeat(70_000) }))], status: 413 },
	{ name: 'JSON nested 33 levels', bytes: [json(nested(32))], status: 400 },
	{ name: 'JSON nested 20 000 levels', bytes: [json(nested(20_000))], status: 400 },
	{ name: 'a key __proto__', bytes: [json('{"a":{"__proto__":{"admin":true}}}')], status: 400 },
	{ name: 'a key __proto__ in escapes', bytes: [json('{"\\u005f_proto__":{"admin":true}}')], status: 400 },
	{ name: 'a key constructor.prototype', bytes: [json('{"constructor":{"prototype":{"admin":true}}}')], status: 400 },
	{ name: 'an array where an object is due', bytes: [json('[]')], status: 422 },
	{ name: 'JSON that ends early', bytes: [json('{"a":')], status: 400 },
];

function assertError(t: ExecutionContext, name: string, answer: WireAnswer, family: 'v1' | 'platform'): void {
	t.regex(answer.headers.get('content-type') ?? '', /^application\/json/, name);
	t.regex(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/, name);
	t.regex(answer.headers.get('content-security-policy') ?? '', /default-src 'self'/, name);
	t.is(answer.headers.get('x-content-type-options'), 'nosniff', name);
	t.is(answer.headers.get('cache-control'), 'no-store', name);
	const body: unknown = JSON.parse(answer.body);
	t.like(body, { success: false }, name);
	const error: unknown = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
	t.is(typeof error, family === 'v1' ? 'object' : 'string', `${name}: ${answer.body}`);
}

test('every request that is no good gets its status, the body of its family and the headers of every answer', async (t) => {
	const { port } = await open(t);
	for (const { name, bytes, status, family = 'v1' } of refused) {
		const answer = await exchange(port, ...bytes);
		t.is(answer.status, status, `${name}: ${answer.raw.slice(0, 300)}`);
		assertError(t, name, answer, family);
	}
});

const accepted: readonly Case[] = [
	{ name: 'HTTP/1.0 without Host', bytes: ['GET /api/v1/things HTTP/1.0\r\n\r\n'], status: 200 },
	{ name: 'a body of JSON in gzip', bytes: compressed(gzipSync('{"a":1}')), status: 200 },
	{ name: 'JSON nested 32 levels', bytes: [json(nested(31))], status: 200 },
	{ name: 'a key constructor without prototype', bytes: [json('{"constructor":{"name":"x"}}')], status: 200 },
	{
		name: 'a charset in capitals',
		bytes: [json('{}').replace('application/json', 'application/json; charset=UTF-8')],
		status: 200,
	},
	{ name: 'an absolute target', bytes: [request('GET http://elsewhere/api/v1/things HTTP/1.1')], status: 200 },
	{
		name: 'a thousand equal query keys',
		bytes: [request(`GET /api/v1/things?${'a&'.repeat(3_000)} HTTP/1.1`)],
		status: 200,
	},
];

test('what is unusual, but right, is served', async (t) => {
	const { port } = await open(t);
	for (const { name, bytes, status } of accepted) t.is((await exchange(port, ...bytes)).status, status, name);
});

test('a client that waits for 100-continue is told to go on, and is answered', async (t) => {
	const { port } = await open(t);
	const answer = await exchange(port, json('{"a":1}', 'Expect: 100-continue'));
	t.regex(answer.raw, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});

test('pipelined requests are answered in their order; the broken one among them ends the connection', async (t) => {
	const { port } = await open(t);
	const socket = await dial(port);
	socket.write(get('/api/v1/things') + get('/api/v1/nothing'));
	let heard = '';
	let isBroken = false;
	socket.on('data', (chunk: Buffer) => {
		heard += chunk.toString();
		if (isBroken || !heard.includes('HTTP/1.1 404')) return;
		isBroken = true;
		socket.write('BROKEN\r\n\r\n');
	});
	const { raw } = await answerOn(socket);
	t.deepEqual(
		[...raw.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
		['200', '404', '400'],
	);
});

for (const [name, bytes, status, family] of [
	['headers', 'GET /api/v1/things HTTP/1.1\r\nHost: box\r\nX-Slow: a', 408, 'platform'],
	['a body', json(`{"a":"${'x'.repeat(1_000)}"}`).slice(0, -500), 408, 'v1'],
] as const) {
	test(`a client that sends ${name} for ever is cut off, and the others are served meanwhile`, async (t) => {
		const { port } = await open(t, {
			// Long enough for the others, whose requests take their time on a loaded machine.
			limits: { ...LIMITS, headersWithinMs: 3_000, bodyWithinMs: 3_000, requestWithinMs: 6_000, checkEveryMs: 50 },
		});
		const slow = await dial(port);
		slow.write(bytes);
		const dripping = setInterval(() => slow.write('a'), 100);
		t.teardown(() => clearInterval(dripping));
		slow.on('error', () => undefined);
		// Heard from the start: what is dripped into a connection that was cut off ends it.
		slow.once('data', () => clearInterval(dripping));
		const answering = answerOn(slow);
		t.is((await exchange(port, request('GET /api/v1/things HTTP/1.1'))).status, 200);
		const answer = await answering;
		t.is(answer.status, status, answer.raw);
		assertError(t, name, answer, family);
	});
}

test('a body in chunks that goes beyond the limit is cut off, and the others are served', async (t) => {
	const { port } = await open(t);
	const head = request('POST /api/v1/things HTTP/1.1', [...JSON_TYPE, 'Transfer-Encoding: chunked'], '');
	const answer = await exchange(port, head, `11170\r\n${'x'.repeat(70_000)}\r\n`);
	t.is(answer.raw, '');
	t.is((await exchange(port, request('GET /api/v1/things HTTP/1.1'))).status, 200);
});

test('an id of the client is kept when it is fit for a log, and replaced when it is not', async (t) => {
	const { server } = await open(t);
	const idFor = async (id: string) =>
		(await server.inject({ url: '/api/v1/things', headers: { 'x-request-id': id } })).headers['x-request-id'];
	t.is(await idFor('trace-1234.5'), 'trace-1234.5');
	for (const bad of ['short', 'a'.repeat(65), 'has blank in it', 'line\nfeed-line'])
		t.regex(String(await idFor(bad)), /^[0-9a-f-]{36}$/);
});

test('nothing of the prototype was changed by any of it', (t) => {
	t.false('admin' in {});
});
