import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { factsOf } from '../../core/pki/certificate.ts';
import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { DAY_MS } from './enrolment-box.ts';
import { createShiftedClock, type Pair, startPair } from './pair.ts';

const SOON_MS = 45_000;

const stateOf = async (gateway: Rest): Promise<unknown> => member((await gateway.get('/api/v1/uplink')).body, 'state');

const untilOnline = (gateway: Rest): Promise<boolean> =>
	waitFor('the link is online', SOON_MS, async () => (await stateOf(gateway)) === 'online');

/** What the gateway has on its disk. */
function onDisk(pair: Pair): { readonly own: unknown; readonly next: unknown; readonly serial: string } {
	const saved: unknown = JSON.parse(readFileSync(join(pair.folder('gateway'), 'uplink.json'), 'utf8'));
	const enrolment = member(saved, 'enrolment');
	const own = member(enrolment, 'own');
	return { own, next: member(enrolment, 'next'), serial: factsOf(String(member(own, 'certPem'))).serial };
}

const expiryAtHub = async (hub: Rest): Promise<number> => {
	const { body } = await hub.get('/api/v1/gateways');
	return Date.parse(String(member(Array.isArray(body) ? body[0] : null, 'certificate_expires_at')));
};

test.serial('a certificate is renewed in time, or after its end, with a new key and without a person', async (t) => {
	t.timeout(300_000);
	const clock = createShiftedClock();
	const pair = await startPair(t, { clock });
	const gateway = await pair.gatewayRest();
	t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() })).status, 200);
	await untilOnline(gateway);
	const keys = new Set([JSON.stringify(onDisk(pair).own)]);

	// 250: two thirds of its life are over. 380: it has expired while nothing was connected.
	for (const days of [250, 380]) {
		const { serial } = onDisk(pair);
		await pair.restartHub(() => clock.shift(days * DAY_MS));
		await waitFor(`another certificate after ${days} days`, SOON_MS, async () => {
			const now = onDisk(pair);
			return now.serial !== serial && now.next === null;
		});
		keys.add(JSON.stringify(onDisk(pair).own));
		const token = await pair.gatewayRest();
		await untilOnline(token);
		t.true((await expiryAtHub(await pair.hubRest())) > clock.now() + 364 * DAY_MS);
	}
	t.is(keys.size, 3);
	const { serial } = onDisk(pair);
	await pair.restartGateway();
	await untilOnline(await pair.gatewayRest());
	t.is(onDisk(pair).serial, serial, 'a fresh one is not renewed');
});

test.serial('a gateway has one hub: it leaves it before it goes to another, and nobody else makes it', async (t) => {
	t.timeout(300_000);
	const pair = await startPair(t);
	const gateway = await pair.gatewayRest();
	const hub = await pair.hubRest();
	const first = pair.code();
	t.is((await gateway.delete('/api/v1/uplink')).status, 409, 'there is no hub yet');
	t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: first })).status, 200);
	await untilOnline(gateway);

	const { body: any } = await hub.post('/api/v1/gateways/enrolment-codes', {});
	const again = { hub_url: pair.hubUrl(), code: member(any, 'code') };
	const { serial } = onDisk(pair);
	const refused = await gateway.post('/api/v1/uplink/enrol', again);
	t.is(refused.status, 409);
	t.regex(String(member(refused.body, 'detail')), /has to leave that one first/);
	t.is(onDisk(pair).serial, serial);

	t.is((await gateway.delete('/api/v1/uplink')).status, 204);
	t.is(await stateOf(gateway), 'not-enrolled');
	t.false(readFileSync(join(pair.folder('gateway'), 'uplink.json'), 'utf8').includes('PRIVATE KEY'));
	await pair.restartGateway();
	const restarted = await pair.gatewayRest();
	t.is(await stateOf(restarted), 'not-enrolled');

	// The hub still has it as enrolled: a code for anybody is not for it.
	t.is((await restarted.post('/api/v1/uplink/enrol', again)).status, 409);
	const id = member((await restarted.get('/api/v1/uplink')).body, 'gateway_id');
	const { body: own } = await hub.post('/api/v1/gateways/enrolment-codes', { gateway_id: id });
	const back = await restarted.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: member(own, 'code') });
	t.is(back.status, 200, JSON.stringify(back.body));
	await untilOnline(restarted);
});

test.serial('a revoked gateway is cut off at once, over the whole way', async (t) => {
	t.timeout(300_000);
	const pair = await startPair(t);
	const gateway = await pair.gatewayRest();
	const hub = await pair.hubRest();
	await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
	await untilOnline(gateway);
	const id = String(member((await gateway.get('/api/v1/uplink')).body, 'gateway_id'));
	t.is((await hub.delete(`/api/v1/gateways/${id}`)).status, 204);
	await waitFor('the link is offline', SOON_MS, async () => (await stateOf(gateway)) === 'offline');
	await pair.restartGateway();
	const restarted = await pair.gatewayRest();
	await waitFor('it is refused', SOON_MS, async () => {
		const { body } = await restarted.get('/api/v1/uplink');
		return member(body, 'state') === 'offline' && /refused|closed/i.test(String(member(body, 'last_error')));
	});
});
