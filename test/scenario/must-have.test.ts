import test, { type ExecutionContext } from 'ava';

import type { Line } from '../../config/connection/connection.ts';
import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createLatestValues } from '../../core/telemetry/latest-values.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { latestView } from '../../core/telemetry/telemetry-view.ts';
import { createModbusDriver } from '../../gateway/driver/modbus/modbus-driver.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { createModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpResponder } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { playScenario } from '../../gateway/simulator/scenario.ts';
import { createResponder } from '../../gateway/simulator/slave-line.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { plainReader, point, template } from '../fake/plain-plan.ts';
import { createSimulatedDriver, simulatedDevice, simulatedId } from '../fake/simulated-driver.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { inOrder } from './in-order.ts';
import { placeImage, wordAt } from './scenario-line.ts';

/** More than a sound answer needs on a loaded machine: else the device is given up, and asked too seldom to be late. */
const TIMEOUT_MS = 250;

/** Delays beyond the timeout, and beyond the silence that is kept after it; each comes again and again. */
const LATE = [
	{ every: 12, delayMs: TIMEOUT_MS + 115 },
	{ every: 17, delayMs: TIMEOUT_MS + 170 },
];

/** A converter behind which some answers are late, and the others keep their order behind them. */
async function lateConverter(t: ExecutionContext): Promise<number> {
	const slave = createModbusSlave({ clock: systemClock, images: new Map([[1, placeImage(1)]]) });
	const rules = LATE.map(({ every, delayMs }) => ({
		when: { every },
		fault: { kind: 'late', delayMs } as const,
		times: null,
	}));
	const responder = createResponder({ slave, clock: systemClock, scenario: playScenario({ rules }), pacedBaud: null });
	const ordered = inOrder(systemClock);
	const server = await startTcpResponder(
		{ respond: (request, framing) => ordered.put(responder.respond(request, framing)) },
		{ port: 0, framing: 'rtu', clock: systemClock },
	);
	t.teardown(() => server.stop());
	return server.port;
}

for (const [name, counts] of [
	['the same length', [1, 1, 1, 1]],
	['different lengths', [1, 2, 3, 1]],
] as const) {
	test(`case 1: late answers over RTU over TCP, reads of ${name}: no device is given a value of another register`, async (t) => {
		t.timeout(300_000);
		const port = await lateConverter(t);
		// Far apart, so that each point is a read of its own.
		const points = counts.flatMap((count, index) =>
			Array.from({ length: count }, (_, offset) => point(`p${index}_${offset}`, 1000 * index + offset)),
		);
		const plain = template(points);
		const readings: ReadingDraft[] = [];
		const driver = createModbusDriver({
			sink: { reading: (draft) => void readings.push(draft), health: () => undefined },
			clock: systemClock,
			log: silentLog,
			template: () => plain,
			plan: (list) =>
				counts.map((count, index) => {
					const own = list.slice(...rangeOf(counts, index));
					return { functionCode: 3, address: 1000 * index, count, points: own, keys: own.map(({ key }) => key) };
				}),
			createReader: plainReader,
			createLine: createModbusLine(systemClock, portsOf()),
		});
		t.teardown(() => driver.stop());
		const line: Line = { transport: 'rtu-over-tcp', host: '127.0.0.1', port, baudRate: 115_200 };
		const connection = {
			driver: 'modbus',
			line,
			unitId: 1,
			template: 'plain',
			periodMs: 50,
			timeoutMs: TIMEOUT_MS,
			tuning: { timeoutMode: 'fixed' },
		} as const;
		await driver.apply([plainDevice({ id: simulatedId(1), uid: deviceUid('meter-1'), connection })]);
		const addressOf = new Map(points.map(({ key, address }) => [key, address]));
		const late = () => driver.lines()[0]?.timeouts ?? 0;
		await waitFor('late answers and sound ones after them', 120_000, () => late() >= 2 && readings.length > 20);
		for (const { points: keys, values } of readings) {
			for (const [index, key] of keys.entries()) {
				if (values[index] !== null) t.is(values[index], wordAt(1, addressOf.get(key) ?? -1), key);
			}
		}
		t.true((driver.lines()[0]?.quarantines ?? 0) > 0);
	});
}

