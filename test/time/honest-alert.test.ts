import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createMachine } from '../fake/set-machine.ts';
import { startPair } from '../link/pair.ts';
import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const SOON_MS = 45_000;
/** What the way to the hub may add, beside the time that the test itself has taken. */
const ERROR_MS = 5_000;
const HOUR_MS = 3_600_000;
const ALERTS = '/api/v1/monitoring/alerts';
const OVEN = { device_uid: 'oven', name: 'Oven', device_type: 'oven' };
const RULE = { name: 'Too hot', metric: 'temperature', condition: 'gt', threshold: 40, severity: 'critical' };

async function alertAt(rest: Rest, query = ''): Promise<unknown> {
	const { body } = await rest.get(`${ALERTS}${query}`);
	return Array.isArray(body) ? body[0] : undefined;
}

const instantOf = (alert: unknown, field: string): number => Date.parse(String(member(alert, field)));

test.serial('an alert of a boot in 1970, and who has seen it, reach the hub under their instants only', async (t) => {
	t.timeout(300_000);
	const machine = createMachine(60_000);
	const pair = await startPair(t, { gatewayMachine: machine });
	const [hub, gateway] = [await pair.hubRest(), await pair.gatewayRest()];
	t.is((await gateway.post('/api/v1/devices', OVEN)).status, 201);
	t.is((await gateway.post('/api/v1/monitoring/alert-rules', RULE)).status, 201);
	const raisedAt = systemClock.now();
	const reading = { telemetry_type: 'default', payload: { temperature: 45 } };
	t.is((await gateway.post('/api/v1/devices/oven/telemetry', reading)).status, 201);
	const raised = await waitFor('an alert', SOON_MS, () => alertAt(gateway));
	t.true(raisedAt - instantOf(raised, 'raised_at') > HOUR_MS, 'nobody knows the time yet');
	const id = String(member(raised, 'id'));
	t.is((await gateway.post(`${ALERTS}/${id}/acknowledge`, {})).status, 200);
	const acknowledgedAt = systemClock.now();

	// Another process of the same boot, which has its stamps from the disk.
	await pair.restartGateway();
	const again = await pair.gatewayRest();
	t.is((await again.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() })).status, 200);
	const told = await waitFor('the alert at the hub', SOON_MS, () => alertAt(hub, '?acknowledged=true'));
	t.is(member(told, 'id'), id);
	for (const field of ['created_at', 'raised_at', 'acknowledged_at']) {
		const at = instantOf(told, field);
		t.true(at >= raisedAt - ERROR_MS && at <= acknowledgedAt + ERROR_MS, `${field} is ${at - raisedAt} ms off`);
	}
	t.is(typeof member(told, 'acknowledged_by_email'), 'string');
	const moved = await alertAt(await pair.gatewayRest(), '?acknowledged=true');
	t.is(member(moved, 'raised_at'), member(told, 'raised_at'));
	t.is(member(moved, 'occurrences'), 1);
});
