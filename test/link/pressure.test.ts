import test from 'ava';

import { createPressure } from '../../cloud/link/pressure.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import { parsePressure, type Pressure, pressureMessage } from '../../core/link/lane-messages.ts';
import { createBatchSize } from '../../gateway/uplink/batch-size.ts';
import { createHubPressure } from '../../gateway/uplink/hub-pressure.ts';
import { createManualClock } from '../fake/manual-clock.ts';

function hubBench() {
	const clock = createManualClock();
	const load = { pendingSamples: 0, waitingBytes: 0 };
	const told: [GatewayId, Pressure][] = [];
	const gateways = Array.from({ length: 500 }, () => newGatewayId());
	const pressure = createPressure({
		send(gateway, _kind, payload) {
			told.push([gateway, parsePressure(payload)]);
			return true;
		},
		waitingBytes: () => load.waitingBytes,
		pendingSamples: () => load.pendingSamples,
		online: () => gateways,
		clock,
	});
	return { clock, load, told, gateways, pressure };
}

test('a hub that keeps up says nothing', async (t) => {
	const { pressure, gateways, told } = hubBench();
	for (const gateway of gateways.slice(0, 3)) pressure.history(gateway);
	pressure.look();
	t.deepEqual(told, []);
	await pressure.stop();
});

test('five hundred gateways that drain together share what may be on the way', async (t) => {
	const { pressure, gateways, told, clock } = hubBench();
	for (const gateway of gateways) pressure.history(gateway);
	pressure.look();
	t.is(told.length, 500);
	t.true(told.every(([, { windowSamples, pauseMs }]) => windowSamples === 4_000 && pauseMs === 0));
	// Said once, and taken back when most of them are done.
	pressure.look();
	t.is(told.length, 500);
	clock.advance(6_000);
	const [first] = gateways;
	if (first !== undefined) pressure.history(first);
	pressure.look();
	t.like(
		told.find(([gateway], index) => index >= 500 && gateway === first),
		{ 1: { windowSamples: 60_000 } },
	);
	await pressure.stop();
});

test('history waits first and live values last, and a pause is said again while it has to last', async (t) => {
	const { pressure, gateways, told, load, clock } = hubBench();
	for (const gateway of gateways.slice(0, 2)) pressure.history(gateway);
	load.pendingSamples = 120_000;
	pressure.look();
	t.is(told.length, 2, 'those that send history');
	t.true(told.every(([, { pauseMs, isLivePaused }]) => pauseMs > 0 && !isLivePaused));
	pressure.look();
	t.is(told.length, 2);
	clock.advance(1_000);
	pressure.look();
	t.is(told.length, 4);
	load.pendingSamples = 180_000;
	pressure.look();
	t.is(told.length, 504, 'everybody');
	t.true(told.at(-1)?.[1].isLivePaused);
	load.pendingSamples = 0;
	pressure.look();
	t.deepEqual(told.at(-1)?.[1].pauseMs, 0);
	await pressure.stop();
});

test('a gateway keeps to what the hub has said, until the next session', (t) => {
	const clock = createManualClock();
	const pressure = createHubPressure({ clock });
	t.is(pressure.historyWaitMs(), 0);
	pressure.hear(pressureMessage({ pauseMs: 1_000, isLivePaused: true, windowSamples: 5_000 }));
	t.is(pressure.historyWaitMs(), 1_000);
	t.true(pressure.isLivePaused());
	t.is(pressure.windowSamples(), 5_000);
	clock.advance(1_000);
	t.is(pressure.historyWaitMs(), 0);
	t.false(pressure.isLivePaused());
	pressure.hear(pressureMessage({ pauseMs: 60_000, isLivePaused: true, windowSamples: 1 }));
	pressure.reset();
	t.is(pressure.historyWaitMs(), 0);
	t.is(pressure.windowSamples(), 60_000);
	for (const wrong of [{ pauseMs: 3_600_000, isLivePaused: true, windowSamples: 1 }, { pauseMs: 0 }, 'x'])
		t.throws(() => pressure.hear(Buffer.from(JSON.stringify(wrong))), { message: /pressure/ });
});

test('blocks grow while the line is quick, and take about a second of a slow one', (t) => {
	const quick = createBatchSize();
	for (let block = 0; block < 20; block += 1) quick.note({ samples: quick.samples(), encodeMs: 1, lineMs: 10 });
	t.is(quick.samples(), 20_000);
	// 500 samples a second.
	const slow = createBatchSize();
	for (let block = 0; block < 20; block += 1)
		slow.note({ samples: slow.samples(), encodeMs: 1, lineMs: slow.samples() * 2 });
	t.true(slow.samples() >= 250 && slow.samples() <= 1_000, String(slow.samples()));
	// A line that gets better.
	for (let block = 0; block < 30; block += 1) slow.note({ samples: slow.samples(), encodeMs: 1, lineMs: 5 });
	t.is(slow.samples(), 20_000);
	const weak = createBatchSize();
	for (let block = 0; block < 20; block += 1)
		weak.note({ samples: weak.samples(), encodeMs: weak.samples() / 50, lineMs: 10 });
	t.true(weak.samples() <= 4_000, 'a small processor is not held up by its own blocks');
	const dead = createBatchSize();
	for (let block = 0; block < 50; block += 1) dead.note({ samples: dead.samples(), encodeMs: 1, lineMs: 14_000 });
	t.is(dead.samples(), 100);
});
