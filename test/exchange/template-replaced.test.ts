import test from 'ava';

import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import { type Box, startBox } from '../contract/kit/box.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { createFakeSlave, registerOf } from '../fake/modbus-slave.ts';
import { member } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const SOON_MS = 30_000;
const CHANGED_UNIT = 1;
const OTHER_UNIT = 2;

async function ask({ server }: Box, method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) {
	const auth = { strategy: TOKEN_STRATEGY, credentials: { user: { actor: actorOfRole('superadmin') } } };
	const answer = await server.inject({ method, url: `/api/v1${url}`, auth, ...(payload && { payload }) });
	const body: unknown = JSON.parse(answer.payload);
	return { status: answer.statusCode, body };
}

/** A template of one register. */
const templateOf = (key: string, address: number) => ({
	manufacturer: 'Acme',
	model: 'Meter',
	category: 'energy meter',
	transports: ['tcp'],
	points: [{ key, name: key, function: 3, address, count: 1, type: 'uint16', byte_order: 'AB' }],
});

const valueOf = async (box: Box, device: string, point: string): Promise<unknown> =>
	member(member(member((await ask(box, 'GET', `/devices/${device}/latest`)).body, 'values'), point), 'value');

test('a device whose template is replaced on the box is polled by the new one at once, and no more by the old one', async (t) => {
	const slave = await createFakeSlave();
	t.teardown(() => slave.stop());
	const box = await startBox('gateway', {});
	t.teardown(() => box.stop());
	for (const [unitId, name] of [
		[CHANGED_UNIT, 'changed'],
		[OTHER_UNIT, 'other'],
	] as const) {
		t.is((await ask(box, 'PUT', `/templates/${name}`, templateOf('before', 10))).status, 200);
		const connection = {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port: slave.port },
			unit_id: unitId,
			template: name,
			period_ms: 50,
			timeout_ms: 10_000,
			tuning: { timeout_mode: 'fixed' },
		};
		const device = { device_uid: name, name, device_type: 'meter', owner_id: null, connection };
		t.is((await ask(box, 'POST', '/devices', device)).status, 201);
	}
	for (const [unitId, name] of [
		[CHANGED_UNIT, 'changed'],
		[OTHER_UNIT, 'other'],
	] as const)
		await waitFor(
			`${name} is polled`,
			SOON_MS,
			async () => (await valueOf(box, name, 'before')) === registerOf(unitId, 10),
		);

	t.is((await ask(box, 'PUT', '/templates/changed', templateOf('after', 40))).status, 200);
	await waitFor(
		'a value by the new template',
		SOON_MS,
		async () => (await valueOf(box, 'changed', 'after')) === registerOf(CHANGED_UNIT, 40),
	);
	const first = slave.requests.findIndex(({ unitId, address }) => unitId === CHANGED_UNIT && address === 40);
	const later = () => slave.requests.slice(first);
	const askedOf = (unit: number): readonly number[] =>
		later().flatMap(({ unitId, address }) => (unitId === unit ? [address] : []));
	await waitFor('more rounds of both', SOON_MS, () =>
		[CHANGED_UNIT, OTHER_UNIT].every((unit) => askedOf(unit).length >= 5),
	);
	t.deepEqual([...new Set(askedOf(CHANGED_UNIT))], [40]);
	t.deepEqual([...new Set(askedOf(OTHER_UNIT))], [10], 'the device of another template is polled on');
	t.is(slave.connections, 1, 'over the same connection');
	t.deepEqual(box.errors(), []);
});
