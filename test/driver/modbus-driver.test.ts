import test from 'ava';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Line } from '../../config/connection/connection.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type DeviceId, deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { createModbusDriver, type ModbusDriverDeps } from '../../gateway/driver/modbus/modbus-driver.ts';
import { createFakeSlave, registerOf } from '../fake/modbus-slave.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { plainPlan, plainReader, point, template } from '../fake/plain-plan.ts';
import { reservePort } from '../fake/reserved-port.ts';
import { createRtuWire } from '../fake/rtu-wire.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { portsOf } from '../fake/machine-ports.ts';

/** Longer than any stall of a loaded machine: an answer that comes is an answer. */
const PATIENT_MS = 10_000;
/** For units that do not answer. */
const IMPATIENT_MS = 60;

const idOf = (unitId: number): DeviceId => deviceId(`00000000-0000-4000-8000-${String(unitId).padStart(12, '0')}`);

function device(
	unitId: number,
	line: Line,
	more: { readonly periodMs?: number; readonly timeoutMs?: number; readonly template?: string } = {},
): Device {
	return plainDevice({
		id: idOf(unitId),
		uid: deviceUid(`meter-${unitId}`),
		name: `Meter ${unitId}`,
		connection: {
			driver: 'modbus',
			line,
			unitId,
			template: more.template ?? 'plain',
			periodMs: more.periodMs ?? 20,
			timeoutMs: more.timeoutMs ?? PATIENT_MS,
			tuning: { timeoutMode: 'fixed' },
		},
	});
}

const tcp = (port: number): Line => ({ transport: 'tcp', host: '127.0.0.1', port });
const rtu = (baudRate: number): Line => ({
	transport: 'rtu',
	path: '/dev/fake',
	baudRate,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
});

/** A driver whose output can be waited for. */
function createBench(templates: readonly DeviceTemplate[], more: Partial<ModbusDriverDeps> = {}) {
	const readings: ReadingDraft[] = [];
	const healths: { readonly device: DeviceId; readonly health: DeviceHealth }[] = [];
	const waiters = new Set<() => void>();
	const note = (): void => {
		for (const wake of waiters) wake();
	};
	const driver = createModbusDriver({
		sink: {
			reading(draft) {
				readings.push(draft);
				note();
			},
			health(id, health) {
				healths.push({ device: id, health });
				note();
			},
		},
		clock: systemClock,
		log: silentLog,
		template: (key) => templates.find((known) => known.key === key) ?? null,
		plan: plainPlan,
		createReader: plainReader,
		createLine: createModbusLine(systemClock, portsOf()),
		...more,
	});
	/** Resolves once the condition holds; it is looked at after each reading and each change of health. */
	const until = (holds: () => boolean): Promise<void> =>
		new Promise((resolve) => {
			const look = (): void => {
				if (!holds()) return;
				waiters.delete(look);
				resolve();
			};
			waiters.add(look);
			look();
		});
	const of = (unitId: number): readonly ReadingDraft[] => readings.filter((draft) => draft.device === idOf(unitId));
	const healthOf = (unitId: number): DeviceHealth | undefined =>
		healths.findLast((change) => change.device === idOf(unitId))?.health;
	return { driver, readings, healths, until, of, healthOf };
}

const three = template([point('a', 0), point('b', 1), point('c', 2)]);

test('adjacent registers come in one request and each period brings one reading', async (t) => {
	const slave = await createFakeSlave();
	const { driver, of, until, healthOf } = createBench([three]);
	const before = systemClock.now();
	await driver.apply([device(1, tcp(slave.port)), device(2, tcp(slave.port))]);
	await until(() => of(1).length >= 3 && of(2).length >= 3);
	await driver.stop();
	t.true(slave.requests.every(({ address, count }) => address === 0 && count === 3));
	t.is(slave.connections, 1, 'devices of one host share a connection');
	for (const unitId of [1, 2]) {
		const [first, second] = of(unitId);
		t.deepEqual(first?.points, ['a', 'b', 'c']);
		t.deepEqual(
			first?.values,
			[0, 1, 2].map((address) => registerOf(unitId, address)),
		);
		t.is(first?.qualities, null);
		t.is(first?.points, second?.points, 'keys are one shared array');
		const instants = of(unitId).map(({ readAt }) => Number(readAt));
		t.deepEqual(
			instants,
			instants.toSorted((a, b) => a - b),
		);
		t.true(Math.min(...instants) >= before);
		t.is(healthOf(unitId)?.state, 'ok');
		t.is(healthOf(unitId)?.reason, null);
	}
	await slave.stop();
});

