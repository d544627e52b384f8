import test, { type ExecutionContext } from 'ava';

import type { Device } from '../../core/device/device.ts';
import { captureText, parseCapture } from '../../gateway/diagnose/capture.ts';
import { lineName } from '../../gateway/driver/modbus/line-name.ts';
import { createLineDiagnoses } from '../../gateway/diagnose/line-diagnoses.ts';
import { RING_BYTES } from '../../gateway/driver/frame-ring.ts';
import { createReplay } from '../../gateway/simulator/replay.ts';
import { startTemplateSimulator } from '../../gateway/simulator/template-simulator.ts';
import { createStreamBench, nmeaSentence, streamDevice } from '../fake/stream-bench.ts';

const LINE = 'serial /dev/ttyUSB0 9600 8N1';
const GGA = nmeaSentence('GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,');
const OTHER = nmeaSentence('GPGSV,1,1,00');

async function open(t: ExecutionContext, device: Device, answer?: (request: string) => string | null) {
	const bench = createStreamBench(answer === undefined ? {} : { answer });
	t.teardown(() => bench.driver.stop());
	await bench.driver.apply([device]);
	await bench.time.run(10);
	const lines = createLineDiagnoses({
		lines: () => bench.driver.lines(),
		bus: () => null,
		stream: (line) => bench.driver.stream(line),
		devices: () => [device],
		nameOf: lineName,
		clock: bench.time.clock,
	});
	return { bench, lines };
}

const receiver = () => streamDevice('gps', { template: 'nmea-0183-gnss', periodMs: 1000, timeoutMs: 3000 });

test('frames, wrong checksums, lost order and bytes of a serial device are counted, each trouble once', async (t) => {
	const device = receiver();
	const { bench, lines } = await open(t, device);
	// The line was opened in the middle of a sentence.
	bench.wire().say('39,N*4F\r\n');
	bench.wire().say(GGA + OTHER);
	bench.wire().say(GGA.replace('545.4', '945.4'));
	for (const byte of 'noise that comes byte by byte') bench.wire().say(byte);
	bench.wire().say(GGA);
	bench.wire().say('\0\0');
	await bench.time.run(10);
	const { stream } = lines.one(LINE);
	t.like(stream, { device, isAsked: false, frames: 3, checksumErrors: 1, framingErrors: 2, sentBytes: 0 });
	t.is(stream?.receivedBytes, 9 + 3 * GGA.length + OTHER.length + 29 + 2);
	t.like(lines.one(LINE).stats, { foreignFrames: 1, answers: 2, crcErrors: 1 });
	t.deepEqual(lines.one(LINE).units, []);
});

test('a recording shows requests and answers, is bounded, ends by itself and costs nothing before', async (t) => {
	const device = streamDevice('scale', { template: 'weighing-scale-ascii', timeoutMs: 400 });
	const { bench, lines } = await open(t, device, () => 'ST,GS,+  12.345kg\r\n');
	await bench.time.run(5_000);
	t.deepEqual(lines.frames(LINE), []);
	t.throws(() => lines.capture(LINE), { message: /nothing was recorded/ });

	lines.ring(LINE).record(2_500);
	await bench.time.run(10_000);
	const shown = lines.frames(LINE);
	t.true(shown.length >= 4 && shown.length <= 6, String(shown.length));
	t.deepEqual(
		shown.slice(0, 2).map(({ direction, text }) => [direction, text]),
		[
			['sent', 'SI\\x0d\\x0a'],
			['received', 'ST,GS,+  12.345kg\\x0d\\x0a'],
		],
	);
	t.is(lines.ring(LINE).recording()?.isRunning, false);

	lines.ring(LINE).record(60_000);
	for (let round = 0; round < 400; round += 1) bench.wire().say('x'.repeat(1024));
	const recording = lines.ring(LINE).recording();
	t.true((recording?.bytes ?? Infinity) <= RING_BYTES);
	t.true((recording?.dropped ?? 0) > 100);
	t.like(lines.one(LINE).stream, { isAsked: true, device });
});

