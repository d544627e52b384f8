import { randomUUID } from 'node:crypto';

import { server as createHapi } from '@hapi/hapi';
import Jwt from '@hapi/jwt';

import { requiredArguments } from './arguments.ts';

/**
 * Program: the least hapi server that answers one device, with no authentication (`bare`) or with the strategy of @hapi/jwt as it comes
 * (`jwt`). What authentication and the rest of the product cost is told as a share of its rate.
 */
const { kind, body, key } = requiredArguments(['kind', 'body', 'key']);
const device: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());

const server = createHapi({ host: '127.0.0.1', port: 0 });
if (kind === 'jwt') {
	await server.register(Jwt.plugin);
	server.auth.strategy('jwt', 'jwt', {
		keys: { key: Buffer.from(key, 'base64url'), algorithms: ['HS256'] },
		verify: { aud: false, iss: 'drawbridge', sub: false, nbf: false, exp: true },
		validate: () => ({ isValid: true, credentials: { user: randomUUID() } }),
	});
	server.auth.default('jwt');
}
server.route({
	method: 'GET',
	path: '/api/v1/devices/{device_id}',
	handler: (_request, h) => h.response(JSON.stringify(device)).type('application/json'),
});
await server.start();
console.log(JSON.stringify({ event: 'ready', http_port: server.info.port }));
process.once('SIGTERM', () => process.exit(0));
