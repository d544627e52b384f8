import test from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { notificationsOf } from '../system/kit/notifications.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { startPair } from './pair.ts';

const SOON_MS = 45_000;
const ALERTS = '/api/v1/monitoring/alerts';
const OVEN = { device_uid: 'oven', name: 'Oven', device_type: 'oven' };
const RULE = { name: 'Too hot', metric: 'temperature', condition: 'gt', threshold: 40, severity: 'critical' };

const listOf = async (rest: Rest, path: string): Promise<readonly unknown[]> => {
	const { body } = await rest.get(path);
	return Array.isArray(body) ? body : [];
};

test.serial(
	'an alert reaches the hub before the document of its device, and commands of the gateway are shown there',
	async (t) => {
		t.timeout(300_000);
		const pair = await startPair(t);
		const [hub, gateway] = [await pair.hubRest(), await pair.gatewayRest()];
		const device = String(member((await gateway.post('/api/v1/devices', OVEN)).body, 'id'));
		t.is((await gateway.post('/api/v1/monitoring/alert-rules', RULE)).status, 201);
		const reading = { telemetry_type: 'default', payload: { temperature: 45 } };
		t.is((await gateway.post(`/api/v1/devices/${device}/telemetry`, reading)).status, 201);
		const path = `/api/v1/devices/${device}/commands`;
		const command = String(member((await gateway.post(path, { command_name: 'cool' })).body, 'id'));
		const news = await notificationsOf(hub);
		t.teardown(() => news.stop());
		t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() })).status, 200);

		const told = await waitFor('news of the alert at the hub', SOON_MS, () => news.received[0]);
		t.is(member(told, 'device_uid'), undefined, 'the hub did not know the device yet');
		await waitFor(
			'the device at the hub',
			SOON_MS,
			async () => (await hub.get(`/api/v1/devices/${device}`)).status === 200,
		);
		const [alert] = await listOf(hub, ALERTS);
		t.is(member(alert, 'id'), member(told, 'alert_id'));
		t.is(member(alert, 'device_id'), device);

		const shown = await waitFor('the command at the hub', SOON_MS, async () => (await listOf(hub, path))[0]);
		t.like(shown, { id: command, status: 'pending' });
		const refused = await hub.patch(`${path}/${command}`, { status: 'executed' });
		t.is(refused.status, 422, JSON.stringify(refused.body));
		t.is((await gateway.patch(`${path}/${command}`, { status: 'executed' })).status, 200);
		await waitFor(
			'what became of it',
			SOON_MS,
			async () => member((await listOf(hub, path))[0], 'status') === 'executed',
		);
		const other = String(member((await hub.post(path, { command_name: 'heat' })).body, 'id'));
		await waitFor("the hub's command at the gateway", SOON_MS, async () => (await listOf(gateway, path)).length === 2);
		t.is((await gateway.patch(`${path}/${other}`, { status: 'executed' })).status, 200);
		await waitFor(
			'what became of the other',
			SOON_MS,
			async () => member((await listOf(hub, path))[0], 'status') === 'executed',
		);
		t.is((await listOf(hub, path)).length, 2, 'each is there once');

		const seen = await gateway.post(`${ALERTS}/${String(member(alert, 'id'))}/acknowledge`, {});
		const email = member(seen.body, 'acknowledged_by_email');
		t.regex(String(email), /@/);
		await waitFor('who has seen it, at the hub', SOON_MS, async () => {
			const [one] = await listOf(hub, `${ALERTS}?acknowledged=true`);
			return member(one, 'acknowledged_by_email') === email;
		});
	},
);
