import test from 'ava';

import { createRest, member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { startPair } from './pair.ts';

const TEXT_BYTES = 900_000;
const SEGMENT_BYTES = 1024 * 1024;
const WITHIN_MS = 30_000;

const JOURNAL = {
	DRAWBRIDGE_JOURNAL_SEGMENT_BYTES: String(SEGMENT_BYTES),
	DRAWBRIDGE_JOURNAL_MAX_BYTES: String(64 * SEGMENT_BYTES),
};

const textOf = (seed: number): string =>
	Array.from({ length: TEXT_BYTES / 18 }, (_, index) => String(Math.sin(seed * 1e6 + index)).slice(-18)).join('');

async function store(gateway: Rest, payload: object): Promise<void> {
	const answer = await gateway.post('/api/v1/devices/talker/telemetry', { telemetry_type: 'default', payload });
	if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
}

const ledgerOf = async (hub: Rest): Promise<unknown> => {
	const { body } = await hub.get('/api/v1/gateways');
	const id = Array.isArray(body) ? member(body[0], 'id') : undefined;
	return typeof id === 'string' ? (await hub.get(`/api/v1/gateways/${id}/ledger`)).body : null;
};

test.serial(
	'a gateway that comes late, with large documents and large values, is heard in full, also of what only its sealed history has',
	async (t) => {
		t.timeout(300_000);
		const pair = await startPair(t, { gateway: JOURNAL });
		const [hubUrl, code] = [pair.hubUrl(), pair.code()];
		const [hub, gateway] = [await pair.hubRest(), await pair.gatewayRest()];
		const note = 'n'.repeat(TEXT_BYTES);
		for (const uid of ['talker', 'a', 'b', 'c', 'd', 'e', 'f']) {
			const device = { device_uid: uid, name: uid, device_type: 'sensor', connection: { driver: 'mqtt' } };
			const { status } = await gateway.post('/api/v1/devices', { ...device, metadata: { note } });
			t.is(status, 201);
		}
		for (let seed = 1; seed <= 12; seed += 1) await store(gateway, { text: textOf(seed) });
		// Sealed segments are let go while there is no hub.
		await waitFor('the journal lets the oldest go', WITHIN_MS, async () => {
			const { body } = await gateway.get('/api/v1/uplink');
			const stored = member(body, 'stored_samples');
			return typeof stored === 'number' && stored > 0 && stored < 12;
		});

		t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: hubUrl, code })).status, 200);
		await store(gateway, { text: textOf(13) });
		const ledger = await waitFor('the hub has everything', WITHIN_MS, async () => {
			const now = await ledgerOf(hub);
			const [received, missing, lost] = ['received_samples', 'missing_samples', 'declared_lost_samples'].map((name) =>
				Number(member(now, name)),
			);
			return missing === 0 && (received ?? 0) + (lost ?? 0) === 13 && now;
		});
		const holes = member(ledger, 'holes');
		t.deepEqual(holes, []);
		t.is(member(ledger, 'received_samples'), 13);
		const devices = await hub.get('/api/v1/devices?page=1&size=50');
		t.is(member(devices.body, 'total'), 7);
		const records = await hub.get('/api/v1/devices/talker/telemetry?limit=1');
		t.is(member(member(Array.isArray(records.body) ? records.body[0] : null, 'payload'), 'text'), textOf(13));
		t.is((await createRest(hubUrl, null).get('/api/v1/devices')).status, 401);
	},
);
