import test from 'ava';

import { reservePort } from '../fake/reserved-port.ts';
import { startEnrolled, untilOnline } from './kit/enrolled.ts';
import { readCounterDevices, writeReadCounterTemplate } from './kit/read-counter.ts';
import { ADMINISTRATOR, claim, createRest, login, member } from './kit/rest.ts';
import { type Stage, createStage } from './kit/stage.ts';
import { differences, json, latestOf, recordsOf, settledLedger, uplinkOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const SOON_MS = 45_000;
const DEVICE = 'counter-0-1';

async function startMeter(stage: Stage) {
	const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
	return { devices: readCounterDevices(simulator, 200), settings: writeReadCounterTemplate(stage.folder) };
}

test.serial('a restart of either side keeps devices, accounts, enrolment and history', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const { devices, settings } = await startMeter(stage);
	const { hub, gateway, hubRest, gatewayRest } = await startEnrolled(stage, devices, settings);
	await gatewayRest.post('/api/v1/devices', {
		device_uid: 'sensor-1',
		name: 'Tank',
		device_type: 'sensor',
		connection: { driver: 'mqtt' },
	});
	await gatewayRest.patch(`/api/v1/devices/${DEVICE}`, { name: 'Renamed' });
	await waitFor('the devices at the hub', SOON_MS, async () => {
		const { body } = await hubRest.get(`/api/v1/devices/${DEVICE}`);
		return member(body, 'name') === 'Renamed' && (await hubRest.get('/api/v1/devices/sensor-1')).status === 200;
	});
	await waitFor('some history', SOON_MS, async () => (await recordsOf(hubRest, DEVICE)).length >= 10);
	const before = await recordsOf(gatewayRest, DEVICE);
	const idBefore = member(await json(gatewayRest, `/api/v1/devices/${DEVICE}`), 'id');

	for (const hull of [gateway, hub]) {
		await hull.restart();
		const claimed = await createRest(hull.url(), null).post('/api/v1/setup/claim', {
			claim_code: 'AAAA-AAAA',
			...ADMINISTRATOR,
		});
		t.true(claimed.status >= 400, 'it is not to be claimed again');
		const rest = await login(hull.url());
		const device = await json(rest, `/api/v1/devices/${DEVICE}`);
		t.is(member(device, 'id'), idBefore);
		t.is(member(device, 'name'), 'Renamed', 'what the settings declare does not undo what a person changed');
		t.is((await rest.get('/api/v1/devices/sensor-1')).status, 200);
		await waitFor(
			`history from before on the ${hull.role}`,
			SOON_MS,
			async () => differences(await recordsOf(rest, DEVICE), before).length === 0,
		);
	}
	await untilOnline(gatewayRest);
	// Tokens from before the restart are still good, and so is the enrolment.
	const gateways = await json(hubRest, '/api/v1/gateways');
	t.is(Array.isArray(gateways) && gateways.length, 1);
	const count = (await recordsOf(hubRest, DEVICE)).length;
	await waitFor('new values at the hub', SOON_MS, async () => (await recordsOf(hubRest, DEVICE)).length > count);
	const ledger = await settledLedger(hubRest, gatewayRest, SOON_MS);
	t.is(ledger.missing_samples, 0);
	t.deepEqual(ledger.holes, [], 'a polite end leaves no hole');
});

test.serial('a gateway that never had a hub works, and brings its history to the hub that comes later', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const { devices, settings } = await startMeter(stage);
	const gateway = await stage.spawnGateway({ devices, settings });
	const gatewayRest = await claim(gateway.url(), await gateway.claimCode());
	await waitFor(
		'values',
		SOON_MS,
		async () => typeof member(await latestOf(gatewayRest, DEVICE, 'reads'), 'value') === 'number',
	);
	await waitFor('history', SOON_MS, async () => (await recordsOf(gatewayRest, DEVICE)).length >= 10);
	t.is(await uplinkOf(gatewayRest, 'state'), 'not-enrolled');
	const health = await json(gatewayRest, '/health');
	t.is(member(health, 'status'), 'ok', JSON.stringify(health));
	t.is((await fetch(`${gateway.url()}/`)).status, 200, 'the page is there');
	const early = await recordsOf(gatewayRest, DEVICE);

	const hub = await stage.spawnHub();
	const hubRest = await claim(hub.url(), await hub.claimCode());
	const { body } = await hubRest.post('/api/v1/gateways/enrolment-codes', {});
	const enrolled = await gatewayRest.post('/api/v1/uplink/enrol', { hub_url: hub.url(), code: member(body, 'code') });
	t.true(enrolled.status < 300, JSON.stringify(enrolled.body));
	await untilOnline(gatewayRest);
	await waitFor('the history from before the hub', SOON_MS, async () => {
		const found = await hubRest.get(`/api/v1/devices/${DEVICE}`);
		return found.status === 200 && differences(await recordsOf(hubRest, DEVICE), early).length === 0;
	});
});

test.serial('a hub that does not answer is said where a person looks, and disturbs nothing', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const { devices, settings } = await startMeter(stage);
	const url = `http://127.0.0.1:${await reservePort()}`;
	const gateway = await stage.spawnGateway({
		devices,
		settings: { ...settings, uplink: { hub_url: url, enrolment_code: '0123-4567-89AB-CDEF-GHJK' } },
	});
	const gatewayRest = await claim(gateway.url(), await gateway.claimCode());
	await waitFor(
		'values',
		SOON_MS,
		async () => typeof member(await latestOf(gatewayRest, DEVICE, 'reads'), 'value') === 'number',
	);
	const said = await waitFor('a reason', SOON_MS, async () => {
		const reason = member(member(await json(gatewayRest, '/health'), 'reasons'), 'uplink');
		return typeof reason === 'string' && reason;
	});
	t.regex(said, /127\.0\.0\.1/);
	t.is(await uplinkOf(gatewayRest, 'state'), 'not-enrolled');
	t.is(typeof (await uplinkOf(gatewayRest, 'last_error')), 'string');
	t.is((await gatewayRest.get('/readiness')).status, 200, 'an appliance without its hub is ready');
});