test('after stop nothing is read or told any more', async (t) => {
	const slave = await createFakeSlave(() => ({ kind: 'data', delayMs: 10 }));
	const { driver, readings, until } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => readings.length >= 1);
	await driver.stop();
	const { length } = readings;
	await new Promise((resolve) => setTimeout(resolve, 60));
	t.is(readings.length, length);
	t.deepEqual(driver.lines(), []);
	await slave.stop();
});

/** Register 50 does not exist. */
const isBad = (address: number, count: number): boolean => address <= 50 && address + count > 50;

test('a bad register in a merged block costs only its own point, which is asked no more', async (t) => {
	const points = Array.from({ length: 10 }, (_, i) => point(`p${i}`, 10 * i));
	const slave = await createFakeSlave(({ address, count }) =>
		isBad(address, count) ? { kind: 'exception', code: 2 } : { kind: 'data' },
	);
	const { driver, of, until, healthOf } = createBench([template(points)]);
	await driver.apply([device(1, tcp(slave.port))]);
	const good = points.filter(({ address }) => address !== 50);
	await until(() =>
		good.every(
			({ key }) => of(1).filter((draft) => draft.qualities === null && draft.points.includes(key)).length >= 3,
		),
	);
	const asked = slave.requests.length;
	await until(() => slave.requests.length >= asked + 6);
	await driver.stop();
	const later = slave.requests.slice(asked);
	t.false(later.some(({ address, count }) => isBad(address, count)));
	t.true(new Set(later.map(({ address }) => address)).size <= 2, 'what is left is planned together again');
	for (const draft of of(1)) {
		for (const [i, key] of draft.points.entries()) {
			if (key === 'p5') t.is(draft.values[i], null);
			else t.is(draft.values[i], registerOf(1, 10 * Number(key.slice(1))));
		}
	}
	const marked = of(1).filter((draft) => draft.points.includes('p5'));
	t.is(marked.length, 1, 'one reading says that the point is missing');
	t.deepEqual(marked[0]?.qualities, ['comm_error']);
	t.is(healthOf(1)?.state, 'degraded');
	t.regex(healthOf(1)?.reason ?? '', /does not have p5; check that the template/);
	await slave.stop();
});

test('a hole between two points is found once and read around', async (t) => {
	const points = [point('a', 0), point('b', 20)];
	const slave = await createFakeSlave(({ address, count }) =>
		address < 15 && address + count > 10 ? { kind: 'exception', code: 2 } : { kind: 'data' },
	);
	const { driver, of, until, healthOf } = createBench([template(points)]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => of(1).length >= 8);
	await driver.stop();
	t.is(slave.requests.filter(({ count }) => count > 1).length, 1);
	t.is(healthOf(1)?.state, 'ok');
	t.true(of(1).every(({ qualities }) => qualities === null));
	await slave.stop();
});

test('a device that allows shorter reads than its template says is read in shorter reads', async (t) => {
	const points = Array.from({ length: 40 }, (_, i) => point(`p${i}`, i));
	const slave = await createFakeSlave(({ count }) => (count > 12 ? { kind: 'exception', code: 3 } : { kind: 'data' }));
	const { driver, of, until, healthOf } = createBench([template(points)]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => points.every(({ key }) => of(1).filter((draft) => draft.points.includes(key)).length >= 3));
	await driver.stop();
	t.true(slave.requests.filter(({ count }) => count > 12).length <= 10);
	t.is(healthOf(1)?.state, 'ok');
	await slave.stop();
});

test('settings are read at the start and not again in each period', async (t) => {
	const slave = await createFakeSlave();
	const { driver, of, until } = createBench([
		template([point('power', 0), point('ct-ratio', 500, { kind: 'setting' })]),
	]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => of(1).filter((draft) => draft.points.includes('power')).length >= 6);
	await driver.stop();
	t.is(slave.requests.filter(({ address }) => address === 500 || address + 0 > 400).length, 1);
	await slave.stop();
});

