import type { Plugin } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';

import { anyUser, publicAccess } from '../../core/http/access.ts';
import { isAllowedOrigin } from '../../core/http/origin.ts';
import { createHttpServer, part, startHttp } from '../../core/http/server.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const routes: Plugin<void> = {
	name: 'routes',
	register(server) {
		server.route({ method: 'GET', path: '/api/v1/open', options: { ...publicAccess, handler: () => 'open' } });
		server.route({ method: 'GET', path: '/api/v1/mine', options: { ...anyUser, handler: () => 'mine' } });
		server.route({ method: 'GET', path: '/health', options: { ...publicAccess, handler: () => 'ok' } });
	},
};

async function open(t: ExecutionContext, requestsPerSecond: number, corsOrigins: readonly string[] = []) {
	const clock = createManualClock();
	const server = await createHttpServer({
		log: silentLog,
		tokens: { verify: (token) => actorOfRole('viewer', token) },
		web: null,
		parts: [part(routes, undefined)],
		requestLimit: { requestsPerSecond, clock },
		corsOrigins,
	});
	const running = await startHttp({ server, host: '127.0.0.1', port: 0, log: silentLog });
	t.teardown(() => running.stop());
	const base = `http://127.0.0.1:${running.listening.state().port}`;
	const call = (path: string, init: RequestInit = {}) => fetch(`${base}${path}`, init);
	return { server, clock, call };
}

test('an address has two seconds of requests at once and is then told when to come again', async (t) => {
	const { clock, call } = await open(t, 5);
	for (let count = 0; count < 10; count += 1) t.is((await call('/api/v1/open')).status, 200);
	const refused = await call('/api/v1/nothing');
	t.is(refused.status, 429);
	t.is(refused.headers.get('retry-after'), '1');
	const body: unknown = await refused.json();
	t.like(body, { success: false, error_code: 'RATE_LIMITED' });

	t.is((await call('/health')).status, 200, 'what is no API is not counted');
	clock.advance(200);
	t.is((await call('/api/v1/open')).status, 200);
	t.is((await call('/api/v1/open')).status, 429);
	clock.advance(60_000);
	for (let count = 0; count < 10; count += 1) t.is((await call('/api/v1/open')).status, 200);
	t.is((await call('/api/v1/open')).status, 429);
});

test('an account is counted by itself, also where its calls have no address', async (t) => {
	const { server } = await open(t, 2);
	const statusOf = async (token: string) =>
		(await server.inject({ url: '/api/v1/mine', headers: { authorization: `Bearer ${token}` } })).statusCode;
	const statuses: number[] = [];
	for (let count = 0; count < 5; count += 1) statuses.push(await statusOf('one.a.b'));
	t.deepEqual(statuses, [200, 200, 200, 200, 429]);
	t.is(await statusOf('other.a.b'), 200);
});

const PANEL = 'https://panel.example.com';

test('pages of the origins that are named may use the API, without cookies; all others may not', async (t) => {
	const { call } = await open(t, 100, [PANEL]);
	const headers = { origin: PANEL };
	const answer = await call('/api/v1/open', { headers });
	t.is(answer.headers.get('access-control-allow-origin'), PANEL);
	t.is(answer.headers.get('access-control-allow-credentials'), null);
	t.regex(answer.headers.get('access-control-expose-headers') ?? '', /ETag.*Retry-After/);
	t.regex(answer.headers.get('vary') ?? '', /origin/);

	const preflight = await call('/api/v1/open', {
		method: 'OPTIONS',
		headers: {
			...headers,
			'access-control-request-method': 'GET',
			'access-control-request-headers': 'authorization, content-type, idempotency-key, if-match',
		},
	});
	t.true(preflight.ok);
	t.is(preflight.headers.get('access-control-allow-origin'), PANEL);
	t.regex(preflight.headers.get('access-control-allow-headers') ?? '', /Idempotency-Key/);

	for (const origin of ['https://panel.example.com.evil.org', 'http://panel.example.com', 'null']) {
		const other = await call('/api/v1/open', { headers: { origin } });
		t.is(other.headers.get('access-control-allow-origin'), null, origin);
	}
});

test('without named origins no page of another host is let in', async (t) => {
	const { call } = await open(t, 100);
	const answer = await call('/api/v1/open', { headers: { origin: PANEL } });
	t.is(answer.headers.get('access-control-allow-origin'), null);
});

const origins: readonly (readonly [string | undefined, string, boolean])[] = [
	[undefined, 'box:8000', true],
	['http://box:8000', 'box:8000', true],
	['http://BOX:8000', 'box:8000', true],
	['http://box', 'box:8000', false],
	[PANEL, 'box:8000', true],
	['null', 'box:8000', false],
	['https://evil.example', 'box:8000', false],
];

for (const [origin, host, isAllowed] of origins) {
	test(`a socket of origin ${origin ?? 'none'} at ${host} is ${isAllowed ? 'let in' : 'refused'}`, (t) => {
		t.is(isAllowedOrigin(origin, host, [PANEL]), isAllowed);
	});
}
