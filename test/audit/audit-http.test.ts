import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Plugin } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';
import Joi from 'joi';

import type { AuditLog } from '../../core/audit/audit.ts';
import { auditHttp } from '../../core/audit/audit-http.ts';
import { noteChange } from '../../core/audit/audit-note.ts';
import { auditRoutes } from '../../core/audit/audit-routes.ts';
import { auditEntryAnswer, auditVerifyAnswer } from '../../core/audit/audit-schema.ts';
import { openAnswerStore } from '../../core/http/answer-store.ts';
import { anyUser, permitted, publicAccess } from '../../core/http/access.ts';
import type { RouteDescription } from '../../core/http/describe.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import type { Actor, Role } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { DEFAULT_TENANT, tenantId, uuidOf } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type Deferred, deferred } from '../fake/deferred.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { auditBox, eventOf } from './audit-box.ts';

const OTHER_TENANT = tenantId(uuidOf('other'));
const ADA = { userId: uuidOf('ada'), email: 'ada@example.com', tenantId: DEFAULT_TENANT };

const UPDATE_THING: RouteDescription = {
	operationId: 'updateThing',
	tag: 'Things',
	summary: 'Change',
	answers: { 200: null },
};

interface Slow {
	readonly begun: Deferred<void>;
	readonly end: Deferred<void>;
}

