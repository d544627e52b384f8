import type { Plugin } from '@hapi/hapi';
import test from 'ava';

import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import { type Role, ROLES } from '../../core/identity/role.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { bearer, sampleServer, tokens } from './sample-server.ts';

test('each role may do what its level may', async (t) => {
	const server = await sampleServer();
	const statusOf = async (role: Role) =>
		(await server.inject({ method: 'POST', url: '/api/v1/managers', headers: bearer(role) })).statusCode;
	for (const role of ROLES) {
		const isAllowed = role === 'manager' || role === 'admin' || role === 'superadmin';
		t.is(await statusOf(role), isAllowed ? 200 : 403, role);
	}
	t.is((await server.inject({ method: 'GET', url: '/api/v1/any', headers: bearer('viewer') })).statusCode, 200);
});

const badRoutes: readonly { readonly name: string; readonly options: object; readonly message: RegExp }[] = [
	{ name: 'states no access', options: {}, message: /GET \/open does not state who may call it/ },
	{ name: 'states only that it needs no token', options: { auth: false }, message: /does not state/ },
	{ name: 'asks for a role without a token', options: { app: { access: 'admin' } }, message: /asks for no token/ },
	{
		name: 'asks for a role, but takes it without a token too',
		options: { app: { access: 'admin' }, auth: { strategy: TOKEN_STRATEGY, mode: 'try' } },
		message: /asks for no token/,
	},
];

for (const { name, options, message } of badRoutes) {
	test(`the server refuses to start with a route that ${name}`, async (t) => {
		const open: Plugin<void> = {
			name: 'open',
			register: (server) => server.route({ method: 'GET', path: '/open', options, handler: () => 'all' }),
		};
		await t.throwsAsync(createHttpServer({ log: silentLog, tokens, web: null, parts: [part(open, undefined)] }), {
			message,
		});
	});
}

test('a route that is added later without stating its access answers nobody', async (t) => {
	const server = await sampleServer();
	server.route({ method: 'GET', path: '/late', handler: () => 'all' });
	const answer = await server.inject('/late');
	t.is(answer.statusCode, 500);
	t.notRegex(answer.payload, /all|late/);
});

test('the role of an injected caller is checked like that of a token', async (t) => {
	const server = await sampleServer();
	const call = (role: Role) => {
		const credentials = { user: { actor: actorOfRole(role) } };
		return server.inject({ method: 'POST', url: '/api/v1/managers', auth: { strategy: TOKEN_STRATEGY, credentials } });
	};
	t.is((await call('viewer')).statusCode, 403);
	t.is((await call('manager')).statusCode, 200);
});
