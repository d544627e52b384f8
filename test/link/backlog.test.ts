import test from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { startPair } from './pair.ts';

const WITHIN_MS = 60_000;
const HOUR_MS = 3_600_000;
const OFFLINE_HOURS = 49;
/** Readings and points of each: 100 000 samples. */
const READINGS = 500;
const POINTS = 200;
/** Readings that are stored at the same time, so that they share a flush. */
const TOGETHER = 20;

async function store(gateway: Rest, recordedAt: number, index: number): Promise<void> {
	const payload = Object.fromEntries(Array.from({ length: POINTS }, (_, point) => [`p${point}`, index + point / 8]));
	const body = { telemetry_type: 'default', payload, recorded_at: new Date(recordedAt).toISOString() };
	const answer = await gateway.post('/api/v1/devices/meter/telemetry', body);
	if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
}

const numberOf = (body: unknown, name: string): number => Number(member(body, name));

async function ledgerOf(hub: Rest): Promise<unknown> {
	const { body } = await hub.get('/api/v1/gateways');
	const id = String(member(Array.isArray(body) ? body[0] : null, 'id'));
	return (await hub.get(`/api/v1/gateways/${id}/ledger`)).body;
}

const backlogOf = async (gateway: Rest): Promise<number> =>
	numberOf((await gateway.get('/api/v1/uplink')).body, 'backlog_samples');

const created = ({ status, body }: { readonly status: number; readonly body: unknown }): void => {
	if (status !== 201) throw new Error(JSON.stringify(body));
};

test.serial(
	'cases 4, 5 and 6: 100 000 samples of 49 hours without a hub outlive a restart and changes of the configuration, and all of them arrive',
	async (t) => {
		t.timeout(300_000);
		const pair = await startPair(t);
		const gateway = await pair.gatewayRest();
		const device = { device_uid: 'meter', name: 'meter', device_type: 'sensor', connection: { driver: 'mqtt' } };
		created(await gateway.post('/api/v1/devices', device));
		const enrolled = await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
		t.is(enrolled.status, 200);
		await store(gateway, Date.now(), 0);
		const hub = await pair.hubRest();
		await waitFor('the first reading', WITHIN_MS, async () => numberOf(await ledgerOf(hub), 'received_samples') > 0);
		pair.wire.setMode({ kind: 'cut' });

		const sinceMs = Date.now() - OFFLINE_HOURS * HOUR_MS;
		const stepMs = (OFFLINE_HOURS * HOUR_MS) / READINGS;
		for (let first = 1; first <= READINGS; first += TOGETHER) {
			const readings = Array.from({ length: TOGETHER }, (_, index) => first + index);
			// oxlint-disable-next-line no-await-in-loop -- twenty at a time
			await Promise.all(readings.map((index) => store(gateway, sinceMs + index * stepMs, index)));
		}
		created(
			await gateway.post('/api/v1/devices', { name: 'new', device_type: 'meter', metadata: {}, device_uid: 'new' }),
		);
		t.is((await gateway.patch('/api/v1/devices/meter', { name: 'main meter' })).status, 200);
		await pair.restartGateway();

		const again = await pair.gatewayRest();
		t.true((await backlogOf(again)) >= READINGS * POINTS, 'all of it is owed');
		pair.wire.setMode({ kind: 'pass' });
		const ledger = await waitFor('the backlog has gone', WITHIN_MS, async () => {
			const now = await ledgerOf(hub);
			return numberOf(now, 'missing_samples') === 0 && numberOf(now, 'received_samples') > READINGS * POINTS && now;
		});
		t.is(numberOf(ledger, 'received_samples'), (READINGS + 1) * POINTS);
		t.is(numberOf(ledger, 'declared_lost_samples'), 0);
		t.deepEqual(member(ledger, 'holes'), []);
	},
);
