import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createMachine } from '../fake/set-machine.ts';
import { startPair } from '../link/pair.ts';
import { member, type Rest } from '../system/kit/rest.ts';
import { ledgerOf, recordsOf, STATUS_TYPE, uplinkOf } from '../system/kit/telemetry.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const SOON_MS = 45_000;
/** What the way to the hub may add to the stated error, beside the time that a value took to be said. */
const ERROR_MS = 1_500;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Said {
	readonly fromMs: number;
	readonly untilMs: number;
}

/** Says values one after the other, and remembers when it was. */
function createTalker() {
	const said = new Map<number, Said>();
	return {
		said,
		say: async (gateway: Rest): Promise<void> => {
			const value = said.size + 1;
			const fromMs = systemClock.now();
			const body = { telemetry_type: 'default', payload: { value } };
			const { status } = await gateway.post('/api/v1/devices/talker/telemetry', body);
			if (status !== 201) throw new Error(`telemetry: ${status}`);
			said.set(value, { fromMs, untilMs: systemClock.now() });
			await pause(30);
		},
	};
}

const timeOf = async (rest: Rest): Promise<unknown> => (await rest.get('/api/v1/system/time')).body;

/** Value and instant of everything the hub has of the talker. */
async function heldBy(hub: Rest): Promise<readonly (readonly [number, number])[]> {
	const records = await recordsOf(hub, 'talker');
	return records
		.filter(({ telemetry_type: type }) => type !== STATUS_TYPE)
		.map(({ payload, recorded_at: at }) => [Number(payload['value']), Date.parse(at)] as const)
		.toSorted(([one], [other]) => one - other);
}

test.serial(
	'a gateway that boots in 1970, jumps, and boots without the time once more: the hub has everything once, under its instant',
	async (t) => {
		t.timeout(300_000);
		const machine = createMachine(60_000);
		const pair = await startPair(t, { gatewayMachine: machine });
		const hub = await pair.hubRest();
		let gateway = await pair.gatewayRest();
		const { said, say } = createTalker();
		const device = { device_uid: 'talker', name: 'Talker', device_type: 'sensor', connection: { driver: 'mqtt' } };
		t.is((await gateway.post('/api/v1/devices', device)).status, 201);

		const allArrived = async (rest: Rest): Promise<void> => {
			await waitFor(`the hub has ${said.size} values`, SOON_MS, async () => (await heldBy(hub)).length >= said.size);
			await waitFor('nothing is owed', SOON_MS, async () => (await uplinkOf(rest, 'backlog_samples')) === 0);
			const held = await heldBy(hub);
			t.deepEqual(
				held.map(([value]) => value),
				[...said.keys()],
				'each once',
			);
			for (const [value, at] of held) {
				const { fromMs, untilMs } = said.get(value) ?? { fromMs: 0, untilMs: 0 };
				t.true(at >= fromMs - ERROR_MS && at <= untilMs + ERROR_MS, `value ${value} is ${at - fromMs} ms off`);
			}
		};

		// Before there is a hub nobody knows the time.
		for (let count = 0; count < 3; count += 1) await say(gateway);
		t.like(await timeOf(gateway), { clock_quality: 'unset', is_known: false, is_trusted: false });
		t.regex(String(member(member((await gateway.get('/health')).body, 'reasons'), 'clock')), /not known/);
		t.is((await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() })).status, 200);
		await waitFor('the hub has said the time', SOON_MS, async () => {
			// Who logged in while nobody knew the time logs in again.
			gateway = await pair.gatewayRest();
			return member(await timeOf(gateway), 'clock_quality') === 'hub';
		});
		await say(gateway);
		await allArrived(gateway);
		const first = await recordsOf(hub, 'talker');
		t.true(
			first.every(({ recorded_at: at }) => Date.parse(at) > systemClock.now() - 60_000),
			'nothing under 1970',
		);

		// The machine is set right by hand, and then plays tricks.
		machine.setWall(systemClock.now());
		await pause(1_200);
		for (const byMs of [HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS, 10 * YEAR_MS, -10 * YEAR_MS]) {
			machine.step(byMs);
			await say(gateway);
			await pause(1_100);
			await say(gateway);
		}
		t.is((await gateway.get('/api/v1/devices')).status, 200, 'who was logged in still is');
		await allArrived(gateway);

		machine.reboot();
		await pair.restartGateway(() => machine.setWall(60_000));
		let again = await pair.gatewayRest();
		await say(again);
		await waitFor('the hub has said the time', SOON_MS, async () => {
			again = await pair.gatewayRest();
			return member(await timeOf(again), 'clock_quality') === 'hub';
		});
		await say(again);
		await allArrived(again);
		const id = String(await uplinkOf(again, 'gateway_id'));
		const clock = (await hub.get(`/api/v1/gateways/${id}/clock`)).body;
		t.like(clock, { gateway_id: id, clock_quality: 'hub', sample_quality: null });
		const eras = member(clock, 'eras');
		const oldest: unknown = Array.isArray(eras) ? eras[0] : null;
		const [epoch, seq] = [member(oldest, 'epoch'), member(oldest, 'first_seq')].map(Number);
		const sample = await hub.get(`/api/v1/gateways/${id}/clock?epoch=${epoch}&seq=${seq}`);
		t.is(member(sample.body, 'sample_quality'), 'hub');
		const { missing_samples: missing, declared_lost_samples: lost } = await ledgerOf(hub, again);
		t.deepEqual([missing, lost], [0, 0]);
	},
);
