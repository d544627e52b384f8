import test, { type ExecutionContext } from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { notificationsOf } from '../system/kit/notifications.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { type Pair, startPair } from './pair.ts';

const SOON_MS = 45_000;
const ALERTS = '/api/v1/monitoring/alerts';
const RULES = '/api/v1/monitoring/alert-rules';

const RULE = { name: 'Too hot', metric: 'temperature', condition: 'gt', threshold: 40, severity: 'critical' };

const listOf = async (rest: Rest, path: string): Promise<readonly unknown[]> => {
	const { body } = await rest.get(path);
	return Array.isArray(body) ? body : [];
};

const textsOf = (list: readonly unknown[], field: string): readonly string[] =>
	list.map((one) => String(member(one, field))).toSorted((one, other) => (one < other ? -1 : 1));

const untilOnline = (gateway: Rest): Promise<boolean> =>
	waitFor('the link is online', SOON_MS, async () => {
		const { body } = await gateway.get('/api/v1/uplink');
		return member(body, 'state') === 'online';
	});

interface Scene {
	readonly pair: Pair;
	readonly hub: Rest;
	readonly gateway: Rest;
	/** Id of a device of the gateway. */
	readonly device: string;
	/** The device says so. */
	readonly read: (temperature: number) => Promise<void>;
}

/** A gateway with a device, enrolled at its hub, which knows the device. */
async function scene(t: ExecutionContext): Promise<Scene> {
	const pair = await startPair(t);
	const [hub, gateway] = [await pair.hubRest(), await pair.gatewayRest()];
	const made = await gateway.post('/api/v1/devices', { device_uid: 'oven', name: 'Oven', device_type: 'oven' });
	const device = String(member(made.body, 'id'));
	t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() })).status, 200);
	await untilOnline(gateway);
	await waitFor(
		'the device at the hub',
		SOON_MS,
		async () => (await hub.get(`/api/v1/devices/${device}`)).status === 200,
	);
	async function read(temperature: number): Promise<void> {
		const { status } = await gateway.post(`/api/v1/devices/${device}/telemetry`, {
			telemetry_type: 'default',
			payload: { temperature },
		});
		t.is(status, 201);
	}
	return { pair, hub, gateway, device, read };
}

const oneOf = (what: string, rest: Rest, path: string, isIt: (one: unknown) => boolean): Promise<unknown> =>
	waitFor(what, SOON_MS, async () => (await listOf(rest, path)).find(isIt));

const untilNone = (what: string, rest: Rest, path: string): Promise<boolean> =>
	waitFor(what, SOON_MS, async () => (await listOf(rest, path)).length === 0);

test.serial('a rule of either side runs at the gateway, and its alert exists once on both', async (t) => {
	t.timeout(300_000);
	const { hub, gateway, device, read } = await scene(t);
	const news = await notificationsOf(hub);
	t.teardown(() => news.stop());
	const own = await gateway.post(RULES, { ...RULE, name: "the gateway's" });
	const forOne = await hub.post(RULES, { ...RULE, name: "the hub's, for the oven", device_id: device });
	const forAll = await hub.post(RULES, { ...RULE, name: "the hub's, for all" });
	for (const { status } of [own, forOne, forAll]) t.is(status, 201);
	const rules = ["the gateway's", "the hub's, for all", "the hub's, for the oven"];
	for (const rest of [hub, gateway])
		await waitFor('all rules', SOON_MS, async () => (await listOf(rest, RULES)).length === rules.length);

	await read(43.5);
	for (const rest of [gateway, hub]) {
		const alerts = await waitFor('three alerts', SOON_MS, async () => {
			const found = await listOf(rest, ALERTS);
			return found.length >= rules.length && found;
		});
		t.deepEqual(textsOf(alerts, 'rule_name'), rules);
		for (const alert of alerts) t.is(member(alert, 'device_id'), device);
	}
	await waitFor('the news at the hub', SOON_MS, () => news.received.length === rules.length);
	const [atHub, atGateway] = [await listOf(hub, ALERTS), await listOf(gateway, ALERTS)];
	t.deepEqual(textsOf(atHub, 'id'), textsOf(atGateway, 'id'));

	const [first, second, third] = atHub.map((alert) => String(member(alert, 'id')));
	t.is((await hub.post(`${ALERTS}/${first}/acknowledge`, {})).status, 200);
	t.is((await gateway.post(`${ALERTS}/${second}/acknowledge`, {})).status, 200);
	for (const rest of [hub, gateway]) {
		const left = await waitFor('one alert is left', SOON_MS, async () => {
			const found = await listOf(rest, ALERTS);
			return found.length === 1 && found;
		});
		t.is(member(left[0], 'id'), third);
	}
	await read(20);
	for (const rest of [hub, gateway])
		await oneOf('it has cleared', rest, ALERTS, (alert) => member(alert, 'cleared_at') !== null);
	t.is(news.received.length, rules.length, 'nobody is told twice');

	const fixed = await gateway.patch(`${RULES}/${String(member(forAll.body, 'id'))}`, { threshold: 50 });
	t.is(fixed.status, 422);
	t.regex(JSON.stringify(fixed.body), /for all gateways: change it there/);
	t.is((await hub.delete(`${RULES}/${String(member(own.body, 'id'))}`)).status, 204);
	await waitFor('the rule is gone', SOON_MS, async () => (await listOf(gateway, RULES)).length === 2);
});

