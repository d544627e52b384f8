import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { startDeviceServer } from '../fake/device-server.ts';
import { makeFieldAuthority } from '../fake/field-certificates.ts';
import { ascii, type Framing, mbap, rtu } from '../fake/framings.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { createPduDevice } from '../fake/pdu-device.ts';

const STALL_MS = 1000;
const TIMEOUT_MS = 60;
const host = '127.0.0.1';

const read = (address: number, timeoutMs: number): ModbusRequest => ({
	unitId: 1,
	functionCode: 3,
	address,
	count: 5,
	timeoutMs,
});

function standStill(): void {
	const untilMs = systemClock.monotonicMs() + STALL_MS;
	while (systemClock.monotonicMs() < untilMs);
}

const kinds: readonly (readonly [name: string, framing: Framing, isSecure: boolean, lineTo: (port: number) => Line])[] =
	[
		['tcp', mbap, false, (port) => ({ transport: 'tcp', host, port })],
		['tcp with depth 4', mbap, false, (port) => ({ transport: 'tcp', host, port, depth: 4 })],
		['tls', mbap, true, (port) => ({ transport: 'tcp', host, port, tls: { authority: 'plant' } })],
		['rtu over tcp', rtu, false, (port) => ({ transport: 'rtu-over-tcp', host, port, baudRate: 115_200 })],
		['ascii over tcp', ascii, false, (port) => ({ transport: 'ascii-over-tcp', host, port, baudRate: 115_200 })],
	];

for (const [name, framing, isSecure, lineTo] of kinds) {
	// Serial: the stall would disturb its neighbours.
	test.serial(`over ${name}, a stall of a second does not time out answers that have arrived`, async (t) => {
		const folder = await mkdtemp(join(tmpdir(), 'stall-'));
		t.teardown(() => rm(folder, { recursive: true, force: true }));
		const authority = await makeFieldAuthority('Plant');
		await writeFile(join(folder, 'plant.crt'), authority.cert);
		const device = createPduDevice();
		const server = await startDeviceServer(device, framing, isSecure ? await authority.issue([host]) : null);
		t.teardown(() => server.stop());
		const meter = createLineMeter(systemClock);
		const line = createModbusLine(systemClock, portsOf(), folder)(lineTo(server.port), meter);
		t.teardown(() => line.close());
		await line.open(new AbortController().signal, () => undefined);
		await line.transact(read(0, 5000));
		for (let round = 0; round < 2; round += 1) {
			const answered = device.asked.length;
			const pending = Array.from({ length: line.depth }, (_, at) => line.transact(read(10 * at, TIMEOUT_MS)));
			// The answers of the device, which lives in this process, are on their way when the stall begins.
			while (device.asked.length < answered + line.depth) await new Promise(setImmediate);
			standStill();
			const first = (await Promise.all(pending)).map(({ data }) => data.readUInt16BE(0));
			t.deepEqual(
				first,
				pending.map((_, at) => 70 * at),
			);
		}
		t.is(meter.counters.timeouts, 0);
	});
}
