import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import type { ModbusDriverDeps } from '../../gateway/driver/modbus/modbus-driver.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { createFakeSlave, registerOf } from '../fake/modbus-slave.ts';
import { reservePort } from '../fake/reserved-port.ts';
import { createRtuWire } from '../fake/rtu-wire.ts';
import { createBench, device, idOf, IMPATIENT_MS, rtu, tcp, three } from './driver-bench.ts';

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
