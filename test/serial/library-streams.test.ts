import test from 'ava';

import { createStreamBench, dsmrTelegram, nmeaSentence, streamDevice } from '../fake/stream-bench.ts';

const GGA = 'GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,';
const RMC = 'GNRMC,123519,A,4807.038,N,01131.000,W,022.4,084.4,230394,003.1,W';

test('a receiver of any talker gives position and movement', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('gps', { template: 'nmea-0183-gnss' })]);
	await bench.time.run(10);
	bench.wire().say(nmeaSentence(GGA) + nmeaSentence('GPGSV,3,1,11,03,03,111,00') + nmeaSentence(RMC));
	t.like(bench.values(), {
		latitude: 48.1173,
		longitude: 11.516_666_7,
		fix_quality: 1,
		satellites: 8,
		hdop: 0.9,
		altitude: 545.4,
		utc_time: '123519',
		utc_date: '230394',
		speed: 41.485,
		course: 84.4,
	});
	t.is(bench.readings.length, 2);
	t.is(bench.driver.lines()[0]?.foreignFrames, 1);
	await bench.driver.stop();
});

test('south and west are negative, and a receiver without a fix has no position', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('gps', { template: 'nmea-0183-gnss' })]);
	await bench.time.run(10);
	bench.wire().say(nmeaSentence('BDGGA,123519,3351.900,S,15112.600,W,1,08,0.9,5,M,,M,,'));
	t.like(bench.values(), { latitude: -33.865, longitude: -151.21 });
	await bench.time.run(1000);
	bench.wire().say(nmeaSentence('GPGGA,123520,,,,,0,00,99.99,,M,,M,,'));
	t.is(bench.values()['latitude'], null);
	t.is(bench.readings.at(-1)?.qualities?.[0], 'out_of_range');
	await bench.driver.stop();
});

const TELEGRAM = dsmrTelegram([
	'1-3:0.2.8(50)',
	'0-0:1.0.0(101209113020W)',
	'0-0:96.1.1(4B384547303034303436333935353037)',
	'1-0:1.8.1(123456.789*kWh)',
	'1-0:1.8.2(123456.789*kWh)',
	'1-0:2.8.1(000000.001*kWh)',
	'1-0:2.8.2(000002.000*kWh)',
	'0-0:96.14.0(0002)',
	'1-0:1.7.0(01.193*kW)',
	'1-0:2.7.0(00.000*kW)',
	'0-0:96.7.21(00004)',
	'1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)(0000000301*s)',
	'0-0:96.13.0()',
	'1-0:32.7.0(220.1*V)',
	'1-0:31.7.0(001*A)',
	'1-0:21.7.0(01.111*kW)',
	'0-1:24.1.0(007)',
	'0-1:24.2.1(101209112500W)(00001.000*m3)',
	'0-2:24.1.0(003)',
	'0-2:96.1.0(3232323241424344313233343536373839)',
	'0-2:24.2.1(101209112500W)(12785.123*m3)',
]);

test('a P1 port gives electricity and the gas meter on whatever channel it is', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('p1', { template: 'dsmr-p1' })]);
	await bench.time.run(10);
	// It comes in the pieces a UART makes of it.
	for (let at = 0; at < TELEGRAM.length; at += 64) bench.wire().say(TELEGRAM.slice(at, at + 64));
	t.like(bench.values(), {
		meter_time: '2010-12-09T11:30:20+01:00',
		equipment_id: '4B384547303034303436333935353037',
		import_energy_t1: 123_456.789,
		export_energy_t2: 2,
		tariff: 2,
		import_power: 1.193,
		power_failures: 4,
		voltage_l1: 220.1,
		voltage_l2: null,
		gas_time: '2010-12-09T11:25:00+01:00',
		gas_volume: 12_785.123,
	});
	t.is([...bench.healths.values()][0]?.state, 'ok');
	await bench.driver.stop();
});

test('a telegram that was damaged on the way is counted and gives nothing', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('p1', { template: 'dsmr-p1' })]);
	await bench.time.run(10);
	bench.wire().say(TELEGRAM.replace('01.193', '91.193'));
	t.is(bench.readings.length, 0);
	t.is(bench.driver.lines()[0]?.crcErrors, 1);
	bench.wire().say(TELEGRAM.slice(300));
	bench.wire().say(TELEGRAM);
	t.is(bench.values()['import_power'], 1.193);
	await bench.driver.stop();
});

test('a scale is asked each period and says what it weighs', async (t) => {
	const bench = createStreamBench({ answer: () => 'ST,GS,+  12.345kg\r\n' });
	await bench.driver.apply([streamDevice('scale', { template: 'weighing-scale-ascii' })]);
	await bench.time.run(3500);
	t.deepEqual(bench.wire().written, ['SI\r\n', 'SI\r\n', 'SI\r\n', 'SI\r\n']);
	t.like(bench.values(), { weight: 12.345, status: 0, load: 0, shown_unit: 'kg' });
	t.is(bench.readings.length, 4);
	t.like(bench.driver.lines()[0], { requests: 4, answers: 4, timeouts: 0, state: 'open' });
	await bench.driver.stop();
});

/** A frame of the data manual: two marks, length 28, thirteen numbers, the sum of all bytes before. */
function pmsFrame(...numbers: readonly number[]): Buffer {
	const frame = Buffer.alloc(32);
	frame.write('BM');
	frame.writeUInt16BE(28, 2);
	numbers.forEach((number, index) => frame.writeUInt16BE(number, 10 + 2 * index));
	frame.writeUInt8(0x97, 28);
	frame.writeUInt16BE(
		frame.subarray(0, 30).reduce((sum, byte) => sum + byte, 0),
		30,
	);
	return frame;
}

test('a sensor with binary frames is read from the middle of its stream', async (t) => {
	const bench = createStreamBench();
	await bench.driver.apply([streamDevice('dust', { template: 'particle-sensor-pms5003' })]);
	await bench.time.run(10);
	bench.wire().say(Buffer.concat([pmsFrame(9, 9, 9).subarray(7), pmsFrame(5, 12, 1001, 1200)]));
	t.like(bench.values(), { pm1: 5, pm2_5: 12, pm10: 1001, particles_0_3: 1200, version: 0x97, error_code: 0 });
	t.is(bench.readings[0]?.qualities?.[2], 'out_of_range');
	await bench.driver.stop();
});
