import test, { type ExecutionContext } from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { type MeterSettings, meterSettings } from '../../demo/demo-settings.ts';
import { startEnrolled } from './kit/enrolled.ts';
import { notificationsOf } from './kit/notifications.ts';
import { member, type Rest } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { json, latestOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const WITHIN_MS = 15_000;
const VOLTAGE_L1 = 0;
const ALERTS = '/api/v1/monitoring/alerts';
const RULES = '/api/v1/monitoring/alert-rules';

const RULE = { metric: 'voltage_l1', condition: 'gt', hysteresis: 5, severity: 'critical' };

const eachSecond = ({ connection, ...device }: MeterSettings): MeterSettings => ({
	...device,
	connection: { ...connection, period_ms: 1_000 },
});

const alertsOf = async (rest: Rest): Promise<readonly unknown[]> => {
	const alerts = await json(rest, ALERTS);
	return Array.isArray(alerts) ? alerts : [];
};

/** The one alert of a hull, which its own rule has raised. */
const raisedAt = (what: string, rest: Rest): Promise<unknown> =>
	waitFor(`an alert at the ${what}`, WITHIN_MS, async () => (await alertsOf(rest)).at(0));

async function assertAcknowledged(t: ExecutionContext, rest: Rest, alert: unknown): Promise<void> {
	const path = `${ALERTS}/${String(member(alert, 'id'))}/acknowledge`;
	const { status, body } = await rest.post(path, {});
	t.is(status, 200);
	t.is(member(body, 'is_acknowledged'), true);
	t.deepEqual(await alertsOf(rest), []);
	t.is((await rest.post(path, {})).status, 409);
}

test('a voltage that is too high raises an alert on the gateway and on the hub, which REST lists and Socket.IO tells', async (t) => {
	t.timeout(120_000);
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--tcp', '0:1,2');
	const devices = meterSettings(simulator.lines).map(eachSecond);
	const [, { uid } = { uid: '' }] = devices;
	await simulator.override(2, VOLTAGE_L1, 230);
	const { hubRest, gatewayRest, gateway } = await startEnrolled(stage, devices);
	const id = await waitFor(`${uid} on the hub`, WITHIN_MS, async () => {
		const { status, body } = await hubRest.get(`/api/v1/devices/${uid}`);
		return status === 200 && String(member(body, 'id'));
	});
	const hulls = [
		{ what: 'gateway', rest: gatewayRest, threshold: 260, news: await notificationsOf(gatewayRest) },
		{ what: 'hub', rest: hubRest, threshold: 261, news: await notificationsOf(hubRest) },
	];
	t.teardown(async () => {
		for (const { news } of hulls) await news.stop();
	});
	for (const { what, rest, threshold } of hulls) {
		const { status } = await rest.post(RULES, {
			...RULE,
			name: `Overvoltage, said the ${what}`,
			threshold,
			device_id: id,
		});
		t.is(status, 201);
		t.deepEqual(await alertsOf(rest), []);
	}

	await simulator.override(2, VOLTAGE_L1, 265.5);
	for (const { what, rest, threshold, news } of hulls) {
		const alert = await raisedAt(what, rest);
		t.is(member(alert, 'device_id'), id);
		t.is(member(alert, 'severity'), 'critical');
		const message = `(${uid}): voltage_l1 265.5 is above ${threshold}`;
		t.true(String(member(alert, 'message')).endsWith(message), String(member(alert, 'message')));
		const told = await waitFor(`the news at the ${what}`, WITHIN_MS, () => news.received.at(0));
		t.is(member(told, 'title'), `Overvoltage, said the ${what}`);
		t.is(member(told, 'message'), member(alert, 'message'));
		t.is(member(told, 'type'), 'critical');
		t.is(member(told, 'alert_id'), member(alert, 'id'));
	}

	await gateway.kill9();
	await gateway.start();
	const restartedAt = systemClock.now();
	const [, hub] = hulls;
	await waitFor('values after the restart', WITHIN_MS, async () => {
		const latest = await latestOf(gatewayRest, uid, 'voltage_l1');
		return member(latest, 'value') === 265.5 && Date.parse(String(member(latest, 'read_at'))) > restartedAt;
	});
	const [restarted] = await alertsOf(gatewayRest);
	t.is(member(restarted, 'occurrences'), 1, 'an alert survives the death of its gateway, and is not raised again');
	await assertAcknowledged(t, gatewayRest, restarted);
	await assertAcknowledged(t, hubRest, await raisedAt('hub', hubRest));
	t.is(hub?.news.received.length, 1);
});
