import { server as createHapi } from '@hapi/hapi';
import test from 'ava';
import Joi from 'joi';

import { schemaViolation, validationOptions } from '../../core/http/fault-responses.ts';
import { preparedValidation } from '../../core/http/prepared-validation.ts';

async function serverWith(isPrepared: boolean) {
	const server = createHapi({ routes: { validate: { options: validationOptions, failAction: schemaViolation } } });
	if (isPrepared) await server.register(preparedValidation);
	server.route({
		method: 'POST',
		path: '/{id}',
		options: {
			validate: {
				params: Joi.object({ id: Joi.number().integer() }),
				query: Joi.object({ n: Joi.number().default(7), at: Joi.string().pattern(/^x/) }),
				payload: Joi.object({ a: Joi.string().required(), b: Joi.boolean() }).options({ stripUnknown: true }),
			},
			handler: ({ params, query, payload }) => ({ params, query, payload }),
		},
	});
	server.ext('onPreResponse', ({ response }, h) => {
		if (!(response instanceof Error)) return h.continue;
		const errors: unknown = Reflect.get(response, 'errors');
		return h.response({ errors, message: response.message }).code(422);
	});
	return server;
}

test('a prepared validation accepts, converts and refuses what the plain one does, in the same words', async (t) => {
	const [plain, prepared] = await Promise.all([serverWith(false), serverWith(true)]);
	const statuses: number[] = [];
	for (const [url, payload] of [
		['/3', { a: 'x', c: 1 }],
		['/3?n=4&at=xy', { a: 'x', b: true }],
		['/z', { a: 'x' }],
		['/3?n=u&at=y&m=1', { a: 'x' }],
		['/3', { a: 7, b: 'perhaps' }],
		['/3', {}],
	] as const) {
		const one = { method: 'POST', url, payload };
		const [expected, answer] = await Promise.all([plain.inject(one), prepared.inject(one)]);
		t.is(answer.payload, expected.payload, url);
		t.is(answer.statusCode, expected.statusCode, url);
		statuses.push(answer.statusCode);
	}
	t.deepEqual(statuses, [200, 200, 422, 422, 422, 422]);
});

test('a prepared schema still tells what it is', async (t) => {
	const server = await serverWith(true);
	const schema: unknown = server.table()[0]?.settings.validate?.payload;
	t.true(Joi.isSchema(schema));
	if (!Joi.isSchema(schema)) return;
	t.like(schema.describe(), { type: 'object', keys: { a: { type: 'string' }, b: { type: 'boolean' } } });
});
