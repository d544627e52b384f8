import test from 'ava';

import { startPair, type Pair } from '../link/pair.ts';
import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const WITHIN_MS = 20_000;

interface Scene {
	readonly pair: Pair;
	readonly hub: Rest;
	readonly gateway: Rest;
	/** Path of the gateway's configuration at the hub. */
	readonly path: string;
	readonly until: (standing: string) => Promise<boolean>;
}

const answered = (what: string, { status, body }: { readonly status: number; readonly body: unknown }): unknown => {
	if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
	return body;
};

const DEVICE = { device_uid: 'sensor', name: 'Sensor', device_type: 'meter', connection: { driver: 'mqtt' } };

async function enrolled(t: Parameters<typeof startPair>[0]): Promise<Scene> {
	const pair = await startPair(t);
	const hub = await pair.hubRest();
	const gateway = await pair.gatewayRest();
	answered('device', await gateway.post('/api/v1/devices', DEVICE));
	answered('enrol', await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() }));
	const id = String(member((await gateway.get('/api/v1/uplink')).body, 'gateway_id'));
	const path = `/api/v1/gateways/${id}/configuration`;
	const until = (standing: string) =>
		waitFor(
			`the configuration is ${standing}`,
			WITHIN_MS,
			async () => member((await hub.get(path)).body, 'standing') === standing,
		);
	await until('unmanaged');
	return { pair, hub, gateway, path, until };
}

const nameAt = async (gateway: Rest): Promise<unknown> =>
	member((await gateway.get('/api/v1/devices/sensor')).body, 'name');

test('a revision goes from the hub to the gateway, is kept, drifts, and is taken back', async (t) => {
	const { pair, hub, gateway, path, until } = await enrolled(t);
	t.like((await hub.post(`${path}/drift/adopt`, { comment: 'as found' })).body, {
		revision: 1,
		origin: 'gateway',
		devices: 1,
	});
	await until('running');

	const patch = [{ op: 'replace', path: '/devices/sensor/name', value: 'Cellar sensor' }];
	t.like((await hub.post(`${path}/preview`, { patch })).body, { mistakes: [], conflicts: [], patch });
	t.is(await nameAt(gateway), 'Sensor', 'a preview changes nothing');
	const made = await hub.post(`${path}/revisions`, { patch, comment: 'a better name' });
	t.is(made.status, 201);
	t.like(made.body, { revision: 2, author: 'installer@example.com', comment: 'a better name' });
	t.is((await hub.post(`${path}/revisions`, { patch })).status, 200, 'it is there already');
	t.is((await hub.post(`${path}/revisions/2/apply`, {})).status, 202);
	await until('running');
	t.is(await nameAt(gateway), 'Cellar sensor');
	t.like((await gateway.get('/api/v1/configuration')).body, {
		revision: 2,
		drift: [],
		previous_revision: 1,
		trial: null,
	});

	// The same revision over many sessions is no news.
	await pair.restartHub();
	const hubAgain = await pair.hubRest();
	await waitFor('the link is back', WITHIN_MS, async () => member((await hubAgain.get(path)).body, 'online') === true);
	t.is(member((await hubAgain.get(path)).body, 'standing'), 'running');

	answered('patch', await gateway.patch('/api/v1/devices/sensor', { name: 'By the installer' }));
	await waitFor(
		'the drift is known',
		WITHIN_MS,
		async () => member((await hubAgain.get(path)).body, 'standing') === 'drift',
	);
	const drift = [{ op: 'replace', path: '/devices/sensor/name', value: 'By the installer' }];
	t.deepEqual((await hubAgain.get(`${path}/drift`)).body, { base_revision: 2, patch: drift });
	t.deepEqual(member((await gateway.get('/api/v1/configuration')).body, 'drift'), drift);
	t.deepEqual((await hubAgain.get(`${path}/diff?from=1&to=2`)).body, { patch });

	t.is((await hubAgain.post(`${path}/rollback`, {})).status, 202);
	await waitFor(
		'it is taken back',
		WITHIN_MS,
		async () => member((await hubAgain.get(path)).body, 'standing') === 'rolled-back',
	);
	// What the installer has said since is not lost by it.
	t.is(await nameAt(gateway), 'By the installer');
	t.like((await gateway.get('/api/v1/configuration')).body, { revision: 1, drift });
	t.like((await hubAgain.get(`${path}/revisions/2`)).body, {
		outcomes: [
			{ outcome: 'rolled-back', reason: 'rolled back at the hub by installer@example.com' },
			{ outcome: 'applied', reason: null },
		],
	});
});

test('a gateway can be asked what a document would change, and takes its way back by itself', async (t) => {
	const { hub, gateway, path, until } = await enrolled(t);
	t.is((await gateway.post('/api/v1/configuration/rollback', {})).status, 409, 'it has replaced nothing');
	t.is((await hub.post(`${path}/rollback`, {})).status, 409);
	answered('adopt', await hub.post(`${path}/drift/adopt`, {}));
	await until('running');
	const document = member((await gateway.get('/api/v1/configuration')).body, 'document');
	if (typeof document !== 'object') throw new Error('the gateway answers no document');
	const history = member(document, 'history') ?? {};
	const wrong = { ...document, history: { ...history, retention_days: 0 } };
	t.like((await gateway.post('/api/v1/configuration/preview', { document: wrong })).body, {
		mistakes: [{ path: '/history/retention_days' }],
		patch: [],
	});
	const other = { ...document, history: { ...history, retention_days: 30 } };
	t.like((await gateway.post('/api/v1/configuration/preview', { document: other })).body, {
		mistakes: [],
		patch: [{ op: 'replace', path: '/history/retention_days', value: 30 }],
	});
	answered('revision', await hub.post(`${path}/revisions`, { document: other }));
	answered('apply', await hub.post(`${path}/revisions/2/apply`, { trial_seconds: 60 }));
	await until('running');
	t.like((await gateway.post('/api/v1/configuration/rollback', {})).body, { revision: 1 });
	await until('rolled-back');
});

test('revisions are refused with a reason: unknown, changed meanwhile, wrong', async (t) => {
	const { hub, path } = await enrolled(t);
	t.is((await hub.get(`${path}/revisions/1`)).status, 404);
	t.is((await hub.post(`${path}/revisions/1/apply`, {})).status, 404);
	const document = { format: 1 };
	const answer = await hub.post(`${path}/revisions`, { document });
	t.is(answer.status, 422);
	t.regex(String(member(answer.body, 'detail')), /\/site is required|\/site "site" is required|\/site/);
	t.is((await hub.post(`${path}/revisions`, { document, patch: [] })).status, 422);
	const stranger = path.replace(/[0-9a-f-]{36}/, '00000000-0000-4000-8000-000000000000');
	t.is((await hub.get(stranger)).status, 404);
});