test('a recording goes on over a connection that was lost', async (t) => {
	const { bench, lines } = await open(t, receiver());
	lines.ring(LINE).record(60_000);
	bench.wire().say(GGA);
	bench.wire().break('pulled');
	await bench.time.run(2_000);
	bench.wire().say(GGA);
	t.is(lines.frames(LINE).filter(({ check }) => check === 'ok').length, 2);
	t.is(lines.one(LINE).stream?.frames, 2);
});

test('a recording of a stream is a file like any other, and the simulator says why it does not play it', async (t) => {
	const { bench, lines } = await open(t, receiver());
	lines.ring(LINE).record(60_000);
	bench.wire().say(GGA.slice(0, 5));
	bench.wire().say(GGA.slice(5));
	const capture = parseCapture(captureText(lines.capture(LINE)));
	t.like(capture, { line: LINE, framing: 'raw', dropped: 0 });
	t.deepEqual(
		capture.frames.map(({ bytes }) => bytes.toString('latin1')),
		[GGA.slice(0, 5), GGA.slice(5)],
	);
	const message = `${LINE} is not Modbus: its recording cannot be played, only Modbus lines are simulated`;
	t.throws(() => createReplay(capture, null), { instanceOf: RangeError, message });
	const options = { devices: [], scenario: null, replay: capture, seed: 1, isPaced: false, clock: bench.time.clock };
	await t.throwsAsync(
		startTemplateSimulator({ ...options, places: [{ kind: 'tcp', framing: 'tcp', port: 0, baudRate: null }] }),
		{
			message,
		},
	);
});

test('a line that is gone, or never was, has no frames', async (t) => {
	const { bench, lines } = await open(t, receiver());
	t.throws(() => lines.frames('serial /dev/ttyUSB9 9600 8N1'), { message: /ttyUSB9/ });
	await bench.driver.apply([]);
	t.throws(() => lines.ring(LINE), { message: /ttyUSB0/ });
	t.is(bench.driver.stream(LINE), null);
});

test('the line of a serial device is judged by what came, whether the device is asked or not', async (t) => {
	const { bench, lines } = await open(t, receiver());
	t.like(lines.one(LINE).health, {
		verdict: 'unknown',
		reasons: ['only 0 frames came so far; 20 are needed to judge'],
	});
	for (let second = 0; second < 30; second += 1) {
		bench.wire().say(GGA);
		await bench.time.run(1_000);
	}
	t.deepEqual(lines.one(LINE).health, { score: 100, verdict: 'good', reasons: [] });
	for (let count = 0; count < 3; count += 1) bench.wire().say(`${GGA.replace('545.4', '945.4')}${GGA}`);
	const { health } = lines.one(LINE);
	t.is(health.verdict, 'poor');
	t.regex(health.reasons[0] ?? '', /^8\.3 % of the frames had a wrong checksum \(3\): check baud rate/);
	await bench.time.run(10_000);
	t.true(lines.one(LINE).health.reasons.some((reason) => reason.startsWith('nothing usable came 3 times')));
	bench.wire().break('pulled');
	bench.refuse(new Error('no such port'));
	await bench.time.run(5_000);
	t.like(lines.one(LINE).health, { score: 0, reasons: ['no such port'] });
});

test('an asked device that does not answer, and one that speaks another language, are told apart', async (t) => {
	const silent = streamDevice('scale', { template: 'weighing-scale-ascii', periodMs: 100, timeoutMs: 100 });
	const { bench, lines } = await open(t, silent, () => null);
	await bench.time.run(5_000);
	t.regex(lines.one(LINE).health.reasons[0] ?? '', /^\d+\.\d % of the requests had no usable answer/);

	const stranger = await open(t, receiver());
	for (let count = 0; count < 25; count += 1) stranger.bench.wire().say(OTHER);
	t.deepEqual(stranger.lines.one(LINE).health.reasons, [
		'none of 25 frames is of a sort that the template has points of: is it the right one?',
	]);
});
