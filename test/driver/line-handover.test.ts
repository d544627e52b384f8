import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import test from 'ava';

import type { ConverterLine } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { replyTo } from '../fake/modbus-slave.ts';
import { createRtuWire } from '../fake/rtu-wire.ts';

const read = (address: number): ModbusRequest => ({ unitId: 1, functionCode: 3, address, count: 5, timeoutMs: 800 });
const never = new AbortController().signal;

test('an answer that is owed to whoever had the port before is not taken by the next one, e.g. the polls behind a scan', async (t) => {
	// A device behind a converter that hands its answers to whoever is connected by then.
	const wire = createRtuWire((_, index) => ({ delayMs: index === 0 ? 200 : 150 }));
	let newest: Socket | null = null;
	const device = wire.link();
	await device.open({ bytes: (chunk) => void newest?.write(Buffer.from(chunk)), lost: () => undefined });
	const server = createServer((socket) => {
		newest = socket;
		socket.on('data', (bytes: Buffer) => device.write(bytes)).on('error', () => undefined);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const address = server.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const place: ConverterLine = { transport: 'rtu-over-tcp', host: '127.0.0.1', port, baudRate: 115_200 };
	const connect = createModbusLine(systemClock, portsOf());
	const before = connect(place, createLineMeter(systemClock));
	await before.open(never, () => undefined);
	const interrupted = t.throwsAsync(before.transact(read(0)), { instanceOf: ModbusFault });
	while (wire.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
	await before.close();
	await interrupted;
	const next = connect(place, createLineMeter(systemClock));
	await next.open(never, () => undefined);
	const { data } = await next.transact(read(50));
	t.deepEqual(data, replyTo(read(50)).subarray(3));
	await next.close();
});
