import test, { type ExecutionContext } from 'ava';

import { gatewayRoutes } from '../../cloud/fleet/gateway-routes.ts';
import { createLedger } from '../../core/ledger/ledger.ts';
import type { Role } from '../../core/identity/role.ts';
import { tenantId } from '../../core/kernel/id.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { member } from '../system/kit/rest.ts';
import { enrolmentBox, request } from './enrolment-box.ts';

async function routes(t: ExecutionContext) {
	const box = await enrolmentBox(t);
	const server = await bareServer(gatewayRoutes, {
		gateways: box.gateways,
		enrolment: box.service,
		presence: () => ({ online: false, lastSeenAt: null, version: null }),
		ledger: createLedger(),
		deviceCounts: () => new Map(),
		clock: box.clock,
	});
	return { ...box, server };
}

test('whoever guesses enrolment codes is slowed down, per address', async (t) => {
	const { server, clock } = await routes(t);
	const guess = async (remoteAddress: string): Promise<number> => {
		const payload = {
			code_id: 'AAAA',
			gateway_id: '9a000000-0000-4000-8000-000000000001',
			name: '',
			csr: 'a request',
			nonce: 'n'.repeat(16),
			proof: 'p'.repeat(43),
		};
		return (await server.inject({ method: 'POST', url: '/enrolment', payload, remoteAddress })).statusCode;
	};
	for (let attempt = 0; attempt < 60; attempt += 1) t.is(await guess('10.0.0.1'), 401);
	t.is(await guess('10.0.0.1'), 429);
	t.is(await guess('10.0.0.2'), 401);
	clock.advance(1_000);
	t.is(await guess('10.0.0.1'), 401);
});

test('a code is opened for anybody, or for one gateway that may be enrolled already', async (t) => {
	const { server, service } = await routes(t);
	const open = async (payload?: object) => {
		const url = '/gateways/enrolment-codes';
		const { statusCode, result } = await server.inject({
			method: 'POST',
			url,
			headers: bearer('admin'),
			...(payload && { payload }),
		});
		return { status: statusCode, body: result };
	};
	t.is((await open()).status, 201);
	const any = await open({});
	t.is(any.status, 201);
	t.is(member(any.body, 'gateway_id'), null);
	t.true(await service.isOpen(String(member(any.body, 'code'))));
	const id = '9a000000-0000-4000-8000-000000000001';
	t.is(member((await open({ gateway_id: id })).body, 'gateway_id'), id);
	for (const wrong of ['x', 7, `${id}0`]) t.is((await open({ gateway_id: wrong })).status, 422, String(wrong));
	t.is(
		(await server.inject({ method: 'POST', url: '/gateways/enrolment-codes', headers: bearer('manager') })).statusCode,
		403,
	);
});

test('a gateway of another tenant does not exist for an administrator, and does for a superadmin', async (t) => {
	const { server, gateways, service } = await routes(t);
	const other = tenantId('7e000000-0000-4000-8000-000000000002');
	const first = await request((await service.openCode({ tenantId: other, onlyFor: null })).code);
	await service.enrol(first.asked, first.proof);
	const id = first.asked.gatewayId;
	const call = async (role: Role, method: string, url: string, payload?: object) =>
		server.inject({ method, url, headers: bearer(role), ...(payload && { payload }) });

	t.deepEqual((await call('admin', 'GET', '/gateways')).result, []);
	t.is((await call('admin', 'GET', `/gateways/${id}/ledger`)).statusCode, 404);
	t.is((await call('admin', 'DELETE', `/gateways/${id}`)).statusCode, 404);
	t.is((await call('admin', 'POST', '/gateways/enrolment-codes', { gateway_id: id })).statusCode, 404);
	t.is(gateways.find(id)?.revokedAt, null);

	const { result } = await call('superadmin', 'GET', '/gateways');
	t.is(member(Array.isArray(result) ? result[0] : null, 'tenant_id'), other);
	t.is((await call('superadmin', 'DELETE', `/gateways/${id}`)).statusCode, 204);
});
