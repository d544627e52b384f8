import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';
import mqtt from 'mqtt';

import { startEnrolled, untilOnline } from './kit/enrolled.ts';
import { createRandom } from './kit/random.ts';
import { login, member, type Rest } from './kit/rest.ts';
import { systemSeeds } from './kit/seeds.ts';
import { createStage } from './kit/stage.ts';
import { json } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const KILLS = 5;
/** Readings that are sent at once: while the alert of one is being written, those of the others wait. */
const BURST = 6;
/** Longest life after the last acknowledgement; alerts reach the disk, and the hub, some milliseconds later. */
const MOST_ALIVE_MS = 10;
const WITHIN_MS = 45_000;
const ALERTS = '/api/v1/monitoring/alerts?limit=200';

interface Login {
	readonly port: number;
	readonly username: string;
	readonly password: string;
}

/** Connected, and resolves when the gateway has acknowledged the next message. */
async function connected({ port, ...who }: Login) {
	const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { ...who, reconnectPeriod: 0, connectTimeout: 30_000 });
	client.on('error', () => undefined);
	await new Promise<void>((resolve, reject) => {
		client.once('connect', () => resolve());
		client.once('close', () => reject(new Error('the broker of the gateway does not let the device in')));
	});
	return {
		publish: async (values: object): Promise<void> => {
			await client.publishAsync('devices/oven/telemetry', JSON.stringify(values), { qos: 1 });
		},
		end: (): void => void client.end(true),
	};
}

async function alertsOf(rest: Rest): Promise<ReadonlyMap<string, readonly unknown[]>> {
	const list = await json(rest, ALERTS);
	const byRule = new Map<string, unknown[]>();
	for (const alert of Array.isArray(list) ? (list as readonly unknown[]) : []) {
		const name = String(member(alert, 'rule_name'));
		byRule.set(name, [...(byRule.get(name) ?? []), alert]);
	}
	return byRule;
}

test.serial(
	'an alert whose reading was acknowledged exists once on both sides, whenever the gateway is killed',
	async (t) => {
		t.timeout(300_000);
		const random = createRandom(systemSeeds([401_493])[0]);
		t.log(`seed ${random.seed}`);
		const stage = createStage(t);
		const { gateway, gatewayRest, hubRest } = await startEnrolled(stage, []);
		const oven = { device_uid: 'oven', name: 'Oven', device_type: 'oven', connection: { driver: 'mqtt' } };
		t.is((await gatewayRest.post('/api/v1/devices', oven)).status, 201);
		const issued = (await gatewayRest.post('/api/v1/devices/oven/mqtt-credentials', {})).body;
		const [username, password] = [String(member(issued, 'username')), String(member(issued, 'password'))];
		const bursts = Array.from({ length: KILLS }, (_kill, kill) =>
			Array.from({ length: BURST }, (_one, one) => `m${kill}-${one}`),
		);
		const metrics = bursts.flat();
		for (const metric of metrics) {
			const rule = { name: metric, metric, condition: 'gt', threshold: 40, severity: 'critical' };
			t.is((await gatewayRest.post('/api/v1/monitoring/alert-rules', rule)).status, 201);
		}

		for (const burst of bursts) {
			const device = await connected({ port: gateway.port('mqtt_port'), username, password });
			// Each holds for one reading only: whoever forgets that one raises no alert any more.
			await Promise.all(burst.map((metric) => device.publish({ [metric]: 50 })));
			await sleep(random.below(MOST_ALIVE_MS));
			await gateway.kill9();
			device.end();
			await gateway.start();
			const found = await alertsOf(await login(gateway.url()));
			for (const metric of burst) t.is(found.get(metric)?.length, 1, `${metric} right after the start`);
			const after = await connected({ port: gateway.port('mqtt_port'), username, password });
			await Promise.all(burst.map((metric) => after.publish({ [metric]: 20 })));
			after.end();
		}

		const rest = await login(gateway.url());
		await untilOnline(rest);
		await waitFor('all alerts have cleared at the hub', WITHIN_MS, async () => {
			const alerts = [...(await alertsOf(hubRest)).values()].flat();
			return alerts.length >= metrics.length && alerts.every((alert) => member(alert, 'cleared_at') !== null);
		});
		const [here, there] = [await alertsOf(rest), await alertsOf(hubRest)];
		for (const metric of metrics)
			for (const [what, alerts] of [
				['gateway', here],
				['hub', there],
			] as const) {
				const found = alerts.get(metric) ?? [];
				t.is(found.length, 1, `${metric} at the ${what}`);
				t.is(member(found[0], 'occurrences'), 1, `${metric} at the ${what}`);
				t.is(member(found[0], 'id'), member(here.get(metric)?.[0], 'id'));
			}
		t.deepEqual([here.size, there.size], [metrics.length, metrics.length]);
	},
);