const things: Plugin<Slow> = {
	name: 'things',
	register(server, { begun, end }) {
		server.route({
			method: 'POST',
			path: '/api/v1/slow',
			options: {
				...anyUser,
				handler: async (_request, h) => {
					begun.resolve();
					await end.promise;
					return h.response({}).code(201);
				},
			},
		});
		server.route({
			method: 'PATCH',
			path: '/api/v1/things/{id}',
			options: {
				...permitted('devices:write'),
				app: { ...permitted('devices:write').app, api: UPDATE_THING },
				handler: (request) => {
					noteChange(request, { target: 'thing-1', before: { name: 'a' }, after: { name: 'b', password: 'p' } });
					return {};
				},
			},
		});
		server.route({ method: 'POST', path: '/api/v1/plain', options: { ...anyUser, handler: () => ({}) } });
		server.route({ method: 'GET', path: '/api/v1/plain', options: { ...anyUser, handler: () => ({}) } });
		server.route({
			method: 'POST',
			path: '/api/v1/values',
			options: { ...anyUser, app: { ...anyUser.app, audit: false }, handler: () => ({}) },
		});
		server.route({
			method: 'POST',
			path: '/api/v1/knocks/{host}',
			options: {
				...anyUser,
				app: { ...anyUser.app, audit: 'attempts' },
				handler: (request) => {
					const { host }: { host?: string } = request.params;
					if (host === 'unknown') throw new Fault('rule-violation', 'there is no such host');
					noteChange(request, { target: `host ${host}`, before: null, after: { port: 502 } });
					if (host === 'silent') throw new Fault('timeout', 'it does not answer');
					return {};
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/api/v1/fails',
			options: {
				...anyUser,
				handler: () => {
					throw new Fault('state-conflict', 'not now');
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/api/v1/auth/login',
			options: {
				...publicAccess,
				app: { access: 'public', audit: 'caller-by-email' },
				validate: { payload: Joi.object({ email: Joi.string(), password: Joi.string() }) },
				handler: (request) => {
					const { password }: { password?: string } = Object(request.payload);
					if (password !== 'right') throw new Fault('bad-credentials', 'the email or the password is wrong');
					return {};
				},
			},
		});
	},
};

async function box(t: ExecutionContext) {
	const files = auditBox(t);
	const audit = await files.open();
	const actors: Readonly<Record<string, Actor>> = {
		'r.superadmin.x': actorOfRole('superadmin'),
		'r.admin.x': actorOfRole('admin', ADA.userId, ADA.email),
		'r.viewer.x': actorOfRole('viewer'),
		'r.stranger.x': { ...actorOfRole('admin'), tenantId: OTHER_TENANT },
	};
	/** What became durable of one request, in this order. */
	const steps: string[] = [];
	const kept = deferred<void>();
	const watched: AuditLog = {
		refused: (event) => audit.refused(event),
		record: (event) => audit.record(event).finally(() => steps.push('recorded')),
	};
	const slow = { begun: deferred<void>(), end: deferred<void>() };
	const answers = mkdtempSync(join(tmpdir(), 'drawbridge-audit-'));
	const store = await openAnswerStore({ folder: answers, clock: files.clock, log: silentLog });
	const finish: typeof store.finish = async (...given) => {
		steps.push('keeping');
		await store.finish(...given);
		kept.resolve();
	};
	const server = await createHttpServer({
		answers: { ...store, finish },
		log: silentLog,
		web: null,
		tokens: {
			verify(token) {
				const actor = actors[token];
				if (actor === undefined) throw new Fault('token-expired', 'the access token has expired');
				return actor;
			},
		},
		parts: [
			part(auditHttp, { audit: watched, callerByEmail: (email) => (email === ADA.email ? ADA : undefined) }),
			part(things, slow),
			part(auditRoutes, { audit }, '/api/v1'),
		],
	});
	t.teardown(async () => {
		await server.stop();
		rmSync(answers, { recursive: true });
	});
	const call = async (
		method: string,
		path: string,
		role: Role | 'stranger' | 'gone' | null = 'admin',
		payload?: object,
	) => {
		const answer = await server.inject({
			method,
			url: `/api/v1${path}`,
			remoteAddress: '192.0.2.7',
			headers: role === null ? {} : { authorization: `Bearer r.${role}.x` },
			...(payload === undefined ? {} : { payload }),
		});
		const body: unknown = answer.payload.startsWith('{') || answer.payload.startsWith('[') ? answer.result : null;
		return { status: answer.statusCode, headers: answer.headers, body, text: answer.payload };
	};
	const entries = async () => (await audit.page(null, 1_000, () => true)).entries.toReversed();
	return { ...files, audit, server, call, entries, slow, steps, kept };
}

test('a change is written down before its answer leaves, with who, from where, what, and before and after', async (t) => {
	const { call, entries } = await box(t);
	const { headers } = await call('PATCH', '/things/1');
	const [entry] = await entries();
	t.like(entry, {
		action: 'updateThing',
		outcome: 'done',
		actor: { userId: ADA.userId, email: ADA.email },
		tenantId: DEFAULT_TENANT,
		from: '192.0.2.7',
		target: 'thing-1',
		reason: null,
		before: { name: 'a' },
		after: { name: 'b', password: '[hidden]' },
		requestId: String(headers['x-request-id']),
	});
	await call('POST', '/plain');
	t.like((await entries())[1], { action: 'POST /api/v1/plain', target: null, before: null, after: null });
});

test('the answer waits for the disk', async (t) => {
	const { call, files } = await box(t);
	const disk = deferred<void>();
	Object.assign(files, { syncFolder: () => disk.promise });
	let isAnswered = false;
	const answer = call('POST', '/plain').finally(() => (isAnswered = true));
	await call('GET', '/plain');
	t.false(isAnswered);
	disk.resolve();
	t.is((await answer).status, 200);
});

test('who hangs up is written down all the same, and a repeated answer is no second entry', async (t) => {
	t.timeout(10_000);
	const { server, entries, slow, steps, kept } = await box(t);
	const headers = { authorization: 'Bearer r.admin.x', 'idempotency-key': 'k'.repeat(20) };
	const request = { method: 'POST', url: '/api/v1/slow', headers, payload: {} };
	const hungUp = server.inject({ ...request, simulate: { close: true } });
	hungUp.catch(() => undefined);
	await slow.begun.promise;
	await Promise.race([hungUp, new Promise(setImmediate)]);
	slow.end.resolve();
	await kept.promise;
	t.deepEqual(steps, ['recorded', 'keeping'], 'an answer that can be repeated is in the log');
	const repeated = await server.inject(request);
	t.is(repeated.statusCode, 201);
	t.is(repeated.headers['idempotency-replayed'], 'true');
	t.deepEqual(
		(await entries()).map(({ action }) => action),
		['POST /api/v1/slow'],
	);
});

test('reading, data, and what failed for another reason are no entries', async (t) => {
	const { call, entries } = await box(t);
	await call('GET', '/plain');
	await call('POST', '/values');
	t.is((await call('POST', '/fails')).status, 409);
	t.is((await call('GET', '/nowhere')).status, 404);
	t.deepEqual(await entries(), []);
});

test('refusals of any method are entries with their reason', async (t) => {
	const { call, entries } = await box(t);
	t.is((await call('PATCH', '/things/1', 'viewer')).status, 403);
	t.is((await call('GET', '/plain', null)).status, 401);
	t.is((await call('GET', '/plain', 'gone')).status, 401);
	const [forbidden, nobody, expired] = await entries();
	t.like(forbidden, {
		action: 'updateThing',
		outcome: 'refused',
		actor: { email: 'viewer@example.com' },
		target: '/api/v1/things/1',
	});
	t.regex(forbidden?.reason ?? '', /^PERMISSION_DENIED: .*devices:write/);
	t.like(nobody, { actor: null, action: 'GET /api/v1/plain' });
	t.regex(nobody?.reason ?? '', /^NOT_AUTHENTICATED/);
	t.regex(expired?.reason ?? '', /^TOKEN_EXPIRED/);
});

test('a login names the account that the email belongs to, done or refused, and never the password or an unknown address', async (t) => {
	const { call, entries, files } = await box(t);
	await call('POST', '/auth/login', null, { email: ADA.email, password: 'right' });
	await call('POST', '/auth/login', null, { email: ADA.email, password: 'wrong-secret' });
	await call('POST', '/auth/login', null, { email: 'unknown@example.com', password: 'wrong-secret' });
	const [done, refused, unknown] = await entries();
	t.like(done, { outcome: 'done', actor: { email: ADA.email }, tenantId: DEFAULT_TENANT });
	t.like(refused, { outcome: 'refused', actor: { email: ADA.email } });
	t.like(unknown, { outcome: 'refused', actor: null });
	const text = files.content(`/data/audit/${files.names()[0]}`).toString();
	t.false(text.includes('wrong-secret') || text.includes('unknown@example.com'));
});

test('administrators read their tenant, newest first, by page and filter', async (t) => {
	const served = await box(t);
	const { call, audit, clock } = served;
	for (let index = 0; index < 6; index += 1) {
		await audit.record(eventOf(index % 2 === 0 ? 'even' : 'odd', { target: `t${index}` }));
		served.advance(1_000);
	}
	await audit.record(eventOf('theirs', { tenantId: OTHER_TENANT }));
	await audit.record(eventOf('box', { tenantId: null, actor: null }));
	const at = (ms: number): string => new Date(clock.now() + ms).toISOString();
	const cases: readonly (readonly [string, Role | 'stranger', readonly string[]])[] = [
		['', 'superadmin', ['box', 'theirs', 'odd', 'even', 'odd', 'even', 'odd', 'even']],
		['', 'admin', ['box', 'odd', 'even', 'odd', 'even', 'odd', 'even']],
		['', 'stranger', ['theirs']],
		['?action=odd', 'admin', ['odd', 'odd', 'odd']],
		['?target=t3', 'admin', ['odd']],
		['?actor=ADA@example.com&action=even', 'admin', ['even', 'even', 'even']],
		[`?tenant_id=${OTHER_TENANT}`, 'superadmin', ['theirs']],
		[`?tenant_id=${OTHER_TENANT}`, 'admin', []],
		[`?from=${at(-3_000)}&to=${at(-1_000)}`, 'admin', ['odd', 'even'].toReversed()],
		['?outcome=refused', 'admin', []],
	];
	for (const [query, role, actions] of cases) {
		const { status, body } = await call('GET', `/audit${query}${query === '' ? '?' : '&'}limit=50`, role);
		t.is(status, 200);
		const list: readonly { readonly action: string }[] = Joi.attempt(body, Joi.array().items(auditEntryAnswer));
		t.deepEqual(
			list.map(({ action }) => action),
			actions,
			`${role} ${query}`,
		);
	}
	const first = await call('GET', '/audit?limit=2&action=even');
	const next = String(first.headers['x-next-cursor']);
	t.regex(String(first.headers['link']), /limit=2&.*action=even|action=even.*limit=2/);
	const second = await call('GET', `/audit?limit=2&action=even&cursor=${next}`);
	t.is(second.headers['x-next-cursor'], undefined);
	t.true(Array.isArray(second.body) && second.body.length === 1);
});

test('the chain is verified and the log exported by request', async (t) => {
	const { call, audit, files } = await box(t);
	for (let index = 0; index < 5; index += 1) await audit.record(eventOf(`n${index}`));
	const fine = await call('GET', '/audit/verify');
	Joi.assert(fine.body, auditVerifyAnswer);
	t.like(fine.body, { intact: true, lines: 5, breaks: [] });
	const exported = await call('GET', '/audit/export?action=n3');
	t.regex(String(exported.headers['content-type']), /^application\/x-ndjson/);
	const lines = exported.text.trim().split('\n');
	t.is(lines.length, 1);
	Joi.assert(JSON.parse(lines[0] ?? ''), auditEntryAnswer);
	const path = `/data/audit/${files.names()[0]}`;
	await files.writeText(path, files.content(path).toString().replace('"n2"', '"m2"'));
	t.like((await call('GET', '/audit/verify')).body, { intact: false, breaks: [{ seq: 4 }] });
});

test('what the audit routes refuse', async (t) => {
	const { call } = await box(t);
	const cases: readonly (readonly [string, Role | null, number])[] = [
		['/audit', null, 401],
		['/audit', 'viewer', 403],
		['/audit/verify', 'viewer', 403],
		['/audit/export', 'viewer', 403],
		['/audit?cursor=nonsense', 'admin', 422],
		['/audit?limit=0', 'admin', 422],
		['/audit?from=yesterday', 'admin', 422],
		['/audit/export?outcome=maybe', 'admin', 422],
	];
	for (const [path, role, status] of cases) t.is((await call('GET', path, role)).status, status, path);
});

test('what reaches another host is written down whatever comes of it, but not what was refused before', async (t) => {
	const { call, entries } = await box(t);
	t.is((await call('POST', '/knocks/unknown')).status, 422);
	t.is((await call('POST', '/knocks/silent')).status, 504);
	t.is((await call('POST', '/knocks/meter')).status, 200);
	await call('GET', '/audit');
	const action = 'POST /api/v1/knocks/{host}';
	const written = (await entries()).toSorted((a, b) => (a.outcome < b.outcome ? -1 : 1));
	t.is(written.length, 2);
	t.like(written[0], { action, outcome: 'done', target: 'host meter', reason: null, after: { port: 502 } });
	t.like(written[1], {
		action,
		outcome: 'refused',
		target: 'host silent',
		reason: 'UPSTREAM_ERROR: it does not answer',
		after: { port: 502 },
	});
});
