import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { createSimulatedDriver, simulatedDevice } from '../fake/simulated-driver.ts';
import type { SimulatedReply } from '../fake/simulated-line.ts';
import { point, template } from '../fake/plain-plan.ts';

const HOUR_MS = 3_600_000;
const tcp = (host: string): Line => ({ transport: 'tcp', host, port: 502 });
const rtu = (baudRate: number, path = '/dev/ttyS0'): Line => ({
	transport: 'rtu',
	path,
	baudRate,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
});

const registers = (count: number) => template(Array.from({ length: count }, (_, i) => point(`p${i}`, i)));

const data = (afterMs: number): SimulatedReply => ({ afterMs });

/** Rate of readings of the devices from `from` on in `forMs`, per second. */
async function rates(devices: number, isDead: (unitId: number) => boolean): Promise<readonly number[]> {
	const line = rtu(19_200);
	const { driver, time, good, clear } = createSimulatedDriver({
		templates: [registers(10)],
		slave:
			() =>
			({ unitId }) =>
				isDead(unitId) ? 'silence' : data(25),
	});
	await driver.apply(Array.from({ length: devices }, (_, i) => simulatedDevice(i + 1, line)));
	await time.run(30_000);
	clear();
	await time.run(300_000);
	await driver.stop();
	return Array.from({ length: devices }, (_, i) => good(i + 1).length / 300);
}

test('a dead device among 31 costs the others less than 5 % of their rate', async (t) => {
	// 31 devices at 25 ms each use 0.78 of the line: what a dead one takes, the others have to spare or they lose it.
	const alive = await rates(31, () => false);
	const beside = await rates(31, (unitId) => unitId === 7);
	for (const [index, rate] of beside.entries()) {
		if (index === 6) t.is(rate, 0);
		else
			t.true(
				rate >= 0.95 * (alive[index] ?? 0),
				`device ${index + 1}: ${rate}/s beside the dead one, ${alive[index]}/s without`,
			);
	}
	t.true(Math.min(...alive) > 0.99);
});

test('unit 1 dead on one line does not slow unit 1 on another', async (t) => {
	const [here, there] = [tcp('10.0.0.1'), tcp('10.0.0.2')];
	const { driver, time, good, healths } = createSimulatedDriver({
		templates: [registers(10)],
		slave: (line) => () => ('host' in line && line.host === '10.0.0.1' ? 'silence' : data(5)),
	});
	await driver.apply([simulatedDevice(1, here), simulatedDevice(2, there, { unitId: 1 })]);
	await time.run(120_000);
	t.is(healths(1).at(-1)?.state, 'offline');
	t.is(healths(2).at(-1)?.state, 'ok');
	const instants = good(2).map(({ readAt }) => Number(readAt));
	t.true(instants.length >= 120);
	const gaps = instants.slice(1).map((at, i) => at - (instants[i] ?? 0));
	t.true(Math.max(...gaps.slice(1)) <= 1005, `longest gap ${Math.max(...gaps.slice(1))} ms`);
	await driver.stop();
});

test('exception 2 for the middle of 0 to 47 costs those 16 points and no other, in the first round already', async (t) => {
	const { driver, time, readings, good } = createSimulatedDriver({
		templates: [
			template(
				Array.from({ length: 48 }, (_, i) => point(`p${i}`, i)),
				{ maxRegistersPerRead: 16 },
			),
		],
		slave:
			() =>
			({ address, count }) =>
				address < 32 && address + count > 16 ? { afterMs: 5, exception: 2 } : data(5),
	});
	await driver.apply([simulatedDevice(1, tcp('x'))]);
	await time.run(2000);
	await driver.stop();
	const values = new Map<string, unknown>();
	for (const { points, values: found } of readings) points.forEach((key, i) => values.set(key, found[i]));
	t.is(values.size, 48);
	for (const [key, value] of values) {
		const address = Number(key.slice(1));
		t.is(value, address >= 16 && address < 32 ? null : address, key);
	}
	t.true(good(1).length >= 4);
});

for (const exception of [5, 6, 10, 11]) {
	test(`a device that answers with exception ${exception} for an hour is asked seldom, and leaves nothing behind`, async (t) => {
		const { driver, time, line, healths, good, clear } = createSimulatedDriver({
			templates: [registers(300)],
			slave:
				() =>
				({ unitId }) =>
					unitId === 1 ? { afterMs: 5, exception } : data(5),
		});
		const tcpLine = tcp('x');
		await driver.apply([simulatedDevice(1, tcpLine), simulatedDevice(2, tcpLine)]);
		await time.run(60_000);
		const [before] = driver.lines();
		const timers = time.timers;
		const heap = usedHeap();
		const asked = line(tcpLine).asked.filter(({ request }) => request.unitId === 1).length;
		for (let minute = 0; minute < 60; minute += 1) {
			await time.run(HOUR_MS / 60);
			t.true(good(2).length >= 59 * 3, `the other one had ${good(2).length} readings in minute ${minute}`);
			clear();
		}
		const requests = line(tcpLine).asked.filter(({ request }) => request.unitId === 1).length - asked;
		t.true(requests <= HOUR_MS / 1000, `${requests} requests in an hour of no`);
		t.true(requests >= 60, 'it is still asked');
		t.true(time.timers <= timers + 2, `${time.timers} timers`);
		t.is(driver.bus(before?.line ?? '')?.pending ?? -1, 0);
		t.deepEqual(healths(2), []);
		// The simulated line keeps what was asked: about 100 bytes each.
		t.true(usedHeap() - heap < 8e6, `the heap grew by ${usedHeap() - heap} bytes`);
		await driver.stop();
		t.is(time.timers, 0);
	});
}

