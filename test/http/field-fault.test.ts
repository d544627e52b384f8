import type { Plugin } from '@hapi/hapi';
import test from 'ava';

import { publicAccess } from '../../core/http/access.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import { duplicate, type Fault, fieldFault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';

const faults: Readonly<Record<string, Fault>> = {
	rule: fieldFault('rule-violation', 'connection.template', 'there is no device template x'),
	taken: duplicate('device_uid', 'meter-1'),
};

const refusing: Plugin<void> = {
	name: 'refusing',
	multiple: true,
	register(server) {
		for (const [name, fault] of Object.entries(faults))
			server.route({
				method: 'GET',
				path: `/${name}`,
				options: {
					...publicAccess,
					handler: () => {
						throw fault;
					},
				},
			});
	},
};

async function refusal(t: { teardown(end: () => Promise<void>): void }, path: string): Promise<unknown> {
	const server = await createHttpServer({
		log: silentLog,
		tokens: { verify: () => actorOfRole('viewer') },
		web: null,
		parts: [part(refusing, undefined, '/api/v1'), part(refusing, undefined, '/api')],
	});
	t.teardown(() => server.stop());
	return JSON.parse((await server.inject(path)).payload);
}

test('a rule that one field breaks names the field where the schema would', async (t) => {
	t.like(await refusal(t, '/api/v1/rule'), {
		detail: 'connection.template: there is no device template x',
		error_code: 'BUSINESS_RULE_VIOLATION',
		errors: [{ loc: ['body', 'connection', 'template'], msg: 'there is no device template x', type: 'rule-violation' }],
	});
	t.like(await refusal(t, '/api/v1/taken'), {
		error_code: 'DUPLICATE_ENTRY',
		errors: [{ loc: ['body', 'device_uid'], msg: 'device_uid meter-1 already exists', type: 'duplicate' }],
	});
});

test('the other family keeps the sentence', async (t) => {
	t.like(await refusal(t, '/api/rule'), { detail: 'connection.template: there is no device template x' });
});