/** Where the points of one read are in the list of all. */
function rangeOf(counts: readonly number[], index: number): readonly [number, number] {
	const start = counts.slice(0, index).reduce((sum, count) => sum + count, 0);
	return [start, start + (counts[index] ?? 0)];
}

const MINUTE_MS = 60_000;
const line: Line = { transport: 'tcp', host: '10.0.0.1', port: 502 };

test('case 9, on the bus: a clock that comes from 1970 and then falls back by an hour neither stops nor hurries the polls', async (t) => {
	const { driver, time, good, clear } = createSimulatedDriver({
		templates: [template([point('a', 0)])],
		slave: () => () => ({ afterMs: 5 }),
	});
	time.clock.jumpTo(0);
	await driver.apply([simulatedDevice(1, line)]);
	const now = Date.UTC(2026, 0, 1);
	for (const [wall, name] of [
		[0, 'in 1970'],
		[now, 'after the time came'],
		[now - 60 * MINUTE_MS, 'an hour back'],
	] as const) {
		time.clock.jumpTo(wall);
		clear();
		await time.run(MINUTE_MS);
		const instants = good(1).map(({ readAt }) => Number(readAt));
		t.true(Math.abs(instants.length - 60) <= 1, `${name}: ${instants.length} readings in a minute`);
		t.true(
			instants.every((at) => at >= wall && at <= wall + MINUTE_MS),
			name,
		);
	}
	await driver.stop();
});

test('case 15: the value of a device that died ages and is never stamped anew', async (t) => {
	let isAlive = true;
	const { driver, time, readings, healths } = createSimulatedDriver({
		templates: [template([point('a', 7)])],
		slave:
			() =>
			({ unitId }) =>
				unitId === 1 && !isAlive ? 'silence' : { afterMs: 5 },
	});
	// The neighbour on the same line is the heartbeat: the line, the driver and the gateway are all well.
	await driver.apply([simulatedDevice(1, line), simulatedDevice(2, line)]);
	await time.run(MINUTE_MS);
	isAlive = false;
	// An answer may have been under way.
	const diedAt = time.clock.now() + 10;
	await time.run(60 * MINUTE_MS);
	await driver.stop();

	const own = readings.filter(({ device }) => device === simulatedId(1));
	const stampedAnew = own.filter(({ readAt, values }) => readAt > diedAt && values.some((value) => value !== null));
	t.deepEqual(stampedAnew, [], 'no value is told after the device died');
	const neighbour = readings.filter(({ device, readAt }) => device === simulatedId(2) && readAt > diedAt);
	t.true(neighbour.length > 3500, 'the neighbour is read each second');
	t.is(healths(1).at(-1)?.state, 'offline');

	const latest = createLatestValues({ clock: time.clock });
	for (const reading of readings) latest.apply(reading);
	const seen = latest.of(simulatedId(1))?.get('a');
	t.is(seen?.quality, 'comm_error');
	t.is(seen?.value, null);
	t.true(Number(seen?.readAt) - diedAt < 30_000, 'that it is lost is told once');
	if (seen === undefined) return;
	const shown = { unit: null, staleAfterMs: 5000 };
	const ages = [0, 10, 20].map((minutes) => {
		const at = epochMs(time.clock.now() + minutes * MINUTE_MS);
		return latestView(seen, shown, at).age_ms;
	});
	t.true((ages[0] ?? 0) > 59 * MINUTE_MS);
	t.deepEqual(
		ages.slice(1),
		[(ages[0] ?? 0) + 10 * MINUTE_MS, (ages[0] ?? 0) + 20 * MINUTE_MS],
		'its age grows with the time',
	);
});
