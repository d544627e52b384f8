import test from 'ava';

import type { SerialConnection } from '../../config/connection/connection.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { createStreamBench, LIBRARY, nmeaSentence, SERIAL_LINE, streamDevice } from '../fake/stream-bench.ts';

const GGA = nmeaSentence('GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,');

const lineAt = (path: string): SerialConnection['line'] => ({ ...SERIAL_LINE, path });

const scale = (change: Partial<SerialConnection> = {}) =>
	streamDevice('scale', { template: 'weighing-scale-ascii', timeoutMs: 400, ...change });

test('of a device that sends too often one reading a period is kept', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('gps', { template: 'nmea-0183-gnss', periodMs: 1000 })]);
	await bench.time.run(10);
	for (let tenth = 0; tenth < 50; tenth += 1) {
		bench.wire().say(GGA);
		await bench.time.run(100);
	}
	t.true(bench.readings.length >= 5 && bench.readings.length <= 6, String(bench.readings.length));
	t.is(bench.driver.lines()[0]?.answers, 50);
	await bench.driver.stop();
});

test('a device that sends each second, now and then a little early, loses no reading', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('gps', { template: 'nmea-0183-gnss', periodMs: 1000 })]);
	await bench.time.run(10);
	for (const waitMs of [1000, 960, 1040, 950, 1000]) {
		bench.wire().say(GGA);
		await bench.time.run(waitMs);
	}
	t.is(bench.readings.length, 5);
	await bench.driver.stop();
});

test('a device that falls silent is offline, its values are marked, and it comes back', async (t) => {
	const bench = createStreamBench();
	const device = streamDevice('gps', { template: 'nmea-0183-gnss', timeoutMs: 2000 });
	await bench.driver.apply([device]);
	await bench.time.run(10);
	bench.wire().say(GGA);
	await bench.time.run(1900);
	t.is(bench.healths.get(device.id)?.state, 'ok');
	await bench.time.run(200);
	t.is(bench.healths.get(device.id)?.state, 'offline');
	t.regex(
		bench.healths.get(device.id)?.reason ?? '',
		/nothing usable on serial \/dev\/ttyUSB0 9600 8N1 since .*check power/,
	);
	t.is(bench.values()['latitude'], null);
	t.is(bench.readings.at(-1)?.qualities?.[0], 'comm_error');
	const marked = bench.readings.length;
	await bench.time.run(10_000);
	t.is(bench.readings.length, marked, 'said once');
	bench.wire().say(GGA);
	t.is(bench.values()['altitude'], 545.4);
	t.is(bench.healths.get(device.id)?.state, 'degraded');
	for (let second = 0; second < 6; second += 1) {
		bench.wire().say(GGA);
		await bench.time.run(1000);
	}
	t.is(bench.healths.get(device.id)?.state, 'ok');
	await bench.driver.stop();
});

test('a device that is not understood is told apart from one that is silent', async (t) => {
	const bench = createStreamBench();
	const device = streamDevice('gps', { template: 'nmea-0183-gnss' });
	await bench.driver.apply([device]);
	await bench.time.run(10);
	bench.wire().say(GGA.replace('545', '945'));
	await bench.time.run(2100);
	t.regex(bench.healths.get(device.id)?.reason ?? '', /damaged: check baud rate/);
	t.is(bench.readings.filter(({ qualities }) => qualities === null).length, 0);
	await bench.driver.stop();
});

test('a device that does not answer is asked on, and is offline after three silences', async (t) => {
	const bench = createStreamBench();
	const device = scale();
	await bench.driver.apply([device]);
	await bench.time.run(1500);
	t.not(bench.healths.get(device.id)?.state, 'offline');
	await bench.time.run(1000);
	t.is(bench.healths.get(device.id)?.state, 'offline');
	t.like(bench.driver.lines()[0], { requests: 3, timeouts: 3, answers: 0 });
	await bench.driver.stop();
});

test('what comes when nothing was asked is counted and gives no value', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([scale()]);
	await bench.time.run(500);
	bench.wire().say('ST,GS,+  12.345kg\r\n');
	t.is(bench.readings.length, 0);
	t.is(bench.driver.lines()[0]?.strayFrames, 1);
	await bench.driver.stop();
});