/** Bytes in use after a full collection. */
function usedHeap(): number {
	setFlagsFromString('--expose-gc');
	const collect: unknown = runInNewContext('gc');
	if (typeof collect === 'function') collect();
	return process.memoryUsage().heapUsed;
}

test('a device that asks for time gets it, and is read again once it is ready', async (t) => {
	let isBusy = true;
	const { driver, time, line, healths } = createSimulatedDriver({
		templates: [registers(10)],
		slave: () => () => (isBusy ? { afterMs: 5, exception: 6 } : data(5)),
	});
	await driver.apply([simulatedDevice(1, tcp('x'))]);
	await time.run(20_000);
	const at = line(tcp('x')).asked.map(({ atMs }) => atMs);
	const pauses = at.slice(1).map((ms, i) => Math.round(ms - (at[i] ?? 0)));
	t.deepEqual(pauses.slice(0, 6), [105, 205, 405, 805, 1605, 3205]);
	isBusy = false;
	await time.run(30_000);
	t.is(healths(1).at(-1)?.state, 'ok');
	await driver.stop();
});

test('the same configuration a thousand times over restarts nothing', async (t) => {
	const { driver, time, line, good } = createSimulatedDriver({
		templates: [registers(10)],
		slave: () => () => data(5),
	});
	const tcpLine = tcp('x');
	const devices = [simulatedDevice(1, tcpLine), simulatedDevice(2, tcpLine, { periodMs: 500 })];
	await driver.apply(devices);
	await time.run(2000);
	const before = line(tcpLine).asked.length;
	for (let revision = 2; revision < 1002; revision += 1) {
		await driver.apply(devices.map((device) => Object.assign({}, device, { name: `${device.name} again`, revision })));
		await time.run(10);
	}
	t.is(line(tcpLine).opened, 1);
	const asked = line(tcpLine).asked.length - before;
	t.true(asked >= 29 && asked <= 31, `${asked} requests in 10 s of 3 a second`);
	t.is(good(1).at(-1)?.points, good(1)[0]?.points, 'the plan is the same object');
	await driver.stop();
});

test('a device with a huge map and one with few points on one line: the small one keeps its period', async (t) => {
	const line = rtu(9600);
	const { driver, time, good, clear } = createSimulatedDriver({
		templates: [
			{ ...template(Array.from({ length: 2000 }, (_, i) => point(`p${i}`, 3 * i))), key: 'huge' },
			registers(10),
		],
		slave:
			() =>
			({ count }) =>
				data(25 + 2 * count),
	});
	await driver.apply([simulatedDevice(1, line, { template: 'huge' }), simulatedDevice(2, line)]);
	await time.run(60_000);
	clear();
	await time.run(120_000);
	const instants = good(2).map(({ readAt }) => Number(readAt));
	t.true(instants.length >= 118, `${instants.length} of 120 readings`);
	t.true(good(1).length > 100, 'the huge one is read in what is left');
	const [stats] = driver.lines();
	t.regex(
		stats?.overrun ?? '',
		/^rtu \/dev\/ttyS0 9600 8N1 needs \d+(\.\d)? s per 1 s \(\d+ %\), .* s of it for Meter 1: periods will be skipped/,
	);
	t.true((stats?.skippedPeriods ?? 0) > 0);
	await driver.stop();
});

test('a device whose periods are skipped all the time is degraded, with the reason, and sound again when they are not', async (t) => {
	const line = tcp('x');
	let answerMs = 700;
	const { driver, time, healths } = createSimulatedDriver({
		templates: [registers(250)],
		slave: () => () => data(answerMs),
	});
	await driver.apply([simulatedDevice(1, line)]);
	await time.run(180_000);
	t.is(healths(1).at(-1)?.state, 'degraded');
	t.is(
		healths(1).at(-1)?.reason,
		'tcp x:502 does not keep up: it skips periods of this device; longer periods or fewer points are needed',
	);
	t.true((driver.polled()[0]?.skippedShare ?? 0) > 0.4);
	answerMs = 100;
	await time.run(180_000);
	t.is(healths(1).at(-1)?.state, 'ok');
	await driver.stop();
});

test('retries are made before a read counts as lost, and only then', async (t) => {
	let asked = 0;
	const { driver, time, good, healths, readings } = createSimulatedDriver({
		templates: [registers(10)],
		slave: () => () => (asked++ % 3 === 2 ? data(5) : 'silence'),
	});
	const line = tcp('x');
	await driver.apply([simulatedDevice(1, line, { timeoutMs: 100, tuning: { retries: 2, timeoutMode: 'fixed' } })]);
	await time.run(60_000);
	t.true(good(1).length >= 59);
	t.is(readings.length, good(1).length, 'nothing was given up');
	t.deepEqual(
		healths(1).map(({ state }) => state),
		['ok'],
	);
	t.is(driver.bus('tcp x:502')?.meter.units.of(1).counters.retries, 2 * good(1).length);
	await driver.stop();
});

