import test, { type ExecutionContext } from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { type Pair, startPair } from './pair.ts';

const WITHIN_MS = 40_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const TEXT_BYTES = 90_000;
const MIB = 1024 * 1024;

/** The least that the settings allow. */
const SMALL_JOURNAL = {
	DRAWBRIDGE_JOURNAL_SEGMENT_BYTES: String(256 * 1024),
	DRAWBRIDGE_JOURNAL_MAX_BYTES: String(MIB),
	DRAWBRIDGE_JOURNAL_MIN_FREE_BYTES: '0',
};

/** Digits that hardly compress. */
const textOf = (seed: number): string =>
	Array.from({ length: TEXT_BYTES / 18 }, (_, index) => String(Math.sin(seed * 1e6 + index)).slice(-18)).join('');

async function store(gateway: Rest, payload: object, at?: number): Promise<void> {
	const recorded = at === undefined ? {} : { recorded_at: new Date(at).toISOString() };
	const body = { telemetry_type: 'default', payload, ...recorded };
	const answer = await gateway.post('/api/v1/devices/meter/telemetry', body);
	if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
}

const numberOf = (body: unknown, name: string): number => Number(member(body, name));

async function ledgerOf(hub: Rest): Promise<unknown> {
	const { body } = await hub.get('/api/v1/gateways');
	const id = Array.isArray(body) ? member(body[0], 'id') : undefined;
	return typeof id === 'string' ? (await hub.get(`/api/v1/gateways/${id}/ledger`)).body : null;
}

/** A pair that knows each other and has shared a value, and whose link is cut then. */
async function cutPair(t: ExecutionContext, gatewaySettings: Readonly<Record<string, string>>): Promise<Pair> {
	const pair = await startPair(t, { gateway: gatewaySettings });
	const gateway = await pair.gatewayRest();
	const device = { device_uid: 'meter', name: 'meter', device_type: 'sensor', connection: { driver: 'mqtt' } };
	t.is((await gateway.post('/api/v1/devices', device)).status, 201);
	const enrolled = await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
	t.is(enrolled.status, 200);
	await store(gateway, { power: 1 });
	const hub = await pair.hubRest();
	await waitFor(
		'the first value is there',
		WITHIN_MS,
		async () => numberOf(await ledgerOf(hub), 'received_samples') > 0,
	);
	pair.wire.setMode({ kind: 'cut' });
	return pair;
}

/** What the hub knows when nothing is owed any more. */
const drained = (hub: Rest, samples: number): Promise<unknown> =>
	waitFor('the backlog has gone', WITHIN_MS, async () => {
		const ledger = await ledgerOf(hub);
		const known = numberOf(ledger, 'received_samples') + numberOf(ledger, 'declared_lost_samples');
		return numberOf(ledger, 'missing_samples') === 0 && known >= samples && ledger;
	});

test.serial(
	'what a small journal gives up while the link is cut comes from the sealed history, and nothing is missing',
	async (t) => {
		t.timeout(300_000);
		const pair = await cutPair(t, SMALL_JOURNAL);
		const gateway = await pair.gatewayRest();
		for (let seed = 1; seed <= 25; seed += 1) await store(gateway, { text: textOf(seed) });
		await pair.restartGateway();
		const again = await pair.gatewayRest();
		for (let seed = 26; seed <= 50; seed += 1) await store(again, { text: textOf(seed) });
		const { body: uplink } = await again.get('/api/v1/uplink');
		t.true(numberOf(uplink, 'stored_samples') < 40, 'the journal holds a part only');
		t.true(numberOf(uplink, 'backlog_samples') >= 50, 'all of it is owed');
		pair.wire.setMode({ kind: 'pass' });
		const hub = await pair.hubRest();
		const ledger = await drained(hub, 51);
		t.is(numberOf(ledger, 'declared_lost_samples'), 0);
		t.deepEqual(member(ledger, 'holes'), []);
		const { body: after } = await waitFor('the gateway knows', WITHIN_MS, async () => {
			const answer = await again.get('/api/v1/uplink');
			return numberOf(answer.body, 'backlog_samples') === 0 && answer;
		});
		t.is(numberOf(after, 'declared_lost_samples'), 0);
	},
);

test.serial('of a day that goes before the hub had it the sums arrive, and the ledger says thinned', async (t) => {
	t.timeout(300_000);
	const pair = await cutPair(t, { ...SMALL_JOURNAL, DRAWBRIDGE_HISTORY_MAX_BYTES: String(MIB) });
	const gateway = await pair.gatewayRest();
	const hour = Math.floor((Date.now() - DAY_MS) / DAY_MS) * DAY_MS + 10 * HOUR_MS;
	for (let index = 0; index < 60; index += 1) await store(gateway, { power: index }, hour + index * 1_000);
	for (let seed = 1; seed <= 20; seed += 1) await store(gateway, { text: textOf(seed) }, hour + HOUR_MS + seed * 1_000);
	for (let seed = 21; seed <= 50; seed += 1) await store(gateway, { text: textOf(seed) });
	const steps = await waitFor('the older day has gone', WITHIN_MS, async () => {
		const { body } = await gateway.get('/api/v1/system/storage');
		const overflow = member(body, 'overflow');
		return Array.isArray(overflow) && overflow.length > 0 && overflow;
	});
	t.is(member(steps[0], 'level'), 'raw');
	t.is(member(steps[0], 'reason'), 'thinned');
	t.is(member(steps[0], 'from'), new Date(Math.floor(hour / DAY_MS) * DAY_MS).toISOString());
	pair.wire.setMode({ kind: 'pass' });
	const hub = await pair.hubRest();
	const ledger = await drained(hub, 111);
	const lost = member(ledger, 'lost_by_reason');
	t.true(numberOf(lost, 'thinned') >= 60, JSON.stringify(lost));
	t.is(numberOf(ledger, 'declared_lost_samples'), numberOf(lost, 'thinned'), JSON.stringify(lost));
	const span = `from=${new Date(hour).toISOString()}&to=${new Date(hour + HOUR_MS).toISOString()}`;
	const functions = 'functions=count,min,max,sum';
	const sums = await waitFor('the sums are there', WITHIN_MS, async () => {
		const { body } = await hub.get(`/api/v1/devices/meter/aggregate?points=power&${span}&bucket=1h&${functions}`);
		const values = JSON.stringify(body);
		return values.includes('60') && values.includes('1770') && body;
	});
	t.truthy(sums);
	const { body: complete } = await hub.get('/api/v1/devices/meter/completeness');
	t.regex(JSON.stringify(complete), /"reason":"thinned"/);
	const { payload: metrics } = await pair.gateway().server.inject({ url: '/metrics' });
	t.regex(metrics, /drawbridge_history_dropped_total\{level="raw",reason="thinned"\} [1-9]/);
});
