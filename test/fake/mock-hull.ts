import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

import type { Server } from '@hapi/hapi';

import { refusal } from './mock-answer.ts';

const TYPES: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.svg': 'image/svg+xml',
};

/** Which gateway an enrolment code is for. */
function gatewayOf(payload: unknown): unknown {
	return typeof payload === 'object' && payload !== null ? (Reflect.get(payload, 'gateway_id') ?? null) : null;
}

export function hubRoutes(server: Server): void {
	const gateway = { id: 'a1000000-0000-4000-8000-000000000001', name: 'Plant North', online: true, devices: 5 };
	let isRevoked = false;
	server.route([
		{
			method: 'DELETE',
			path: '/api/v1/gateways/{id}',
			handler(_, h) {
				isRevoked = true;
				return h.response().code(204);
			},
		},
		{
			method: 'GET',
			path: '/api/v1/gateways',
			handler: () => [
				{
					...gateway,
					version: '0.1.0',
					last_seen_at: new Date().toISOString(),
					certificate_expires_at: new Date(Date.now() + 80 * 86_400_000).toISOString(),
					revoked_at: null,
					received_samples: 18_204_113,
					missing_samples: 0,
					declared_lost_samples: 0,
				},
				{
					...gateway,
					id: 'a2000000-0000-4000-8000-000000000002',
					name: 'Pump house',
					online: false,
					devices: 1,
					last_seen_at: new Date(Date.now() - 5_400_000).toISOString(),
					certificate_expires_at: new Date(Date.now() + 2 * 86_400_000).toISOString(),
					revoked_at: isRevoked ? new Date().toISOString() : null,
					received_samples: 911_402,
					missing_samples: 3_600,
					declared_lost_samples: 120,
				},
			],
		},
		{
			method: 'POST',
			path: '/api/v1/gateways/enrolment-codes',
			handler: (request, h) =>
				h
					.response({
						code: 'ENROL-7QK2-M4XD',
						gateway_id: gatewayOf(request.payload),
						expires_at: new Date(Date.now() + 3_600_000).toISOString(),
					})
					.code(201),
		},
	]);
}

export function healthRoutes(server: Server, hull: 'gateway' | 'hub'): void {
	const reasons = { uplink: 'The hub does not answer since 14:02; values are kept and sent later.' };
	server.route([
		{
			method: 'GET',
			path: '/health',
			handler: () => ({
				status: hull === 'gateway' ? 'degraded' : 'ok',
				documents: 'connected',
				telemetry: 'connected',
				...(hull === 'gateway' ? { uplink: 'disconnected', reasons } : { reasons: {} }),
			}),
		},
		{ method: 'GET', path: '/readiness', handler: () => ({ status: 'ready' }) },
	]);
}

export function webRoute(server: Server, webDir: string): void {
	server.route({
		method: 'GET',
		path: '/{path*}',
		async handler(request, h) {
			const asked: unknown = request.params['path'];
			const name = typeof asked === 'string' && asked !== '' ? normalize(asked) : 'index.html';
			const content = await readFile(join(webDir, name)).catch(() => null);
			if (content === null || name.startsWith('..')) return refusal(h, 404, 'RESOURCE_NOT_FOUND', 'no such file');
			return h
				.response(content)
				.type(TYPES[extname(name)] ?? 'application/octet-stream')
				.header('content-security-policy', "default-src 'self'; style-src 'self'");
		},
	});
}
