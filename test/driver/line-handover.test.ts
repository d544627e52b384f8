import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import test from 'ava';

import type { ConverterLine } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createBystanders } from '../../gateway/driver/modbus/wire/bystanders.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { replyTo } from '../fake/modbus-slave.ts';
import { createRtuWire } from '../fake/rtu-wire.ts';

const read = (address: number): ModbusRequest => ({ unitId: 1, functionCode: 3, address, count: 5, timeoutMs: 10_000 });
const never = new AbortController().signal;

test('an answer that is owed to whoever had the port before is not taken by the next one, e.g. the polls behind a scan', async (t) => {
	// A device behind a converter that hands its answers to whoever is connected by then.
	const wire = createRtuWire((_, index) => ({ delayMs: 1, isLate: index === 0 }));
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

test('an answer on one connection proves nothing about what another open one to the same port is owed', async (t) => {
	const guard = createLateReplyGuard(() => systemClock.monotonicMs());
	const openOn = async (isLate: (index: number) => boolean) => {
		const meter = createLineMeter(systemClock);
		const line = createRtuLine({
			link: createRtuWire((_, index) => ({ delayMs: 2, isLate: isLate(index) })).link(),
			timing: { baudRate: 115_200, bitsPerChar: 11 },
			clock: systemClock,
			meter,
			guard,
			bystanders: createBystanders(systemClock, meter.counters),
		});
		await line.open(never, () => undefined);
		return line;
	};
	const late = await openOn((index) => index === 0);
	const prompt = await openOn(() => false);
	await t.throwsAsync(late.transact({ ...read(0), timeoutMs: 20 }), { instanceOf: ModbusFault });
	await prompt.transact({ ...read(7), count: 2 });
	const { data } = await late.transact(read(50));
	t.deepEqual(data, replyTo(read(50)).subarray(3));
	await Promise.all([late.close(), prompt.close()]);
});

test('an answer proves nothing about what was asked after its own request, on a connection that has ended since', (t) => {
	const guard = createLateReplyGuard(() => 0);
	const [slow, ended] = [guard.connect(), guard.connect()];
	slow.sends();
	ended.sends();
	ended.owes(read(0));
	t.false(slow.isDataAmbiguous(read(50)));
	ended.closed();
	slow.proven(1);
	t.true(slow.isDataAmbiguous(read(50)));
	t.true(slow.isExceptionAmbiguous(read(50)));
	slow.sends();
	slow.proven(1);
	t.false(guard.connect().isDataAmbiguous(read(50)));
});
