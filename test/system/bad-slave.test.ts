import test from 'ava';

import { findProgram } from '../../demo/program.ts';
import { findPeer } from './kit/peer.ts';
import { misattribution, readCounterDevices, writeReadCounterTemplate } from './kit/read-counter.ts';
import { type Rest, claim, member } from './kit/rest.ts';
import type { ControlFields, SimulatorProcess } from './kit/simulator-process.ts';
import { type Stage, createStage } from './kit/stage.ts';
import { type TelemetryRecord, json, latestOf, recordsOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const PERIOD_MS = 250;
/** More than the simulator and the pseudo-terminal need on a loaded machine; a silent unit is asked again after twenty times as long. */
const TIMEOUT_MS = 400;
const SICK_UNIT = 2;
const WELL_UNITS = [1, 3];
const SEEN_WITHIN_MS = 60_000;
/** Reads of each of the others that have to come while one is sick: three seconds of them take half of that time, where there is time. */
const LEAST_READS = 6;

interface Sickness {
	readonly behaviour: string;
	readonly fields: ControlFields;
	/** What the health has to say. */
	readonly reason: RegExp;
	readonly state: readonly string[];
}

/** A late reply comes after the timeout, when the line may already carry the next request. */
const SICKNESSES: readonly Sickness[] = [
	{ behaviour: 'exception', fields: { exception_code: 4 }, reason: /device failure/, state: ['degraded', 'offline'] },
	{ behaviour: 'exception', fields: { exception_code: 6 }, reason: /busy/, state: ['degraded', 'offline'] },
	{ behaviour: 'garbage', fields: {}, reason: /./, state: ['offline', 'degraded'] },
	{ behaviour: 'late', fields: { delay_ms: TIMEOUT_MS + 60 }, reason: /no answer|timeout/i, state: ['offline'] },
	{ behaviour: 'silent', fields: {}, reason: /no answer/i, state: ['offline'] },
];

const healthOf = async (rest: Rest, uid: string): Promise<unknown> =>
	member(await json(rest, `/api/v1/devices/${uid}`), 'health');

async function startGateway(stage: Stage, simulator: SimulatorProcess): Promise<Rest> {
	const devices = readCounterDevices(simulator, PERIOD_MS, TIMEOUT_MS);
	const gateway = await stage.spawnGateway({ devices, settings: writeReadCounterTemplate(stage.folder) });
	return claim(gateway.url(), await gateway.claimCode());
}

for (const transport of ['tcp', 'rtu'] as const) {
	test.serial(
		`a slave on ${transport} that answers exceptions, garbage, late or never is said to do so, and harms nobody else`,
		async (t) => {
			if (transport === 'rtu' && findProgram('socat') === null) {
				findPeer(t, 'socat');
				return;
			}
			t.timeout(400_000);
			const stage = createStage(t);
			const units = [...WELL_UNITS, SICK_UNIT].join(',');
			const where = transport === 'tcp' ? '0' : stage.folder;
			const simulator = await stage.spawnSimulator(
				'--mode',
				'reads',
				`--${transport}`,
				`${where}:${units}`,
				'--baud',
				'115200',
			);
			const rest = await startGateway(stage, simulator);
			const sick = `counter-0-${SICK_UNIT}`;
			const reads = async (uid: string): Promise<number> => {
				const { body } = await rest.get(`/api/v1/devices/${uid}/telemetry?limit=50`);
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of this list
				const newest = (body as readonly TelemetryRecord[]).find(({ payload }) => typeof payload['reads'] === 'number');
				return Number(newest?.payload['reads'] ?? 0);
			};
			const isOk = async (): Promise<boolean> => member(await healthOf(rest, sick), 'state') === 'ok';
			await waitFor('the device is ok', SEEN_WITHIN_MS, isOk);

			for (const { behaviour, fields, reason, state } of SICKNESSES) {
				const startMs = performance.now();
				const wellBefore = await Promise.all(WELL_UNITS.map((unit) => reads(`counter-0-${unit}`)));
				await simulator.behave(SICK_UNIT, behaviour, fields);
				const health = await waitFor(`${behaviour} is noticed`, SEEN_WITHIN_MS, async () => {
					const found = await healthOf(rest, sick);
					return (
						state.includes(String(member(found, 'state'))) && reason.test(String(member(found, 'reason'))) && found
					);
				});
				const latest = await waitFor(`no value while ${behaviour}`, SEEN_WITHIN_MS, async () => {
					const found = await latestOf(rest, sick, 'reads');
					return member(found, 'quality') === 'comm_error' && found;
				});
				t.is(member(latest, 'value'), null, 'no old value is passed off as a new one');
				await waitFor('some time with the sick device', SEEN_WITHIN_MS, () => performance.now() - startMs > 3_000);
				const well = await waitFor('reads of the others', SEEN_WITHIN_MS, async () => {
					const counts = await Promise.all(
						WELL_UNITS.map(async (unit, index) => (await reads(`counter-0-${unit}`)) - (wellBefore[index] ?? 0)),
					);
					return counts.every((count) => count >= LEAST_READS) && counts;
				});
				const periods = (performance.now() - startMs) / PERIOD_MS;
				t.log(
					`${behaviour} ${JSON.stringify(fields)}: ${String(member(health, 'state'))}, "${String(member(health, 'reason'))}"; the others were read ${well.join(' and ')} times in ${periods.toFixed(0)} periods`,
				);
				for (const count of well) t.true(count < periods * 2, `${count} reads in ${periods} periods`);
				await simulator.behave(SICK_UNIT, 'normal');
				await waitFor('the device is ok again', SEEN_WITHIN_MS * 2, isOk);
			}
			let records = 0;
			for (const unit of [...WELL_UNITS, SICK_UNIT]) {
				const list = await recordsOf(rest, `counter-0-${unit}`);
				records += list.length;
				t.deepEqual(
					list.flatMap((record) => misattribution(record, unit) ?? []),
					[],
				);
				const answers = list.flatMap(({ payload }) => (typeof payload['reads'] === 'number' ? [payload['reads']] : []));
				t.deepEqual(
					answers,
					[...new Set(answers)].toSorted((one, other) => other - one),
					'each answer once and in its order',
				);
			}
			t.log(`${records} records, none under a wrong name`);
		},
	);
}
