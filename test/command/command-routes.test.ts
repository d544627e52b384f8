import Joi from 'joi';
import test, { type ExecutionContext } from 'ava';

import type { AuditNote } from '../../core/audit/audit-note.ts';
import { commandAnswer } from '../../core/command/command-schema.ts';
import { commandRoutes } from '../../core/command/command-routes.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { bareServer, bearer, userIdOf } from '../fake/bare-server.ts';
import { commandBox } from '../fake/command-box.ts';
import { deviceBox } from '../fake/device-box.ts';
import { member } from '../system/kit/rest.ts';

async function opened(t: ExecutionContext, rules: Parameters<typeof commandBox>[0] = {}) {
	const deviceStore = await deviceBox();
	const queue = await commandBox(rules);
	const { devices } = deviceStore;
	const { commands, timer } = queue;
	const audited: AuditNote[] = [];
	const server = await bareServer(commandRoutes, { commands, devices, clock: timer.clock });
	server.ext('onPreResponse', ({ app }, h) => {
		if (app.audit !== undefined) audited.push(app.audit);
		return h.continue;
	});
	t.teardown(async () => {
		await server.stop();
		await queue.close();
		await deviceStore.close();
	});
	await devices.register({ uid: deviceUid('pump'), name: 'Pump', deviceType: 'pump' });
	await devices.register({ uid: deviceUid('own'), name: 'Own', deviceType: 'pump', ownerId: userIdOf('user') });
	const call = async (
		method: string,
		url: string,
		payload?: object,
		role: Parameters<typeof bearer>[0] = 'manager',
	) => {
		const response = await server.inject({ method, url, headers: bearer(role), ...(payload && { payload }) });
		const body: unknown = response.payload === '' ? null : JSON.parse(response.payload);
		return { status: response.statusCode, body, headers: response.headers };
	};
	return { ...queue, devices, call, audited };
}

const RESTART = { command_name: 'restart', payload: { delay: 5 } };
const NOBODYS = '01900000-0000-7000-8000-000000000001';

const names = (body: unknown) => (Array.isArray(body) ? body.map((one) => member(one, 'command_name')) : body);

const idOf = (body: unknown): string => String(member(body, 'id'));

test('a command is queued with an hour to live and shown as reference 002 has it', async (t) => {
	const { call, audited } = await opened(t);
	const { status, body } = await call('POST', '/devices/pump/commands', RESTART);
	t.is(status, 201);
	t.like(body, {
		...RESTART,
		status: 'pending',
		executed_at: null,
		created_at: '2026-01-01T00:00:00.000Z',
		expires_at: '2026-01-01T01:00:00.000Z',
		error: null,
	});
	t.is(commandAnswer.validate(body).error, undefined);
	t.like(audited[0], { target: idOf(body), before: null });
	t.like(audited[0]?.after, { ...RESTART, status: 'pending' });
});

test('the list goes from the newest on, by cursor', async (t) => {
	const { call } = await opened(t);
	for (const name of ['a', 'b', 'c']) await call('POST', '/devices/pump/commands', { command_name: name });
	const first = await call('GET', '/devices/pump/commands?limit=2', undefined, 'viewer');
	t.deepEqual(names(first.body), ['c', 'b']);
	t.is(first.headers['x-limit'], '2');
	const cursor = String(first.headers['x-next-cursor']);
	t.regex(String(first.headers['link']), new RegExp(cursor));
	const second = await call('GET', `/devices/pump/commands?limit=2&cursor=${cursor}`, undefined, 'viewer');
	t.deepEqual(names(second.body), ['a']);
	t.is(second.headers['x-next-cursor'], undefined);
	t.is(Joi.array().items(commandAnswer).validate(first.body).error, undefined);
});

test('executed takes the time that is given, else that of the receipt', async (t) => {
	const { call, timer, audited } = await opened(t);
	const one = idOf((await call('POST', '/devices/pump/commands', RESTART)).body);
	const other = idOf((await call('POST', '/devices/pump/commands', RESTART)).body);
	timer.clock.advance(60_000);
	const given = await call('PATCH', `/devices/pump/commands/${one}`, {
		status: 'executed',
		executed_at: '2025-08-22T14:40:00+02:00',
	});
	t.is(given.status, 200);
	t.like(given.body, { status: 'executed', executed_at: '2025-08-22T12:40:00.000Z' });
	const received = await call('PATCH', `/devices/pump/commands/${other.toUpperCase()}`, { status: 'executed' });
	t.is(member(received.body, 'executed_at'), '2026-01-01T00:01:00.000Z');
	t.like(audited.at(-1)?.before, { status: 'pending' });
	t.like(audited.at(-1)?.after, { status: 'executed' });
});

