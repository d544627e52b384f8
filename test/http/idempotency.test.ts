import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Plugin } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';
import Joi from 'joi';

import { anyUser, publicAccess } from '../../core/http/access.ts';
import { openAnswerStore } from '../../core/http/answer-store.ts';
import { RateLimitFault } from '../../core/http/rate-limit.ts';
import { createHttpServer, part, startHttp } from '../../core/http/server.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { deferred } from '../fake/deferred.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { dial } from './wire.ts';

const SECRET = 'shown-once-and-never-again';

interface Calls {
	count: number;
	/** Waited for by the operation `slow`. */
	gate: Promise<void>;
}

const outcomes: Readonly<Record<string, () => never>> = {
	taken: () => {
		throw new Fault('duplicate', 'the name is taken', { field: 'name' });
	},
	broken: () => {
		throw new TypeError('a defect');
	},
	busy: () => {
		throw new RateLimitFault(3);
	},
};

const routes: Plugin<Calls> = {
	name: 'routes',
	register(server, calls) {
		server.route<{ Payload: { outcome?: string; name?: string } }>({
			method: 'POST',
			path: '/api/v1/things/{id}',
			options: {
				...anyUser,
				validate: { payload: Joi.object({ outcome: Joi.string(), name: Joi.string() }) },
				handler: async ({ payload, params }, h) => {
					calls.count += 1;
					if (payload.outcome === 'slow') await calls.gate;
					outcomes[payload.outcome ?? '']?.();
					if (payload.outcome === 'empty') return h.response().code(204);
					const body = { number: calls.count, id: String(params['id']), secret: SECRET };
					return h.response(body).code(201).header('location', '/api/v1/things/1');
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/api/v1/open',
			options: { ...publicAccess, handler: () => ({ number: (calls.count += 1) }) },
		});
	},
};

async function box(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-answers-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const clock = createManualClock();
	const calls: Calls = { count: 0, gate: Promise.resolve() };
	const open = async () =>
		createHttpServer({
			log: silentLog,
			tokens: { verify: (token) => actorOfRole('viewer', token) },
			web: null,
			parts: [part(routes, calls)],
			answers: await openAnswerStore({ folder, clock, log: silentLog, maxKeys: 3 }),
		});
	let server = await open();
	const post = async (key: string | null, payload: object = {}, url = '/api/v1/things/1', user = 'one.a.b') => {
		const headers = { authorization: `Bearer ${user}`, ...(key === null ? {} : { 'idempotency-key': key }) };
		const answer = await server.inject({ method: 'POST', url, payload, headers });
		return { status: answer.statusCode, body: answer.payload, headers: answer.headers };
	};
	return {
		folder,
		clock,
		calls,
		post,
		server: () => server,
		restart: async () => {
			server = await open();
		},
	};
}

test('a retry gets the first answer verbatim, and nothing is done again, also after a restart', async (t) => {
	const { calls, post, restart } = await box(t);
	const first = await post('key-1', { name: 'a' });
	t.is(first.status, 201);
	t.is(first.headers['idempotency-replayed'], undefined);
	for (const life of ['the same', 'the next']) {
		const again = await post('key-1', { name: 'a' });
		t.is(again.status, 201, life);
		t.is(again.body, first.body, life);
		t.is(again.headers['idempotency-replayed'], 'true', life);
		t.is(again.headers['location'], '/api/v1/things/1', life);
		t.is(again.headers['content-type'], first.headers['content-type'], life);
		await restart();
	}
	t.is(calls.count, 1);
});

test('without a key, under another key, of another user or at another operation it is another request', async (t) => {
	const { calls, post } = await box(t);
	await post('k');
	await post(null);
	await post('other');
	await post('k', {}, '/api/v1/things/1', 'two.a.b');
	t.is(calls.count, 4);
	await post('k', {}, '/api/v1/open');
	await post('k', {}, '/api/v1/open');
	t.is(calls.count, 6, 'what needs no token has no keys');
});

test('a key that was used for another body, query or path is refused', async (t) => {
	const { calls, post } = await box(t);
	await post('k', { name: 'a' });
	for (const again of [
		await post('k', { name: 'b' }),
		await post('k', { name: 'a' }, '/api/v1/things/2'),
		await post('k', { name: 'a' }, '/api/v1/things/1?x=1'),
	]) {
		t.is(again.status, 422);
		t.regex(again.body, /BUSINESS_RULE_VIOLATION/);
	}
	t.is(calls.count, 1);
});

test('a retry while the first runs is told so, and gets its answer afterwards', async (t) => {
	const { calls, post } = await box(t);
	const gate = deferred<undefined>();
	calls.gate = gate.promise;
	const first = post('k', { outcome: 'slow' });
	while (calls.count === 0) await new Promise((resolve) => setImmediate(resolve));
	t.is((await post('k', { outcome: 'slow' })).status, 409);
	gate.resolve(undefined);
	const { body } = await first;
	t.is((await post('k', { outcome: 'slow' })).body, body);
	t.is(calls.count, 1);
});

test('a refusal is repeated; what may go better next time, and what was never begun, is not', async (t) => {
	const { calls, post } = await box(t);
	const statuses = async (key: string, payload: object) => [
		(await post(key, payload)).status,
		(await post(key, payload)).status,
	];
	t.deepEqual(await statuses('taken', { outcome: 'taken' }), [409, 409]);
	t.is(calls.count, 1);
	t.deepEqual(await statuses('broken', { outcome: 'broken' }), [500, 500]);
	t.is(calls.count, 3);
	t.deepEqual(await statuses('busy', { outcome: 'busy' }), [429, 429]);
	t.is(calls.count, 5);
	t.deepEqual(await statuses('unfit', { name: 7 }), [422, 422]);
	t.is((await post('unfit', { name: 'fit' })).status, 201);
	t.deepEqual(await statuses('empty', { outcome: 'empty' }), [204, 204]);
});

test('a request that was begun when the power went is neither done again nor said to be done', async (t) => {
	const { calls, post, restart } = await box(t);
	calls.gate = new Promise(() => undefined);
	void post('k', { outcome: 'slow' });
	while (calls.count === 0) await new Promise((resolve) => setImmediate(resolve));
	await restart();
	const retry = await post('k', { outcome: 'slow' });
	t.is(retry.status, 409);
	t.regex(retry.body, /look whether it was done/);
	t.is(calls.count, 1);
});

test('the answer of a request whose client hung up is there for the retry', async (t) => {
	const { calls, post, server } = await box(t);
	const running = await startHttp({ server: server(), host: '127.0.0.1', port: 0, log: silentLog });
	t.teardown(() => running.stop());
	const gate = deferred<undefined>();
	calls.gate = gate.promise;
	const socket = await dial(running.listening.state().port);
	const body = '{"outcome":"slow"}';
	socket.write(
		`POST /api/v1/things/1 HTTP/1.1\r\nHost: box\r\nAuthorization: Bearer one.a.b\r\nIdempotency-Key: k\r\n` +
			`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
	);
	while (calls.count === 0) await new Promise((resolve) => setTimeout(resolve, 1));
	socket.destroy();
	await new Promise((resolve) => setTimeout(resolve, 20));
	gate.resolve(undefined);
	let again = await post('k', { outcome: 'slow' });
	while (again.status === 409) again = await post('k', { outcome: 'slow' });
	t.is(again.status, 201);
	t.is(again.headers['idempotency-replayed'], 'true');
	t.is(calls.count, 1);
});

test('a key is 1 to 255 visible characters', async (t) => {
	const { calls, post } = await box(t);
	for (const bad of ['', 'with blank', 'x'.repeat(256), 'ü']) t.is((await post(bad)).status, 400, bad);
	t.is(calls.count, 0);
	t.is((await post('~'.repeat(255))).status, 201);
});

test('answers are forgotten after a day, and beyond the limit the oldest first', async (t) => {
	const { folder, clock, calls, post } = await box(t);
	for (const key of ['a', 'b', 'c', 'd']) {
		await post(key);
		clock.advance(1_000);
	}
	t.is(readdirSync(folder).length, 3);
	await post('d');
	t.is(calls.count, 4);
	await post('a');
	t.is(calls.count, 5, 'the oldest is gone');
	clock.advance(86_400_001);
	await post('d');
	t.is(calls.count, 6);
	t.is(readdirSync(folder).length, 1);
});

test('no file shows an answer, and one that was damaged is dropped', async (t) => {
	const { folder, calls, post, restart } = await box(t);
	await post('k');
	for (const file of readdirSync(folder)) {
		t.false(readFileSync(join(folder, file), 'utf8').includes(SECRET));
		writeFileSync(join(folder, file), '{"at":');
	}
	writeFileSync(join(folder, 'foreign'), 'x');
	await restart();
	t.deepEqual(readdirSync(folder), []);
	t.is((await post('k')).status, 201);
	t.is(calls.count, 2);
});

test('what is kept of a request does not let anybody guess its body', async (t) => {
	const { folder, post } = await box(t);
	const payload = { name: 'a password, say' };
	await post('k', payload);
	const [file = ''] = readdirSync(folder);
	const guess = createHash('sha256')
		.update(JSON.stringify(['/api/v1/things/1', {}, payload]))
		.digest('hex');
	t.false(readFileSync(join(folder, file), 'utf8').includes(guess));
});
