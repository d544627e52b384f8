import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { type Enrolled, startEnrolled, untilOnline } from './kit/enrolled.ts';
import { monitor } from './kit/monitoring.ts';
import { readCounterDevices, writeReadCounterTemplate, wrongRecords } from './kit/read-counter.ts';
import { member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import {
	differences,
	heldOf,
	latestOf,
	ledgerOf,
	newestReading,
	newestStatus,
	recordsOf,
	settledLedger,
	uplinkOf,
} from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

/** Length of each outage, s: a minute where nobody waits for it, less for a person. */
// oxlint-disable-next-line node/no-process-env -- how a test run is told how long to take
const OUTAGE_S = Number(process.env['DRAWBRIDGE_SYSTEM_SECONDS'] ?? 60);
const DRAINED_WITHIN_MS = 60_000;
const PERIOD_MS = 200;
const VALUES_PER_READ = 3;

interface Outage {
	readonly backlogAtEnd: number;
	readonly onlineMs: number;
	readonly liveMs: number;
	readonly drainedMs: number;
}

/** Makes the wire bad for a while, and measures what happens when it is good again. */
async function outage(
	{ link, hubRest, gatewayRest }: Enrolled,
	kind: 'cut' | 'black-hole',
	uid: string,
): Promise<Outage> {
	const isLive = async (): Promise<boolean> =>
		typeof member(await latestOf(hubRest, uid, 'reads'), 'value') === 'number';
	await waitFor('values at the hub', DRAINED_WITHIN_MS, isLive);
	link.setMode({ kind });
	await sleep(OUTAGE_S * 1000);
	const backlogAtEnd = Number(await uplinkOf(gatewayRest, 'backlog_samples'));
	const events = await monitor(hubRest, uid);
	try {
		const before = await waitFor('the value from before the outage', DRAINED_WITHIN_MS, () => events.latest('reads'));
		const startMs = performance.now();
		const sinceStart = (): number => performance.now() - startMs;
		link.setMode({ kind: 'pass' });
		const [onlineMs, liveMs] = await Promise.all([
			untilOnline(gatewayRest).then(sinceStart),
			waitFor('live values', DRAINED_WITHIN_MS, () => events.latest('reads') !== before && sinceStart()),
		]);
		const drainedMs = await waitFor('the backlog is drained', DRAINED_WITHIN_MS, async () => {
			const isSmall = Number(await uplinkOf(gatewayRest, 'backlog_samples')) < backlogAtEnd / 5;
			return isSmall && (await ledgerOf(hubRest, gatewayRest)).missing_samples === 0 && sinceStart();
		});
		return { backlogAtEnd, onlineMs, liveMs, drainedMs };
	} finally {
		await events.stop();
	}
}

test.serial(
	'a link that is cut, and one that swallows everything, lose nothing, double nothing and delay no live value',
	async (t) => {
		t.timeout((OUTAGE_S * 2 + 240) * 1000);
		const stage = createStage(t);
		const units = [1, 2, 3];
		const simulator = await stage.spawnSimulator('--mode', 'reads', ...units.flatMap((unit) => ['--tcp', `0:${unit}`]));
		const devices = readCounterDevices(simulator, PERIOD_MS);
		const enrolled = await startEnrolled(stage, devices, writeReadCounterTemplate(stage.folder));
		const { hubRest, gatewayRest } = enrolled;
		for (const kind of ['cut', 'black-hole'] as const) {
			const { backlogAtEnd, onlineMs, liveMs, drainedMs } = await outage(enrolled, kind, 'counter-0-1');
			t.log(
				`${kind} ${OUTAGE_S} s: ${backlogAtEnd} samples behind; online after ${onlineMs.toFixed(0)} ms, live after ${liveMs.toFixed(0)} ms, drained after ${drainedMs.toFixed(0)} ms`,
			);
			t.true(
				backlogAtEnd >= (OUTAGE_S * 1000 * units.length * VALUES_PER_READ) / PERIOD_MS / 2,
				'reading went on meanwhile',
			);
		}
		// Nothing new from here on: both sides can be compared.
		for (const unit of units) await simulator.behave(unit, 'silent', { line: unit - 1 });
		// The last thing that happens is that a device is given up; values stop being shown a few timeouts before.
		for (const { uid } of devices) {
			await waitFor(
				`${uid} is offline`,
				DRAINED_WITHIN_MS,
				async () => (await newestStatus(gatewayRest, uid))?.payload['status'] === 'offline',
			);
			t.is((await newestReading(gatewayRest, uid))?.payload['reads'], null);
		}
		await waitFor(
			'everything is acknowledged',
			DRAINED_WITHIN_MS,
			async () => (await uplinkOf(gatewayRest, 'backlog_samples')) === 0,
		);
		let samples = 0;
		for (const [line, { uid }] of devices.entries()) {
			const onGateway = await recordsOf(gatewayRest, uid);
			const onHub = await heldOf(hubRest, uid, onGateway, DRAINED_WITHIN_MS);
			samples += onHub.reduce((sum, { payload }) => sum + Object.keys(payload).length, 0);
			t.deepEqual(differences(onHub, onGateway), []);
			t.is(onHub.length, onGateway.length);
			t.deepEqual(await wrongRecords(onHub, simulator, line, line + 1), []);
		}
		const ledger = await settledLedger(hubRest, gatewayRest, DRAINED_WITHIN_MS);
		t.is(ledger.missing_samples, 0);
		t.is(ledger.received_samples, samples);
		t.deepEqual(ledger.holes, []);
		t.log(`${samples} samples compared one by one`);
	},
);
