import { randomUUID } from 'node:crypto';

import Hapi from '@hapi/hapi';
import test from 'ava';

import { createRemoteCalls as createHubCalls } from '../../cloud/remote/remote-calls.ts';
import type { GatewayRecord } from '../../cloud/fleet/gateway-record.ts';
import { remoteRoutes } from '../../cloud/remote/remote-routes.ts';
import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { newGatewayId, type TenantId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import {
	type AnswerMessage,
	callMessage,
	type CallMessage,
	MOST_ANSWER_BYTES,
	parseAnswer,
	parseCall,
} from '../../core/link/call-messages.ts';
import { createRemoteCalls } from '../../gateway/remote/remote-calls.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { startPair } from '../link/pair.ts';
import { untilOnline } from '../system/kit/enrolled.ts';
import { createRest, member } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const GATEWAY = newGatewayId();

const gatewayRecord = (tenantId: TenantId): GatewayRecord => ({
	id: GATEWAY,
	tenantId,
	name: 'a gateway',
	certificates: [],
	enrolledAt: epochMs(0),
	revokedAt: null,
});

const call = (more: Partial<CallMessage> = {}): CallMessage => ({
	call_id: randomUUID(),
	method: 'GET',
	path: '/api/v1/things',
	headers: {},
	body: null,
	actor: { user_id: 'u', email: 'a@example.com', role: 'viewer', permissions: ['devices:read'] },
	...more,
});

/** A gateway's end, over a server that says who called what. */
async function gatewayEnd(isAllowed = true) {
	const server = Hapi.server();
	server.auth.scheme('none', () => ({
		authenticate: () => {
			throw new Error('asked for a token');
		},
	}));
	server.auth.strategy(TOKEN_STRATEGY, 'none');
	let calls = 0;
	server.route({
		method: '*',
		path: '/{path*}',
		options: { auth: TOKEN_STRATEGY },
		handler: ({ auth, path, payload, info }) => {
			calls += 1;
			const { actor } = auth.credentials.user ?? {};
			return { path, payload, from: info.remoteAddress, role: actor?.role, may: [...(actor?.permissions ?? [])] };
		},
	});
	server.route({ method: 'GET', path: '/api/v1/much', handler: () => 'x'.repeat(MOST_ANSWER_BYTES + 1) });
	const answers: AnswerMessage[] = [];
	const session = new AbortController();
	const feature = createRemoteCalls({ server: () => server, isAllowed, log: silentLog });
	await feature.begin(async (_kind, payload) => void answers.push(parseAnswer(payload)), session.signal);
	async function ask(message: CallMessage): Promise<{ readonly status: number; readonly body: unknown }> {
		feature.hears.call?.(callMessage(message));
		const answer = await waitFor('an answer', 30_000, async () =>
			answers.find(({ call_id }) => call_id === message.call_id),
		);
		return { status: answer.status, body: JSON.parse(Buffer.from(answer.body, 'base64').toString()) };
	}
	return { feature, ask, answers, calls: () => calls, session };
}

test('a call is carried out with the permissions of the person, and with no others', async (t) => {
	const { ask } = await gatewayEnd();
	const body = Buffer.from('{"a":1}').toString('base64');
	const answer = await ask(call({ method: 'POST', headers: { 'content-type': 'application/json' }, body }));
	t.deepEqual(answer, {
		status: 200,
		body: { path: '/api/v1/things', payload: { a: 1 }, from: 'hub', role: 'viewer', may: ['devices:read'] },
	});
});

test('what belongs to the box itself is not called from afar, however it is written', async (t) => {
	const { ask, calls } = await gatewayEnd();
	const paths = [
		['POST', '/api/v1/auth/login'],
		['POST', '/api/v1/%61uth/login'],
		['POST', '/api/v1/lines/../auth/login'],
		['POST', '/api/v1/lines/%2e%2e/auth/login'],
		['POST', String.raw`/api/v1/lines\..\auth\login`],
		['GET', '/api/v1/users/'],
		['GET', '/api/v1/users?page=1'],
		['POST', '/api/v1/setup/claim'],
		['POST', '/api/v1/uplink/enrol'],
		['DELETE', '/api/v1/uplink'],
		['DELETE', '/api/v1/uplink/'],
		['GET', '/api/v1/uplink/bundle?max_mib=1'],
		['GET', '/metrics'],
		['GET', '/api/../metrics'],
	] as const;
	for (const [method, path] of paths) t.is((await ask(call({ method, path }))).status, 403, path);
	t.is(calls(), 0);
	t.is((await ask(call({ path: '/api/v1/uplink' }))).status, 200);
});

test('a gateway that wants no calls carries none out', async (t) => {
	const { ask, calls } = await gatewayEnd(false);
	t.is((await ask(call())).status, 403);
	t.is(calls(), 0);
});

test('a call that arrives twice is carried out once; a longer answer than fits is refused', async (t) => {
	const { feature, ask, answers, calls } = await gatewayEnd();
	const one = call({ method: 'DELETE' });
	await ask(one);
	feature.hears.call?.(callMessage(one));
	t.is((await ask(call({ path: '/api/v1/much' }))).status, 502);
	t.is(calls(), 1);
	t.is(answers.length, 2);
});

test('a message that is no call is refused', async (t) => {
	const { feature } = await gatewayEnd();
	const wrong = [
		{ ...call(), method: 'TRACE' },
		{ ...call(), path: '//host/x' },
		{ ...call(), actor: null },
		{ ...call(), headers: { authorization: 'x' }, call_id: 'x' },
	];
	for (const message of wrong)
		t.throws(() => feature.hears.call?.(Buffer.from(JSON.stringify(message))), { instanceOf: Fault });
});

/** A hub's end whose gateway says nothing by itself. */
function hubEnd(isThere = true) {
	const timer = createManualTimer();
	const sent: CallMessage[] = [];
	const calls = createHubCalls({
		send: (_gateway, _kind, payload) => {
			sent.push(parseCall(payload));
			return isThere;
		},
		setTimer: timer.setTimer,
	});
	const ask = (timeoutMs = 1_000) =>
		calls.call(
			GATEWAY,
			{ method: 'GET', path: '/api/v1/lines', headers: {}, body: null },
			actorOfRole('viewer', 'u'),
			timeoutMs,
		);
	const answer = (id: string, from = GATEWAY) =>
		calls.feature.hears.answer?.(
			from,
			Buffer.from(JSON.stringify({ call_id: id, status: 204, headers: {}, body: '' })),
		);
	return { timer, sent, ask, answer };
}

test('an answer counts for its own call, from its own gateway', async (t) => {
	const { sent, ask, answer } = hubEnd();
	const asked = ask();
	await answer(sent[0]?.call_id ?? '', newGatewayId());
	await answer(randomUUID());
	await answer(sent[0]?.call_id ?? '');
	t.is((await asked).status, 204);
	await answer(sent[0]?.call_id ?? '');
});

test('a gateway that is away, silent or overrun is said to be so', async (t) => {
	t.like(await t.throwsAsync(hubEnd(false).ask()), { reason: 'unreachable' });
	const { timer, ask } = hubEnd();
	const silent = Array.from({ length: 16 }, () => t.throwsAsync(ask(1_000)));
	t.like(await t.throwsAsync(ask()), { reason: 'unavailable' });
	timer.advance(1_000);
	for (const fault of await Promise.all(silent)) t.like(fault, { reason: 'timeout' });
});

test.serial('the REST of a gateway is reached through its hub', async (t) => {
	t.timeout(300_000);
	const pair = await startPair(t);
	const [hub, gateway] = [await pair.hubRest(), await pair.gatewayRest()];
	await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
	await untilOnline(gateway);
	const { body } = await hub.get('/api/v1/gateways');
	const remote = `/api/v1/gateways/${String(member(Array.isArray(body) ? body[0] : null, 'id'))}/remote`;
	const made = await hub.post(`${remote}/devices`, {
		device_uid: 'far',
		name: 'Far',
		device_type: 'sensor',
		connection: { driver: 'mqtt' },
	});
	t.is(made.status, 201, JSON.stringify(made.body));
	t.is((await gateway.get('/api/v1/devices/far')).status, 200);
	t.is((await hub.post(`${remote}/devices`, { name: 'x' })).status, 422);
	t.is((await hub.get(`${remote}/nothing/here`)).status, 404);
	t.is((await hub.get(`${remote}/users/`)).status, 403);
	t.like(await hub.get(`${remote}/lines?x=1`), { status: 200 });
	const audit = await gateway.get('/api/v1/audit?limit=50');
	t.true(JSON.stringify(audit.body).includes('"hub"'), 'the log of the gateway tells where it came from');
	t.is((await createRest(hub.url, null).get(`${remote}/devices`)).status, 401);
	await pair.gateway().stop();
	await waitFor('it is away', 30_000, async () => (await hub.get(`${remote}/lines`)).status === 502);
});

for (const [name, wrong] of [
	['a header with a line break', { headers: { etag: 'a\r\nset-cookie: b' } }],
	['a header beyond ASCII', { headers: { etag: '\u20ac' } }],
	['a status that is no answer', { status: 101 }],
] as const)
	test(`an answer of a gateway is none with ${name}`, (t) => {
		const answer = { call_id: randomUUID(), status: 200, headers: {}, body: '' };
		t.is(parseAnswer(Buffer.from(JSON.stringify(answer))).status, 200);
		t.throws(() => parseAnswer(Buffer.from(JSON.stringify({ ...answer, ...wrong }))), { instanceOf: Fault });
	});

test('a call that no gateway would take is refused at once, and not after its time', async (t) => {
	const timer = createManualTimer();
	const { call: ask } = createHubCalls({ send: () => true, setTimer: timer.setTimer });
	const request = { method: 'GET', path: `/api/v1/${'x'.repeat(9_000)}`, headers: {}, body: null } as const;
	await t.throwsAsync(ask(GATEWAY, request, actorOfRole('viewer'), 1_000), { instanceOf: Fault, message: /path/ });
});

test('what a gateway answers is no page of the hub, and leads nowhere else', async (t) => {
	const server = Hapi.server();
	server.auth.scheme('known', () => ({
		authenticate: (_request, h) => h.authenticated({ credentials: { user: { actor: actorOfRole('viewer') } } }),
	}));
	server.auth.strategy(TOKEN_STRATEGY, 'known');
	const { tenantId } = actorOfRole('viewer');
	let asked = '';
	const headers = { 'content-type': 'text/html', location: 'https://elsewhere.example/', etag: '"1"' };
	await server.register({
		plugin: remoteRoutes,
		options: {
			gateways: { find: () => gatewayRecord(tenantId) },
			calls: {
				async call(_gateway, { path }) {
					asked = path;
					return { call_id: randomUUID(), status: 201, headers, body: Buffer.from('<p>').toString('base64') };
				},
			},
		},
	});
	const { statusCode, headers: got } = await server.inject({
		url: `/gateways/${GATEWAY.toUpperCase()}/remote/things/a?limit=1`,
		headers: { host: 'no.host:99999' },
	});
	t.is(asked, '/api/v1/things/a?limit=1', 'whatever the host is called');
	t.is(statusCode, 201);
	t.is(got['content-type'], 'application/octet-stream');
	t.is(got['location'], undefined);
	t.is(got.etag, '"1"');
});
