import { cpSync, rmSync } from 'node:fs';

import test from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { startPair } from './pair.ts';

const WITHIN_MS = 30_000;

async function store(gateway: Rest, value: number): Promise<void> {
	const answer = await gateway.post('/api/v1/devices/meter/telemetry', {
		telemetry_type: 'default',
		payload: { value },
	});
	if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
}

async function valuesAt(rest: Rest): Promise<readonly unknown[]> {
	const { body } = await rest.get('/api/v1/devices/meter/telemetry?limit=100');
	return Array.isArray(body)
		? body
				.map(({ payload }: { payload: unknown }) => member(payload, 'value'))
				.toSorted((one, other) => Number(one) - Number(other))
		: [];
}

test.serial(
	'a hub that is put back to an older state gets what gateways have let go since, also of boots that are over',
	async (t) => {
		t.timeout(300_000);
		const pair = await startPair(t);
		const gateway = await pair.gatewayRest();
		await gateway.post('/api/v1/devices', {
			device_uid: 'meter',
			name: 'meter',
			device_type: 'sensor',
			connection: { driver: 'mqtt' },
		});
		await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
		async function untilAtHub(values: readonly number[]): Promise<readonly unknown[]> {
			const hub = await pair.hubRest();
			return waitFor(`${values.join(', ')} at the hub`, WITHIN_MS, async () => {
				const there = await valuesAt(hub);
				return values.every((value) => there.includes(value)) && there;
			});
		}
		await store(gateway, 1);
		await untilAtHub([1]);
		const copy = `${pair.folder('hub')}-copy`;
		t.teardown(() => rmSync(copy, { recursive: true, force: true }));
		await pair.restartHub(() => cpSync(pair.folder('hub'), copy, { recursive: true }));
		await store(gateway, 2);
		await untilAtHub([1, 2]);
		await pair.restartGateway();
		const again = await pair.gatewayRest();
		// With everything acknowledged and sealed, the journal has nothing of the boot before.
		await waitFor('the journal lets go', WITHIN_MS, async () => {
			const stored = member((await again.get('/api/v1/uplink')).body, 'stored_samples');
			return stored === 0;
		});
		await pair.restartHub(() => {
			rmSync(pair.folder('hub'), { recursive: true });
			cpSync(copy, pair.folder('hub'), { recursive: true });
		});
		await store(again, 3);
		t.deepEqual(await untilAtHub([1, 2, 3]), [1, 2, 3]);
	},
);
