import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { type Framing, ascii, rtu } from '../fake/framings.ts';
import { startFrameServer } from '../fake/device-server.ts';
import { createBench, device, IMPATIENT_MS, three } from './driver-bench.ts';

/** The bytes come in time, on a loaded machine as well. */
const PATIENT_MS = 1000;

/** Six bytes of a Modbus TCP header, or of a line with another rate: no frame of either framing. */
const NO_FRAME = Buffer.from('f0e1d2c3b4a5', 'hex');

const cases: readonly (readonly [transport: Extract<Line['transport'], `${string}-over-tcp`>, Framing, RegExp])[] = [
	[
		'rtu-over-tcp',
		rtu,
		/^no usable answer from unit 1 on rtu-over-tcp 127\.0\.0\.1:\d+ since \S+Z \(3 timeouts, and each time bytes came that are no RTU frames\); check whether Modbus TCP is spoken there/,
	],
	[
		'ascii-over-tcp',
		ascii,
		/^no usable answer from unit 1 on ascii-over-tcp \S+ since \S+Z \(3 timeouts, and each time bytes came that are no ASCII frames\); check whether Modbus TCP is spoken there/,
	],
];

for (const [transport, framing, sentence] of cases) {
	test(`a device on ${transport} whose bytes make no frames is not called silent`, async (t) => {
		const server = await startFrameServer(framing, (socket) => () => void socket.write(NO_FRAME));
		t.teardown(() => server.stop());
		const { driver, until, healthOf } = createBench([three]);
		t.teardown(() => driver.stop());
		const line = { transport, host: '127.0.0.1', port: server.port, baudRate: 115_200 };
		await driver.apply([device(1, line, { timeoutMs: PATIENT_MS })]);
		await until(() => healthOf(1)?.state === 'offline');
		t.regex(healthOf(1)?.reason ?? '', sentence);
	});
}

test('a device that is silent between two bursts of noise is called silent', async (t) => {
	let requests = 0;
	const server = await startFrameServer(rtu, (socket) => () => {
		requests += 1;
		if (requests !== 2) socket.write(NO_FRAME);
	});
	t.teardown(() => server.stop());
	const { driver, until, healthOf } = createBench([three]);
	t.teardown(() => driver.stop());
	const line = { transport: 'rtu-over-tcp', host: '127.0.0.1', port: server.port, baudRate: 115_200 } as const;
	await driver.apply([device(1, line, { timeoutMs: IMPATIENT_MS })]);
	await until(() => healthOf(1)?.state === 'offline');
	t.regex(healthOf(1)?.reason ?? '', /^no answer from unit 1 .* \(3 timeouts\); check wiring and unit id$/);
});
