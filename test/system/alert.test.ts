import test, { type ExecutionContext } from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { type MeterSettings, meterSettings } from '../../demo/demo-settings.ts';
import { startEnrolled, untilOnline } from './kit/enrolled.ts';
import { notificationsOf } from './kit/notifications.ts';
import { member, type Rest } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { json, latestOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const WITHIN_MS = 45_000;
const VOLTAGE_L1 = 0;
const ALERTS = '/api/v1/monitoring/alerts';
const RULES = '/api/v1/monitoring/alert-rules';

const RULE = { metric: 'voltage_l1', condition: 'gt', hysteresis: 5, severity: 'critical' };

const eachSecond = ({ connection, ...device }: MeterSettings): MeterSettings => ({
	...device,
	connection: { ...connection, period_ms: 1_000 },
});

const listOf = async (rest: Rest, path: string): Promise<readonly unknown[]> => {
	const list = await json(rest, path);
	return Array.isArray(list) ? list : [];
};

const alertsOf = (rest: Rest): Promise<readonly unknown[]> => listOf(rest, ALERTS);

const alertOf = (rest: Rest, rule: string): Promise<unknown> =>
	waitFor(`an alert of ${rule} at ${rest.url}`, WITHIN_MS, async () =>
		(await alertsOf(rest)).find((alert) => member(alert, 'rule_name') === rule),
	);

async function assertAcknowledged(t: ExecutionContext, rest: Rest, alert: unknown): Promise<void> {
	const path = `${ALERTS}/${String(member(alert, 'id'))}/acknowledge`;
	const { status, body } = await rest.post(path, {});
	t.is(status, 200);
	t.is(member(body, 'is_acknowledged'), true);
	t.is((await rest.post(path, {})).status, 409);
}

test('a voltage that is too high raises the alerts of both hulls on both, which REST lists and Socket.IO tells', async (t) => {
	t.timeout(300_000);
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
		{
			rule: 'Overvoltage, said the gateway',
			rest: gatewayRest,
			threshold: 260,
			news: await notificationsOf(gatewayRest),
		},
		{ rule: 'Overvoltage, said the hub', rest: hubRest, threshold: 261, news: await notificationsOf(hubRest) },
	];
	t.teardown(async () => {
		for (const { news } of hulls) await news.stop();
	});
	for (const { rule, rest, threshold } of hulls) {
		const { status } = await rest.post(RULES, { ...RULE, name: rule, threshold, device_id: id });
		t.is(status, 201);
		t.deepEqual(await alertsOf(rest), []);
	}
	for (const { rest } of hulls)
		await waitFor('the rules of both', WITHIN_MS, async () => (await listOf(rest, RULES)).length === hulls.length);

	await simulator.override(2, VOLTAGE_L1, 265.5);
	for (const { rest, news } of hulls)
		for (const { rule, threshold } of hulls) {
			const alert = await alertOf(rest, rule);
			t.is(member(alert, 'device_id'), id);
			t.is(member(alert, 'severity'), 'critical');
			const message = `(${uid}): voltage_l1 265.5 is above ${threshold}`;
			t.true(String(member(alert, 'message')).endsWith(message), String(member(alert, 'message')));
			const told = await waitFor('the news', WITHIN_MS, () =>
				news.received.find((one) => member(one, 'alert_id') === member(alert, 'id')),
			);
			t.is(member(told, 'title'), rule);
			t.is(member(told, 'message'), member(alert, 'message'));
			t.is(member(told, 'type'), 'critical');
		}

	await gateway.kill9();
	await gateway.start();
	const restartedAt = systemClock.now();
	await waitFor('values after the restart', WITHIN_MS, async () => {
		const latest = await latestOf(gatewayRest, uid, 'voltage_l1');
		return member(latest, 'value') === 265.5 && Date.parse(String(member(latest, 'read_at'))) > restartedAt;
	});
	t.is((await alertsOf(gatewayRest)).length, hulls.length);
	for (const alert of await alertsOf(gatewayRest))
		t.is(member(alert, 'occurrences'), 1, 'an alert survives the death of its gateway, and is not raised again');
	await untilOnline(gatewayRest);
	const [mine, theirs] = hulls;
	if (mine === undefined || theirs === undefined) throw new Error('there are two hulls');
	await assertAcknowledged(t, gatewayRest, await alertOf(gatewayRest, theirs.rule));
	await assertAcknowledged(t, hubRest, await alertOf(hubRest, mine.rule));
	for (const { rest } of hulls)
		await waitFor('nothing to acknowledge', WITHIN_MS, async () => (await alertsOf(rest)).length === 0);
	t.is(theirs.news.received.length, hulls.length, 'the hub tells of each once');
});