test('an expired command is shown as failed, with the reason', async (t) => {
	const { call, commands, timer } = await opened(t);
	await call('POST', '/devices/pump/commands', { command_name: 'restart', ttl_seconds: 1 });
	timer.advance(1_000);
	await commands.advance('none', {});
	const { body } = await call('GET', '/devices/pump/commands');
	const [view] = Array.isArray(body) ? body : [];
	t.is(member(view, 'status'), 'failed');
	t.regex(String(member(view, 'error')), /^expired: the device could not be reached/);
});

const bodies: readonly (readonly [what: string, body: object])[] = [
	['without a name', { payload: {} }],
	['with an empty name', { command_name: '' }],
	['with a long name', { command_name: 'n'.repeat(101) }],
	['with a list as payload', { command_name: 'a', payload: [1] }],
	[
		'with a payload that is too deep',
		{ command_name: 'a', payload: { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } } },
	],
	['with a payload that is too long', { command_name: 'a', payload: { text: 'x'.repeat(5_000) } }],
	['with no time to live', { command_name: 'a', ttl_seconds: 0 }],
	['with more than a day to live', { command_name: 'a', ttl_seconds: 86_401 }],
];
for (const [what, body] of bodies)
	test(`a command ${what} is a violation of the schema`, async (t) => {
		const { call } = await opened(t);
		const answer = await call('POST', '/devices/pump/commands', body);
		t.is(answer.status, 422);
		t.is(member(answer.body, 'error_code'), 'VALIDATION_ERROR');
	});

test('refusals of the routes have the documented statuses', async (t) => {
	const { call } = await opened(t);
	const id = idOf((await call('POST', '/devices/pump/commands', RESTART)).body);
	const base = '/devices/pump/commands';
	const done = { status: 'executed' };
	const cases: readonly (readonly [string, string, object | undefined, Parameters<typeof bearer>[0], number])[] = [
		['POST', '/devices/none/commands', RESTART, 'manager', 404],
		['GET', '/devices/none/commands', undefined, 'viewer', 404],
		['GET', base, undefined, 'user', 404],
		['POST', base, RESTART, 'user', 404],
		['POST', base, RESTART, 'editor', 403],
		['PATCH', `${base}/${id}`, done, 'viewer', 403],
		['PATCH', `${base}/${NOBODYS}`, done, 'manager', 404],
		['PATCH', `/devices/own/commands/${id}`, done, 'manager', 404],
		['PATCH', `${base}/${id}`, {}, 'manager', 422],
		['PATCH', `${base}/${id}`, { status: 'expired' }, 'manager', 422],
		['PATCH', `${base}/${id}`, { ...done, executed_at: 'yesterday' }, 'manager', 422],
		['PATCH', `${base}/${id}`, { ...done, executed_at: '2036-01-01' }, 'manager', 422],
		['GET', `${base}?cursor=abcd123`, undefined, 'manager', 422],
		['GET', `${base}?limit=201`, undefined, 'manager', 422],
		['PATCH', `${base}/${id}`, { status: 'sent' }, 'manager', 200],
		['PATCH', `${base}/${id}`, { status: 'pending' }, 'manager', 409],
		['PATCH', `${base}/${id}`, { status: 'failed' }, 'manager', 200],
		['PATCH', `${base}/${id}`, done, 'manager', 409],
	];
	for (const [method, path, body, role, status] of cases)
		t.is((await call(method, path, body, role)).status, status, `${method} ${path} ${JSON.stringify(body)} as ${role}`);
});

test('the owner of a device commands it without any permission', async (t) => {
	const { call } = await opened(t);
	const made = await call('POST', '/devices/own/commands', RESTART, 'user');
	t.is(made.status, 201);
	t.is((await call('PATCH', `/devices/own/commands/${idOf(made.body)}`, { status: 'failed' }, 'user')).status, 200);
});

test('a full queue and a command that the device does not take are rules that are broken', async (t) => {
	const { call } = await opened(t, {
		limits: { openPerDevice: 1, open: 10, all: 10 },
		assertFits: (_device, { name }) => {
			if (name === 'fly') throw new Fault('rule-violation', 'pumps do not fly');
		},
	});
	t.is((await call('POST', '/devices/pump/commands', { command_name: 'fly' })).status, 422);
	t.is((await call('POST', '/devices/pump/commands', RESTART)).status, 201);
	t.is((await call('POST', '/devices/pump/commands', RESTART)).status, 422);
});
