import test from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { startPair } from './pair.ts';

const WITHIN_MS = 20_000;
const RECORDS = 5;

async function ask(rest: Rest, path: string): Promise<unknown> {
	const { status, body } = await rest.get(path);
	if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
	return body;
}

test.serial('both sides tell what is missing and why, and the hub can ask for it again', async (t) => {
	t.timeout(300_000);
	const pair = await startPair(t);
	const [hub, gateway] = [await pair.hubRest(), await pair.gatewayRest()];
	const enrolled = await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
	t.is(enrolled.status, 200);
	const id = String(member(enrolled.body, 'gateway_id'));
	const device = { device_uid: 'talker', name: 'talker', device_type: 'sensor', connection: { driver: 'mqtt' } };
	t.is((await gateway.post('/api/v1/devices', device)).status, 201);
	for (let value = 0; value < RECORDS; value += 1) {
		const record = { telemetry_type: 'default', payload: { value } };
		t.is((await gateway.post('/api/v1/devices/talker/telemetry', record)).status, 201);
	}
	const ledgerPath = `/api/v1/gateways/${id}/ledger`;
	const complete = () =>
		waitFor('the hub has everything', WITHIN_MS, async () => {
			const ledger = await ask(hub, ledgerPath);
			const isComplete =
				member(ledger, 'missing_samples') === 0 && Number(member(ledger, 'received_samples')) >= RECORDS;
			return isComplete && ledger;
		});
	const ledger = await complete();
	t.deepEqual(member(ledger, 'holes'), []);
	t.is(member(member(ledger, 'lost_by_reason'), 'journal-quota'), 0);
	const boots = member(ledger, 'boots');
	const epoch = member(Array.isArray(boots) ? boots[0] : null, 'epoch');
	t.is(typeof epoch, 'number');

	await waitFor('the gateway knows', WITHIN_MS, async () => {
		const own = await ask(gateway, '/api/v1/uplink/ledger');
		return member(own, 'missing_samples') === 0 && member(own, 'declared_lost_samples') === 0;
	});

	const again = await hub.post(`/api/v1/gateways/${id}/resend`, {
		ranges: [{ epoch, first: 1, last: 3 }],
		even_if_stored: true,
	});
	t.is(again.status, 202, JSON.stringify(again.body));
	t.is(member(again.body, 'asked_samples'), 3);
	t.is(member(await complete(), 'declared_lost_samples'), 0);
	const records = await ask(hub, '/api/v1/devices/talker/telemetry?limit=100');
	const values = Array.isArray(records) ? records.filter((one) => member(one, 'telemetry_type') === 'default') : [];
	t.is(values.length, RECORDS, 'shown once');
	t.is(member((await hub.post(`/api/v1/gateways/${id}/resend`, {})).body, 'asked_samples'), 0);
	const backwards = await hub.post(`/api/v1/gateways/${id}/resend`, { ranges: [{ epoch, first: 9, last: 3 }] });
	t.true(backwards.status >= 400 && backwards.status < 500);
	t.is((await hub.post('/api/v1/gateways/9a000000-0000-4000-8000-000000000009/resend', {})).status, 404);

	for (const side of [hub, gateway]) {
		const answer = await ask(side, '/api/v1/devices/talker/completeness');
		t.is(member(answer, 'is_complete'), true, JSON.stringify(answer));
		t.deepEqual(member(answer, 'gaps'), []);
		t.is((await side.get('/api/v1/devices/nobody/completeness')).status, 404);
		const wrong = await side.get(
			'/api/v1/devices/talker/completeness?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
		);
		t.true(wrong.status >= 400 && wrong.status < 500);
		const long = await side.get(
			'/api/v1/devices/talker/completeness?from=2025-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
		);
		t.true(long.status >= 400 && long.status < 500);
	}
	for (const port of [pair.hub().httpPort, pair.gateway().httpPort]) {
		// The gateway hears a moment later that the hub has them again.
		const text = await waitFor('the metrics say so', WITHIN_MS, async () => {
			const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
			return /^drawbridge_ledger_missing_samples 0$/m.test(metrics) && metrics;
		});
		t.regex(text, /^drawbridge_ledger_declared_lost_samples\{reason="damaged-in-transit"\} 0$/m);
	}
});