test('a silent device says so once, its neighbours keep reading, and it recovers', async (t) => {
	let isDead = true;
	const slave = await createFakeSlave(({ unitId }) =>
		unitId === 3 && isDead ? { kind: 'silence' } : { kind: 'data' },
	);
	const { driver, of, until, healthOf, healths } = createBench([three]);
	await driver.apply([
		...[1, 2].map((unitId) => device(unitId, tcp(slave.port))),
		device(3, tcp(slave.port), { timeoutMs: IMPATIENT_MS }),
	]);
	await until(() => healthOf(3)?.state === 'offline');
	t.regex(
		healthOf(3)?.reason ?? '',
		/^no answer from unit 3 on tcp 127\.0\.0\.1:\d+ since \d\d:\d\d:\d\dZ \(3 timeouts\); check wiring and unit id$/,
	);
	const { length } = of(1);
	await until(() => of(1).length >= length + 20 && of(2).length >= length + 20);
	t.deepEqual(
		of(3).map(({ values, qualities }) => [values, qualities]),
		[
			[
				[null, null, null],
				['comm_error', 'comm_error', 'comm_error'],
			],
		],
	);
	isDead = false;
	await until(() => healthOf(3)?.state === 'ok');
	await driver.stop();
	t.deepEqual(
		healths.filter(({ device: id }) => id === idOf(3)).map(({ health }) => health.state),
		['offline', 'degraded', 'ok'],
	);
	t.deepEqual(
		healths.filter(({ device: id }) => id === idOf(1)).map(({ health }) => health.state),
		['ok'],
	);
	await slave.stop();
});

test('a lost connection is told by its reason, and reading goes on after it is back', async (t) => {
	const slave = await createFakeSlave();
	const { driver, of, until, healthOf } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => healthOf(1)?.state === 'ok');
	slave.hangUp();
	await until(() => healthOf(1)?.state === 'offline');
	t.regex(healthOf(1)?.reason ?? '', /closed the connection|broke/);
	t.deepEqual(of(1).at(-1)?.values, [null, null, null]);
	await until(() => healthOf(1)?.state === 'ok');
	t.is(slave.connections, 2);
	await driver.stop();
	await slave.stop();
});

test('applying again leaves unchanged devices undisturbed', async (t) => {
	const slave = await createFakeSlave();
	const { driver, of, until, healths } = createBench([three]);
	const first = device(1, tcp(slave.port));
	await driver.apply([first, device(2, tcp(slave.port))]);
	await until(() => of(1).length >= 2 && of(2).length >= 2);
	const keys = of(1).at(-1)?.points;
	await driver.apply([{ ...first, name: 'Renamed', revision: 9 }, device(4, tcp(slave.port))]);
	const { length } = of(2);
	await until(() => of(4).length >= 2);
	const count = of(1).length;
	await until(() => of(1).length > count);
	t.is(of(1).at(-1)?.points, keys, 'the plan is the same object');
	t.is(of(2).length, length, 'a removed device is read no more');
	t.is(slave.connections, 1);
	t.is(healths.filter(({ device: id }) => id === idOf(1)).length, 1);
	await driver.apply([]);
	t.deepEqual(driver.lines(), []);
	await driver.stop();
	await slave.stop();
});

test('two dead hosts do not disturb a third', async (t) => {
	const slave = await createFakeSlave();
	const gone = { port: await reservePort() };
	const { driver, of, until, healthOf } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port)), device(2, tcp(gone.port))]);
	await until(() => of(1).length >= 5 && healthOf(2)?.state === 'offline');
	t.regex(healthOf(2)?.reason ?? '', /ECONNREFUSED/);
	t.is(driver.lines().find(({ line }) => line.endsWith(`:${gone.port}`))?.state, 'failed');
	t.is(driver.lines().find(({ line }) => line.endsWith(`:${slave.port}`))?.state, 'open');
	await driver.stop();
	await slave.stop();
});

/** Makes every line one on this wire. */
const lineOn =
	(wire: ReturnType<typeof createRtuWire>): ModbusDriverDeps['createLine'] =>
	(_, meter) =>
		createRtuLine({
			link: wire.link(),
			timing: { baudRate: 115_200, bitsPerChar: 10 },
			clock: systemClock,
			meter,
			guard: createLateReplyGuard(() => systemClock.monotonicMs()),
		});

test('serial settings that contradict each other put the later device offline', async (t) => {
	const wire = createRtuWire(() => ({ delayMs: 0 }));
	const { driver, of, until, healthOf } = createBench([three], { createLine: lineOn(wire) });
	await driver.apply([device(2, rtu(19_200)), device(1, rtu(9600)), device(3, rtu(9600))]);
	await until(() => of(1).length >= 2 && of(3).length >= 2);
	t.is(healthOf(2)?.state, 'offline');
	t.is(
		healthOf(2)?.reason,
		'rtu /dev/fake 19200 8N1 contradicts Meter 1, which uses this port as rtu /dev/fake 9600 8N1: all devices on a serial line share its settings',
	);
	t.is(driver.lines().length, 1);
	t.is(of(2).length, 0);
	await driver.stop();
});