test('a guard interval is kept before each request to its device, and the others are asked meanwhile', async (t) => {
	const line = rtu(115_200);
	const {
		driver,
		time,
		line: wire,
	} = createSimulatedDriver({
		templates: [template([point('a', 0), point('b', 0, { functionCode: 4 })])],
		slave: () => () => data(10),
	});
	await driver.apply([simulatedDevice(1, line, { tuning: { guardMs: 200 } }), simulatedDevice(2, line)]);
	await time.run(20_000);
	const ends = new Map<number, number>();
	for (const { request, atMs } of wire(line).asked) {
		if (request.unitId === 1) t.true(atMs - (ends.get(1) ?? -1000) >= 199.9);
		ends.set(request.unitId, atMs + 10);
	}
	t.true(wire(line).asked.filter(({ request }) => request.unitId === 2).length >= 39);
	await driver.stop();
});

test('a connection that is closed after each round is open only for a moment, and serves all devices at once', async (t) => {
	const line: Line = { transport: 'tcp', host: 'x', port: 502, closeAfterPoll: true };
	const {
		driver,
		time,
		line: wire,
		good,
		healths,
	} = createSimulatedDriver({
		templates: [registers(250)],
		slave: () => () => data(5),
	});
	await driver.apply([1, 2, 3].map((index) => simulatedDevice(index, line, { periodMs: 5000 })));
	let openMs = 0;
	for (let ms = 0; ms < 60_000; ms += 50) {
		await time.run(50);
		if (wire(line).isOpen) openMs += 50;
	}
	t.log(`${wire(line).opened} connections, open for ${openMs} ms`);
	t.true(wire(line).opened <= 14, `${wire(line).opened} connections in 12 rounds`);
	t.true(openMs <= 14 * 100, `open for ${openMs} ms of a minute`);
	for (const index of [1, 2, 3]) {
		t.true(good(index).length >= 2 * 11);
		t.is(healths(index).at(-1)?.state, 'ok');
	}
	await driver.stop();
});

test('a scan with other settings takes the port from the polls and gives it back; a test read may not', async (t) => {
	const { driver, time, line, good, clear } = createSimulatedDriver({
		templates: [registers(10)],
		slave: () => () => data(5),
	});
	const [polled, other] = [rtu(9600), rtu(19_200)];
	await driver.apply([simulatedDevice(1, polled)]);
	await time.run(5000);
	const read = { unitId: 9, functionCode: 3, address: 0, count: 1, timeoutMs: 100 } as const;
	const refused = t.throwsAsync(driver.busOf(other).request(read, 'test'), {
		message: /the port is polled as rtu \/dev\/ttyS0 9600 8N1; whoever wants other settings/,
	});
	await time.run(100);
	await refused;
	const lease = driver.busOf(other).lease('scan 1', 3000);
	const asked = lease.request(read);
	await time.run(1000);
	await asked;
	t.false(line(polled).isOpen);
	t.true(line(other).isOpen);
	clear();
	await time.run(1500);
	t.is(good(1).length, 0);
	lease.end();
	await time.run(10_000);
	t.false(line(other).isOpen);
	t.true(line(polled).isOpen);
	t.true(good(1).length >= 2);
	t.is(driver.lines().length, 1, 'the visited line is gone');
	await driver.stop();
	t.is(time.timers, 0);
});

test('a crashed scan gives the line back by itself', async (t) => {
	const { driver, time, good, healths, clear } = createSimulatedDriver({
		templates: [registers(10)],
		slave: () => () => data(5),
	});
	const line = rtu(9600);
	await driver.apply([simulatedDevice(1, line)]);
	await time.run(2500);
	driver.busOf(line).lease('scan that crashes', 5000);
	clear();
	await time.run(4900);
	t.is(good(1).length, 0);
	t.is(driver.lines()[0]?.leasedTo, 'scan that crashes');
	await time.run(3000);
	t.true(good(1).length >= 2);
	t.is(driver.lines()[0]?.skippedPeriods, 0, 'what a scan took is no fault of the line');
	await time.run(60_000);
	t.deepEqual(healths(1), []);
	await driver.stop();
});

test('a line of which the gateway behind answers several at once carries several, of one device and of many', async (t) => {
	for (const devices of [1, 6]) {
		const line = tcp('x');
		const {
			driver,
			time,
			line: wire,
			good,
		} = createSimulatedDriver({
			templates: [registers(1000)],
			slave: () => () => data(50),
			depth: 4,
		});
		await driver.apply(Array.from({ length: devices }, (_, i) => simulatedDevice(i + 1, line)));
		await time.run(20_000);
		t.is(wire(line).mostUnderWay, 4);
		t.true(good(1).length >= 8 * 19, `${good(1).length} readings`);
		await driver.stop();
	}
});
