import test from 'ava';

import { startPair } from '../link/pair.ts';
import { untilOnline } from '../system/kit/enrolled.ts';
import { member, type Rest } from '../system/kit/rest.ts';
import { ledgerOf, recordsOf, uplinkOf } from '../system/kit/telemetry.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const WITHIN_MS = 30_000;
const PART_BYTES = 300;

async function store(gateway: Rest, from: number, count: number): Promise<void> {
	for (let n = from; n < from + count; n += 1) {
		const { status } = await gateway.post('/api/v1/devices/meter/telemetry', {
			telemetry_type: 'default',
			payload: { n },
		});
		if (status !== 201) throw new Error(`not stored: ${status}`);
	}
}

const bytesFrom = async (
	rest: Rest,
	path: string,
): Promise<{ readonly status: number; readonly bytes: Uint8Array }> => {
	const response = await fetch(`${rest.url}${path}`, { headers: { authorization: `Bearer ${rest.token}` } });
	return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
};

async function put(rest: Rest, path: string, bytes: Uint8Array): Promise<number> {
	const response = await fetch(`${rest.url}${path}`, {
		method: 'PUT',
		headers: { authorization: `Bearer ${rest.token}`, 'content-type': 'application/octet-stream' },
		body: new Blob([Uint8Array.from(bytes)]),
	});
	await response.arrayBuffer();
	return response.status;
}

/** Uploads part by part, the first of them twice, and waits for the outcome. */
async function carry(hub: Rest, bundle: Uint8Array): Promise<unknown> {
	const begun = await hub.post('/api/v1/gateways/bundles', {});
	const id = String(member(begun.body, 'id'));
	for (const offset of [
		0,
		...Array.from({ length: Math.ceil(bundle.length / PART_BYTES) }, (_, part) => part * PART_BYTES),
	]) {
		const path = `/api/v1/gateways/bundles/${id}/parts/${offset}`;
		if ((await put(hub, path, bundle.subarray(offset, offset + PART_BYTES))) !== 200)
			throw new Error(`part at ${offset}`);
	}
	await hub.post(`/api/v1/gateways/bundles/${id}/import`, {});
	return waitFor('the import has ended', WITHIN_MS, async () => {
		const { body } = await hub.get(`/api/v1/gateways/bundles/${id}`);
		return member(body, 'state') !== 'importing' && body;
	});
}

test.serial(
	'what a gateway without a network has gathered is carried to its hub, once, and may then be let go',
	async (t) => {
		t.timeout(300_000);
		const gatewaySettings: Record<string, string> = {};
		const pair = await startPair(t, { gateway: gatewaySettings });
		const hub = await pair.hubRest();
		let gateway = await pair.gatewayRest();
		t.is((await bytesFrom(gateway, '/api/v1/uplink/bundle')).status, 409, 'there is no hub yet');
		t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() })).status, 200);
		await untilOnline(gateway);
		await gateway.post('/api/v1/devices', {
			device_uid: 'meter',
			name: 'Meter',
			device_type: 'sensor',
			connection: { driver: 'mqtt' },
		});
		const rule = { metric: 'n', condition: 'gt', threshold: 20, duration_seconds: 0, severity: 'critical' };
		const made = await gateway.post('/api/v1/monitoring/alert-rules', { name: 'much', ...rule });
		t.is(made.status, 201, JSON.stringify(made.body));
		await store(gateway, 0, 3);
		await waitFor('the hub has the first', WITHIN_MS, async () => (await uplinkOf(gateway, 'backlog_samples')) === 0);

		// Nobody listens at port 1: from here on there is no network.
		gatewaySettings['DRAWBRIDGE_UPLINK_LINK_PORT'] = '1';
		await pair.restartGateway();
		gateway = await pair.gatewayRest();
		await store(gateway, 3, 20);
		const { status, bytes } = await bytesFrom(gateway, '/api/v1/uplink/bundle');
		t.is(status, 200);

		const changed = Uint8Array.from(bytes);
		changed[changed.length - 200] = (changed[changed.length - 200] ?? 0) ^ 1;
		t.like(await carry(hub, changed), { state: 'refused' });
		t.is((await recordsOf(hub, 'meter')).length, 3, 'nothing of it was stored');

		const first = await carry(hub, bytes);
		t.like(first, { state: 'imported' });
		t.like(member(first, 'result'), { duplicate_samples: 0, is_complete: true });
		t.like(member(await carry(hub, bytes), 'result'), { stored_samples: 0 }, 'a second time changes nothing');
		t.deepEqual(
			(await recordsOf(hub, 'meter'))
				.map(({ payload }) => payload['n'])
				.toSorted((one, other) => Number(one) - Number(other)),
			Array.from({ length: 23 }, (_, n) => n),
		);

		const alerts = await hub.get('/api/v1/monitoring/alerts');
		t.is(Array.isArray(alerts.body) ? alerts.body.length : 0, 1, 'the alert was carried too, once');

		const receipt = member(member(first, 'result'), 'receipt');
		const taken = await gateway.post('/api/v1/uplink/receipts', { receipt });
		t.is(taken.status, 200);
		t.is(await uplinkOf(gateway, 'backlog_samples'), 0, 'what the hub holds is owed no more');
		t.is((await gateway.post('/api/v1/uplink/receipts', { receipt })).status, 200, 'again it says the same');
		t.is((await gateway.post('/api/v1/uplink/receipts', { receipt: 'a.b' })).status, 422);

		// The network is back: the ledgers agree, and nothing comes twice.
		delete gatewaySettings['DRAWBRIDGE_UPLINK_LINK_PORT'];
		await pair.restartGateway();
		gateway = await pair.gatewayRest();
		await untilOnline(gateway);
		const replayed = await gateway.post('/api/v1/uplink/receipts', { receipt });
		t.is(replayed.status, 409, 'the hub may have lost since what it had then');
		await store(gateway, 23, 1);
		await waitFor('the hub has the last', WITHIN_MS, async () => (await recordsOf(hub, 'meter')).length === 24);
		t.is((await ledgerOf(hub, gateway)).missing_samples, 0);
	},
);

test.serial('a bundle for another hub is refused with the reason', async (t) => {
	t.timeout(300_000);
	const home = await startPair(t);
	const away = await startPair(t);
	const gateway = await home.gatewayRest();
	await gateway.post('/api/v1/uplink/enrol', { hub_url: home.hubUrl(), code: home.code() });
	await untilOnline(gateway);
	const bundle = await waitFor('the key was told', WITHIN_MS, async () => {
		const { status, bytes } = await bytesFrom(gateway, '/api/v1/uplink/bundle');
		return status === 200 && bytes;
	});
	const outcome = await carry(await away.hubRest(), bundle);
	t.is(member(outcome, 'state'), 'refused');
	t.regex(String(member(outcome, 'reason')), /sealed for another hub/);
	t.like(await carry(await away.hubRest(), Uint8Array.of(1, 2, 3)), {
		state: 'refused',
		reason: 'bundle: it ends too early',
	});
	const missing = await (await away.hubRest()).get('/api/v1/gateways/bundles/00000000-0000-4000-8000-000000000000');
	t.is(missing.status, 404);
});