test.serial(
	'what both sides change while the link is cut ends equal on both, and no acknowledgement is lost',
	async (t) => {
		t.timeout(300_000);
		const { pair, hub, gateway, device, read } = await scene(t);
		const shared = String(member((await gateway.post(RULES, { ...RULE, device_id: device })).body, 'id'));
		const doomed = String(member((await hub.post(RULES, { ...RULE, name: 'doomed', device_id: device })).body, 'id'));
		for (const rest of [hub, gateway])
			await waitFor('both rules', SOON_MS, async () => (await listOf(rest, RULES)).length === 2);
		await read(41);
		const alert = await oneOf('an alert at the hub', hub, ALERTS, (one) => member(one, 'rule_id') === shared);
		const id = String(member(alert, 'id'));

		pair.wire.setMode({ kind: 'cut' });
		await waitFor('the link is down', SOON_MS, async () => {
			const { body } = await gateway.get('/api/v1/uplink');
			return member(body, 'state') !== 'online';
		});
		t.is((await hub.post(`${ALERTS}/${id}/acknowledge`, {})).status, 200);
		t.is((await hub.patch(`${RULES}/${shared}`, { threshold: 60 })).status, 200);
		t.is((await gateway.patch(`${RULES}/${shared}`, { threshold: 70 })).status, 200);
		t.is((await gateway.patch(`${RULES}/${shared}`, { name: 'Far too hot' })).status, 200);
		t.is((await gateway.delete(`${RULES}/${doomed}`)).status, 204);
		const offline = await gateway.post(RULES, { ...RULE, name: 'made offline', threshold: 10 });
		t.is(offline.status, 201);
		t.is((await hub.patch(`/api/v1/devices/${device}`, { name: 'Bread oven' })).status, 200);
		t.is((await gateway.patch(`/api/v1/devices/${device}`, { metadata: { hall: 3 } })).status, 200);
		await read(42);
		await oneOf('an alert offline', gateway, ALERTS, (one) => member(one, 'rule_name') === 'made offline');

		pair.wire.setMode({ kind: 'pass' });
		for (const [what, rest] of [
			['hub', hub],
			['gateway', gateway],
		] as const) {
			await oneOf(
				`the rule made offline at the ${what}`,
				rest,
				RULES,
				(rule) => member(rule, 'name') === 'made offline',
			);
			// Two changes there, one here, and nobody knew: the later version counts on both sides.
			const rule = await oneOf(
				`the later version at the ${what}`,
				rest,
				RULES,
				(one) => member(one, 'name') === 'Far too hot',
			);
			t.is(member(rule, 'threshold'), 70);
			t.is((await listOf(rest, RULES)).length, 2);
			const known = await waitFor(`both changes of the device at the ${what}`, SOON_MS, async () => {
				const { body } = await rest.get(`/api/v1/devices/${device}`);
				return member(body, 'name') === 'Bread oven' && member(member(body, 'metadata'), 'hall') === 3 && body;
			});
			t.is(member(known, 'device_uid'), 'oven');
			await oneOf(
				`the alert of offline at the ${what}`,
				rest,
				ALERTS,
				(one) => member(one, 'rule_name') === 'made offline',
			);
			await waitFor(`the acknowledgement at the ${what}`, SOON_MS, async () => {
				const alerts = await listOf(rest, ALERTS);
				return alerts.every((one) => member(one, 'id') !== id);
			});
		}
		const logs = await Promise.all([hub, gateway].map((rest) => rest.get('/api/v1/audit')));
		t.true(
			logs.some(({ body }) => JSON.stringify(body).includes('alert-rule-conflict')),
			'the change that gave way is in the audit log of the side where the two met',
		);
	},
);

test.serial('neither restarts nor a lost position double anything', async (t) => {
	t.timeout(300_000);
	const { pair, gateway, hub, read } = await scene(t);
	await gateway.post(RULES, RULE);
	await read(50);
	const before = await oneOf('an alert at the hub', hub, ALERTS, () => true);
	await pair.restartHub();
	await pair.restartGateway();
	const [again, there] = [await pair.gatewayRest(), await pair.hubRest()];
	await untilOnline(again);
	const { status } = await again.post(`${ALERTS}/${String(member(before, 'id'))}/acknowledge`, {});
	t.is(status, 200);
	await untilNone('it is acknowledged at the hub', there, ALERTS);
	t.is((await listOf(there, RULES)).length, 1);
});
