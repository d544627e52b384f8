import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { startEnrolled, untilOnline } from './kit/enrolled.ts';
import type { HullProcess } from './kit/hull-process.ts';
import { createRandom } from './kit/random.ts';
import { readCounterDevices, writeReadCounterTemplate, wrongRecords } from './kit/read-counter.ts';
import { login } from './kit/rest.ts';
import { systemSeeds } from './kit/seeds.ts';
import { createStage } from './kit/stage.ts';
import { differences, heldOf, ledgerOf, newestStatus, recordsOf, uplinkOf } from './kit/telemetry.ts';
import { settled, waitFor } from './kit/wait-for.ts';

const KILLS = 20;
const PERIOD_MS = 100;
/** Longest life and longest death of a process between two kills. */
const MOST_ALIVE_MS = 5_000;
const MOST_DEAD_MS = 800;
const SETTLED_WITHIN_MS = 60_000;

test.serial(
	'a gateway and a hub that are killed again and again lose nothing of the journal and store nothing twice',
	async (t) => {
		t.timeout(900_000);
		const random = createRandom(systemSeeds([579_031])[0]);
		t.log(`seed ${random.seed}`);
		const stage = createStage(t);
		const units = [1, 2, 3, 4, 5, 6];
		const simulator = await stage.spawnSimulator('--mode', 'reads', ...units.flatMap((unit) => ['--tcp', `0:${unit}`]));
		const devices = readCounterDevices(simulator, PERIOD_MS);
		const { hub, gateway } = await startEnrolled(stage, devices, writeReadCounterTemplate(stage.folder));
		const starts = new Map<HullProcess, number[]>([
			[hub, []],
			[gateway, []],
		]);

		async function killAgainAndAgain(hull: HullProcess): Promise<void> {
			for (let kill = 0; kill < KILLS; kill += 1) {
				await sleep(random.below(MOST_ALIVE_MS));
				await hull.kill9();
				await sleep(random.below(MOST_DEAD_MS));
				const startMs = performance.now();
				await hull.start();
				starts.get(hull)?.push(performance.now() - startMs);
			}
		}

		const startMs = performance.now();
		await Promise.all([killAgainAndAgain(hub), killAgainAndAgain(gateway)]);
		t.log(`${KILLS} kills of each in ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
		for (const [{ role }, ms] of starts)
			t.log(`start of the ${role} after a kill: ${Math.max(...ms).toFixed(0)} ms at most`);

		const [hubRest, gatewayRest] = [await login(hub.url()), await login(gateway.url())];
		await untilOnline(gatewayRest);
		for (const unit of units) await simulator.behave(unit, 'silent', { line: unit - 1 });
		for (const { uid } of devices)
			await waitFor(
				`${uid} is offline`,
				SETTLED_WITHIN_MS,
				async () => (await newestStatus(gatewayRest, uid))?.payload['status'] === 'offline',
			);
		await waitFor(
			'everything is acknowledged',
			SETTLED_WITHIN_MS,
			async () => (await uplinkOf(gatewayRest, 'backlog_samples')) === 0,
		);

		let journalled = 0;
		let more = 0;
		let held = 0;
		for (const [line, { uid }] of devices.entries()) {
			const onGateway = await recordsOf(gatewayRest, uid);
			// What the gateway shows may be on its way to its journal, and to the hub, still.
			const onHub = await heldOf(hubRest, uid, onGateway, SETTLED_WITHIN_MS);
			journalled += onGateway.length;
			// Live values may have reached the hub's disk before a kill took them from the gateway's memory.
			more += onHub.length - onGateway.length;
			held += onHub.reduce((sum, { payload }) => sum + Object.keys(payload).length, 0);
			t.deepEqual(differences(onHub, onGateway), []);
			t.deepEqual(await wrongRecords(onHub, simulator, line, line + 1), []);
		}
		t.log(`${journalled} records of the gateway's journal compared; ${more} more reached the hub only`);

		const ledger = await settled(
			SETTLED_WITHIN_MS,
			() => ledgerOf(hubRest, gatewayRest),
			({ missing_samples: missing, received_samples: received }) => missing === 0 && received >= held,
		);
		t.log(
			`${ledger.received_samples} samples in ${ledger.received.length} epochs, holes: ${JSON.stringify(ledger.holes)}`,
		);
		t.deepEqual(
			ledger.holes.filter(({ reason }) => reason === 'in-transit'),
			[],
		);
		t.is(ledger.missing_samples, 0);
		t.is(ledger.received_samples, held, 'the ledger counts what is stored');
		const epochs = ledger.received.map(({ epoch }) => epoch);
		t.is(new Set(epochs).size, epochs.length);
		t.deepEqual(
			epochs,
			epochs.toSorted((one, other) => one - other),
		);
		t.true(epochs.length <= KILLS + 1);
	},
);
