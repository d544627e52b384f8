import test from 'ava';

import { type MeterSettings, meterSettings } from '../../demo/demo-settings.ts';
import { startEnrolled, untilOnline } from './kit/enrolled.ts';
import { notificationsOf } from './kit/notifications.ts';
import { member, type Rest } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { json, uplinkOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const WITHIN_MS = 45_000;
const VOLTAGE_L1 = 0;
const ALERTS = '/api/v1/monitoring/alerts';
const RULES = '/api/v1/monitoring/alert-rules';

const RULE = { metric: 'voltage_l1', condition: 'gt', hysteresis: 5, severity: 'critical', threshold: 260 };

const often = ({ connection, ...device }: MeterSettings): MeterSettings => ({
	...device,
	connection: { ...connection, period_ms: 500 },
});

const listOf = async (rest: Rest, path: string): Promise<readonly unknown[]> => {
	const list = await json(rest, path);
	return Array.isArray(list) ? list : [];
};

const named = (rest: Rest, path: string, field: string, name: string): Promise<unknown> =>
	waitFor(`${name} at ${rest.url}`, WITHIN_MS, async () =>
		(await listOf(rest, path)).find((one) => member(one, field) === name),
	);

test('a rule of the hub watches behind a cut link; both sides acknowledge and change, die, and end equal', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--tcp', '0:1');
	const devices = meterSettings(simulator.lines).map(often);
	const [{ uid } = { uid: '' }] = devices;
	await simulator.override(1, VOLTAGE_L1, 230);
	const { hub, gateway, link, hubRest, gatewayRest } = await startEnrolled(stage, devices);
	const device = await waitFor(`${uid} on the hub`, WITHIN_MS, async () => {
		const { status, body } = await hubRest.get(`/api/v1/devices/${uid}`);
		return status === 200 && String(member(body, 'id'));
	});
	const news = await notificationsOf(hubRest);
	t.teardown(() => news.stop());
	t.is((await hubRest.post(RULES, { ...RULE, name: 'Overvoltage' })).status, 201);
	await named(gatewayRest, RULES, 'name', 'Overvoltage');
	const own = await gatewayRest.post(RULES, { ...RULE, name: 'Own', device_id: device });
	const ownPath = `${RULES}/${String(member(own.body, 'id'))}`;
	await named(hubRest, RULES, 'name', 'Own');

	await simulator.override(1, VOLTAGE_L1, 265);
	const first = await named(hubRest, ALERTS, 'rule_name', 'Own');
	await named(hubRest, ALERTS, 'rule_name', 'Overvoltage');
	await simulator.override(1, VOLTAGE_L1, 230);
	await waitFor('both have cleared at the hub', WITHIN_MS, async () =>
		(await listOf(hubRest, ALERTS)).every((alert) => member(alert, 'cleared_at') !== null),
	);

	link.setMode({ kind: 'cut' });
	await waitFor('the link is down', WITHIN_MS, async () => (await uplinkOf(gatewayRest, 'state')) !== 'online');
	const seen = String(member(first, 'id'));
	t.is((await hubRest.post(`${ALERTS}/${seen}/acknowledge`, {})).status, 200);
	t.is((await hubRest.patch(`/api/v1/devices/${device}`, { name: 'Named at the hub' })).status, 200);
	t.is((await hubRest.patch(ownPath, { threshold: 250 })).status, 200);
	const other = await named(gatewayRest, ALERTS, 'rule_name', 'Overvoltage');
	t.is((await gatewayRest.post(`${ALERTS}/${String(member(other, 'id'))}/acknowledge`, {})).status, 200);
	t.is((await gatewayRest.patch(`/api/v1/devices/${device}`, { metadata: { cellar: true } })).status, 200);
	await simulator.override(1, VOLTAGE_L1, 270);
	const offline = await named(gatewayRest, ALERTS, 'rule_name', 'Overvoltage');
	t.not(member(offline, 'id'), member(other, 'id'), 'the one that was acknowledged is followed by another');
	const before = news.received.length;
	await hub.kill9();
	await gateway.kill9();
	await hub.start();
	await gateway.start();
	link.setMode({ kind: 'pass' });
	await untilOnline(gatewayRest);

	const waiting = (rest: Rest): Promise<readonly string[]> =>
		listOf(rest, ALERTS).then((alerts) =>
			alerts.map((alert) => String(member(alert, 'id'))).toSorted((one, two) => (one < two ? -1 : 1)),
		);
	const left = await waitFor('both sides wait for the same acknowledgements', WITHIN_MS, async () => {
		const [atHub, atGateway] = [await waiting(hubRest), await waiting(gatewayRest)];
		// What came again before the acknowledgement of the hub had arrived is an alert of its own.
		return JSON.stringify(atHub) === JSON.stringify(atGateway) && atHub.length === 2 && atHub;
	});
	t.true(left.includes(String(member(offline, 'id'))));
	t.false(left.includes(seen));
	t.is(before, 2);
	for (const rest of [hubRest, gatewayRest]) {
		await waitFor(`both changes of the device at ${rest.url}`, WITHIN_MS, async () => {
			const { body } = await rest.get(`/api/v1/devices/${device}`);
			return member(body, 'name') === 'Named at the hub' && member(member(body, 'metadata'), 'cellar') === true;
		});
		await waitFor(
			`the later rule at ${rest.url}`,
			WITHIN_MS,
			async () => member((await rest.get(ownPath)).body, 'threshold') === 250,
		);
		t.is((await listOf(rest, RULES)).length, 2);
	}
});
