import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { lossReason } from '../../gateway/driver/modbus/loss-reason.ts';
import { timeoutFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
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
		/^no usable answer from unit 1 on rtu-over-tcp 127\.0\.0\.1:\d+ since \S+Z \(\d+ timeouts, and (?:each time|the last \d+ times) bytes came that are no RTU frames\); check whether Modbus TCP is spoken there/,
	],
	[
		'ascii-over-tcp',
		ascii,
		/^no usable answer from unit 1 on ascii-over-tcp \S+ since \S+Z \(\d+ timeouts, and (?:each time|the last \d+ times) bytes came that are no ASCII frames\); check whether Modbus TCP is spoken there/,
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
		// On a loaded machine the first bytes may come after their time.
		await until(() => healthOf(1)?.state === 'offline' && healthOf(1)?.reason?.includes('frames') === true);
		t.regex(healthOf(1)?.reason ?? '', sentence);
	});
}

test('bytes that come instead of answers are told from the third time on, however long it was silent before', (t) => {
	const facts = { where: 'unit 1 on rtu /dev/ttyUSB0', since: 'since 14:04:31Z', transport: 'rtu' } as const;
	const exchange = { unitId: 1, functionCode: 3, address: 0, count: 1, timeoutMs: 100 } as const;
	const reasonOf = (count: number, noisyCount: number) =>
		lossReason(timeoutFault(exchange, 6), { ...facts, count, noisyCount });
	t.is(reasonOf(9, 2).cause, 'silent');
	t.is(reasonOf(9, 3).cause, 'unreadable');
	t.is(
		reasonOf(9, 3).sentence,
		'no usable answer from unit 1 on rtu /dev/ttyUSB0 since 14:04:31Z (9 timeouts, and the last 3 times bytes came that are ' +
			'no RTU frames); check baud rate, parity and stop bits, and whether the device speaks ASCII',
	);
	t.regex(reasonOf(3, 3).sentence, /\(3 timeouts, and each time bytes/);
	t.is(lossReason(timeoutFault(exchange, 6), { ...facts, transport: 'tcp', count: 9, noisyCount: 9 }).cause, 'silent');
});

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