test('an answer that takes longer than the period skips periods, which are counted', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([scale({ periodMs: 100, timeoutMs: 1000 })]);
	await bench.time.run(250);
	bench.wire().say('ST,GS,+  1.5kg\r\n');
	await bench.time.run(60);
	t.like(bench.driver.lines()[0], { requests: 2, skippedPeriods: 2 });
	t.is(bench.values()['weight'], 1.5);
	await bench.driver.stop();
});

test('half an answer does not become part of the next one', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([scale()]);
	await bench.time.run(10);
	bench.wire().say('ST,GS,+  9');
	await bench.time.run(1000);
	bench.wire().say('ST,GS,+  1.0kg\r\n');
	t.is(bench.values()['weight'], 1);
	t.is(bench.driver.lines()[0]?.noiseBytes, 10);
	await bench.driver.stop();
});

test('a line that breaks says so and is opened again', async (t) => {
	const bench = createStreamBench();
	const device = streamDevice('gps', { template: 'nmea-0183-gnss' });
	await bench.driver.apply([device]);
	await bench.time.run(10);
	bench.wire().say(GGA);
	bench.refuse(new Fault('unreachable', 'the adapter is unplugged'));
	bench.wire().break('/dev/ttyUSB0 vanished');
	await bench.time.run(5);
	t.is(bench.healths.get(device.id)?.reason, '/dev/ttyUSB0 vanished');
	t.is(bench.values()['latitude'], null);
	await bench.time.run(5000);
	t.like(bench.driver.lines()[0], { state: 'failed', reason: 'the adapter is unplugged' });
	bench.refuse(null);
	bench.driver.retry();
	await bench.time.run(10);
	bench.wire().say(GGA);
	t.is(bench.values()['altitude'], 545.4);
	await bench.driver.stop();
	t.is(bench.time.timers, 0);
});

test('a device that did not change is left undisturbed, one that is removed lets go of its line', async (t) => {
	const bench = createStreamBench();
	const device = scale();
	await bench.driver.apply([device]);
	await bench.time.run(10);
	const wire = bench.wire();
	await bench.driver.apply([{ ...device, name: 'Another name' }]);
	await bench.time.run(10);
	t.is(bench.wire(), wire);
	t.true(wire.isOpen);
	await bench.driver.apply([scale({ periodMs: 500 })]);
	await bench.time.run(10);
	t.not(bench.wire(), wire);
	t.false(wire.isOpen);
	await bench.driver.apply([]);
	t.false(bench.wire().isOpen);
	t.deepEqual(bench.driver.lines(), []);
	await bench.driver.stop();
});

test('a template of the wrong kind, one that is missing and a port that is taken are named', async (t) => {
	const bench = createStreamBench();
	const modbus = plainDevice({
		id: deviceId('00000000-0000-4000-8000-000000000001'),
		uid: deviceUid('meter'),
		connection: {
			driver: 'modbus',
			line: { ...SERIAL_LINE, path: '/dev/ttyUSB1', transport: 'rtu' },
			unitId: 1,
			template: 'eastron-sdm630',
			periodMs: 1000,
			timeoutMs: 1000,
		},
	});
	const wrong = streamDevice('wrong', { template: 'eastron-sdm630', line: lineAt('/dev/a') });
	const missing = streamDevice('absent', { template: 'acme', line: lineAt('/dev/b') });
	const taken = streamDevice('taken', { template: 'dsmr-p1', line: lineAt('/dev/ttyUSB1') });
	const older = streamDevice('older', { template: 'dsmr-p1', line: lineAt('/dev/c') });
	const newer = {
		...streamDevice('newer', { template: 'dsmr-p1', line: lineAt('/dev/c') }),
		createdAt: epochMs(Date.UTC(2027, 0)),
	};
	await bench.driver.apply([modbus, wrong, missing, taken, newer, older]);
	const reason = (device: typeof wrong): string => bench.healths.get(device.id)?.reason ?? '';
	t.regex(reason(wrong), /eastron-sdm630 is of a Modbus device/);
	t.regex(reason(missing), /acme is not installed/);
	t.regex(reason(taken), /port \/dev\/ttyUSB1 is used by meter/);
	t.regex(reason(newer), /port \/dev\/c is used by older/);
	t.is(bench.driver.lines().length, 1);
	t.true(LIBRARY.has('eastron-sdm630'));
	await bench.driver.stop();
});