test('a device without its template is told which', async (t) => {
	const slave = await createFakeSlave();
	const { driver, healthOf } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port), { template: 'unknown-meter' })]);
	t.is(healthOf(1)?.state, 'offline');
	t.regex(healthOf(1)?.reason ?? '', /template unknown-meter is not installed/);
	await driver.stop();
	await slave.stop();
});

test('statistics count what happened on the line', async (t) => {
	const slave = await createFakeSlave((_, index) => (index === 1 ? { kind: 'exception', code: 6 } : { kind: 'data' }));
	const { driver, of, until } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => of(1).length >= 5);
	const [stats] = driver.lines();
	await driver.stop();
	await slave.stop();
	if (stats === undefined) {
		t.fail('the line is listed');
		return;
	}
	t.is(stats.line, `tcp 127.0.0.1:${slave.port}`);
	t.is(stats.state, 'open');
	t.true(stats.requests >= 6);
	t.is(stats.exceptions, 1);
	t.true(stats.utilisation > 0 && stats.utilisation <= 1);
	t.true(Number(stats.latencyP99Ms) >= Number(stats.latencyP50Ms));
});

test('a device whose answers are all damaged goes offline with a hint at the line settings', async (t) => {
	const slave = await createFakeSlave(() => ({ kind: 'wrong-unit' }));
	const { driver, of, until, healthOf } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => healthOf(1)?.state === 'offline');
	t.regex(healthOf(1)?.reason ?? '', /no usable answer from unit 1 .*unit 2 in the reply.*check wiring, line settings/);
	t.true(of(1).every(({ values }) => values.every((value) => value === null)));
	await driver.stop();
	await slave.stop();
});

for (const [code, sentence] of [
	[10, /^the Modbus gateway has no path to unit 1 on tcp .* since .* \(exception 10, 3 times\); check which units/],
	[11, /^the Modbus gateway gets no answer from unit 1 on tcp .* \(exception 11, 3 times\); the network is fine/],
] as const) {
	test(`a unit of which a gateway says exception ${code} is offline, and the sentence says where to look`, async (t) => {
		const slave = await createFakeSlave(() => ({ kind: 'exception', code }));
		const { driver, until, healthOf } = createBench([three]);
		await driver.apply([device(1, tcp(slave.port))]);
		await until(() => healthOf(1)?.state === 'offline');
		t.regex(healthOf(1)?.reason ?? '', sentence);
		await driver.stop();
		await slave.stop();
	});
}

test('a device that is busy for a while is degraded, not offline, and its points are told once', async (t) => {
	let isBusy = false;
	const slave = await createFakeSlave(() => (isBusy ? { kind: 'exception', code: 6 } : { kind: 'data' }));
	const { driver, of, until, healths, healthOf } = createBench([three]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => healthOf(1)?.state === 'ok');
	isBusy = true;
	await until(() => healthOf(1)?.state === 'degraded');
	const asked = slave.requests.length;
	while (slave.requests.length < asked + 5) await new Promise(setImmediate);
	t.is(of(1).filter(({ qualities }) => qualities !== null).length, 1);
	isBusy = false;
	await until(() => healthOf(1)?.state === 'ok');
	t.deepEqual(
		healths.map(({ health }) => health.state),
		['ok', 'degraded', 'ok'],
	);
	await driver.stop();
	await slave.stop();
});

test('over RTU, a dead unit leaves the others their values and is never given theirs', async (t) => {
	const wire = createRtuWire(({ unitId }) => (unitId === 2 ? null : { delayMs: 1 }));
	const { driver, of, until, healthOf } = createBench([three], { createLine: lineOn(wire) });
	await driver.apply(
		[1, 2, 3].map((unitId) => device(unitId, rtu(115_200), unitId === 2 ? { timeoutMs: IMPATIENT_MS } : {})),
	);
	await until(() => healthOf(2)?.state === 'offline');
	const { length } = of(3);
	await until(() => of(1).length > length + 10 && of(3).length > length + 10);
	await driver.stop();
	for (const unitId of [1, 3]) {
		for (const draft of of(unitId)) {
			t.deepEqual(
				draft.values,
				[0, 1, 2].map((address) => registerOf(unitId, address)),
			);
		}
	}
	t.true(of(2).every(({ values }) => values.every((value) => value === null)));
});
