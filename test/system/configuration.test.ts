import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { meterSettings } from '../../demo/demo-settings.ts';
import { type Enrolled, startEnrolled, untilOnline } from './kit/enrolled.ts';
import { createRandom } from './kit/random.ts';
import { login, member, type Rest } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { uplinkOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const KILLS = 4;
/** Longest time between an order and the kill; an order is carried out within about half of it. */
const MOST_ALIVE_MS = 1_500;
const SETTLED_WITHIN_MS = 60_000;
/** Devices that a revision adds: each is a write of its own, between any two of which the process may end. */
const MANY = 150;

interface Managed extends Enrolled {
	readonly path: string;
	readonly document: object;
}

function assertDone(what: string, { status, body }: { readonly status: number; readonly body: unknown }): unknown {
	if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
	return body;
}

/** Devices of a document. */
const sizeOf = (document: unknown): number => Object.keys(member(document, 'devices') ?? {}).length;

const standing = async (hub: Rest, path: string): Promise<unknown> => member((await hub.get(path)).body, 'standing');

/** A gateway whose configuration is revision 1 of its hub. */
async function managed(t: ExecutionContext): Promise<Managed> {
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--tcp', '0:1,2');
	const enrolled = await startEnrolled(stage, meterSettings(simulator.lines));
	const { hubRest, gatewayRest } = enrolled;
	const path = `/api/v1/gateways/${String(await uplinkOf(gatewayRest, 'gateway_id'))}/configuration`;
	await waitFor('the hub knows', SETTLED_WITHIN_MS, async () => (await standing(hubRest, path)) === 'unmanaged');
	assertDone('adopt', await hubRest.post(`${path}/drift/adopt`, {}));
	await waitFor('revision 1 runs', SETTLED_WITHIN_MS, async () => (await standing(hubRest, path)) === 'running');
	const { body } = await hubRest.get(`${path}/revisions/1`);
	const document = member(body, 'document');
	if (typeof document !== 'object' || document === null) throw new Error('revision 1 has no document');
	return { ...enrolled, path, document };
}

async function revise({ hubRest, path }: Managed, patch: readonly object[]): Promise<number> {
	return Number(
		member(assertDone('revision', await hubRest.post(`${path}/revisions`, { patch, base: 1 })), 'revision'),
	);
}

test.serial('a revision that cuts the link rolls back by itself, and the hub says why', async (t) => {
	t.timeout(300_000);
	const scene = await managed(t);
	const { hubRest, gatewayRest, path } = scene;
	const deadPort = [
		{ op: 'replace', path: '/uplink/link_port', value: 9 },
		{ op: 'replace', path: '/site/name', value: 'Renamed' },
	];
	const revision = await revise(scene, deadPort);
	assertDone('apply', await hubRest.post(`${path}/revisions/${revision}/apply`, { trial_seconds: 8 }));
	await waitFor('the link is cut', SETTLED_WITHIN_MS, async () => (await uplinkOf(gatewayRest, 'state')) !== 'online');
	t.like((await gatewayRest.get('/api/v1/configuration')).body, { revision, trial: { revision } });
	await waitFor('it has rolled back', SETTLED_WITHIN_MS, async () => (await standing(hubRest, path)) === 'rolled-back');
	t.like((await hubRest.get(path)).body, {
		last: { revision, outcome: 'rolled-back', reason: `under revision ${revision} the hub was not reached within 8 s` },
	});
	t.like((await gatewayRest.get('/api/v1/configuration')).body, { revision: 1, drift: [], trial: null });
	await untilOnline(gatewayRest);
});

test.serial(
	'whenever the gateway is killed while it changes, it comes back with the old or the new configuration whole',
	async (t) => {
		t.timeout(400_000);
		const scene = await managed(t);
		const { hubRest, gateway, path, document } = scene;
		const random = createRandom(4_711);
		const spare = { name: 'Spare', device_type: 'spare' };
		const more = await revise(
			scene,
			Array.from({ length: MANY }, (_, index) => ({ op: 'add', path: `/devices/spare-${index}`, value: spare })),
		);
		const sizes = new Map([
			[1, sizeOf(document)],
			[more, sizeOf(document) + MANY],
		]);
		let ends = '';
		for (let kill = 0; kill < KILLS; kill += 1) {
			const wanted = kill % 2 === 0 ? more : 1;
			const aliveMs = random.below(MOST_ALIVE_MS);
			assertDone('apply', await hubRest.post(`${path}/revisions/${wanted}/apply`, { trial_seconds: 60 }));
			await sleep(aliveMs);
			await gateway.kill9();
			await gateway.start();
			await waitFor(`kill ${kill} is over`, SETTLED_WITHIN_MS, async () =>
				['running', 'rolled-back'].includes(String(await standing(hubRest, path))),
			);
			const gatewayRest = await login(gateway.url());
			const { body } = await gatewayRest.get('/api/v1/configuration');
			const revision = Number(member(body, 'revision'));
			t.deepEqual(member(body, 'drift'), [], `kill ${kill} after ${aliveMs} ms`);
			t.is(sizeOf(member(body, 'document')), sizes.get(revision) ?? Number.NaN);
			ends += ` ${revision === wanted ? 'new' : 'old'}`;
			// The next one starts from there.
			if (revision !== wanted) {
				assertDone('apply', await hubRest.post(`${path}/revisions/${wanted}/apply`, {}));
				await waitFor(
					'the revision runs',
					SETTLED_WITHIN_MS,
					async () => (await standing(hubRest, path)) === 'running',
				);
			}
		}
		t.log(`after each kill it ran the configuration that was:${ends}`);
	},
);
