import { EventEmitter, once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusLine, ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { openFault } from '../../gateway/driver/modbus/wire/open-fault.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { hasPymodbus, hasPython, hasSocat, needs, startPtyPair, startPython } from './peer.ts';
import { reservePort } from '../fake/reserved-port.ts';

// One after the other: a port has five seconds to open, and the stall of one test would be that of all.
const serial = (path: string, baudRate = 115_200): Line => ({
	transport: 'rtu',
	path,
	baudRate,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
});

const read = (address: number, count: number, timeoutMs: number): ModbusRequest => ({
	unitId: 1,
	functionCode: 3,
	address,
	count,
	timeoutMs,
});

function createLine(line: Line) {
	const meter = createLineMeter(systemClock);
	return { line: createModbusLine(systemClock, portsOf())(line, meter), counters: meter.counters };
}

async function openLine(line: Line) {
	const made = createLine(line);
	const ends = new EventEmitter<{ lost: [reason: string | null] }>();
	const lost = once(ends, 'lost');
	await made.line.open(new AbortController().signal, (reason) => ends.emit('lost', reason));
	return { ...made, lost };
}

async function refusal(line: ModbusLine): Promise<Fault> {
	try {
		await line.open(new AbortController().signal, () => undefined);
	} catch (fault) {
		if (fault instanceof Fault) return fault;
	} finally {
		await line.close();
	}
	throw new Error('the line opened');
}

/** Register n holds 1000 + n; the replies named by `late` (every third) come after `late_ms`. */
const LATE_SLAVE = `
import os, sys, time, struct, threading, tty
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); tty.setraw(fd)
late = float(sys.argv[2]) / 1000
def crc(b):
    c = 0xFFFF
    for x in b:
        c ^= x
        for _ in range(8): c = (c >> 1) ^ 0xA001 if c & 1 else c >> 1
    return struct.pack('<H', c)
print('ready')
buf = b''; n = 0
while True:
    buf += os.read(fd, 256)
    while len(buf) >= 8:
        q = buf[:8]; buf = buf[8:]
        u, f, a, k = q[0], q[1], *struct.unpack('>HH', q[2:6])
        r = bytes([u, f, 2 * k]) + b''.join(struct.pack('>H', 1000 + a + i) for i in range(k))
        if n < 15: time.sleep(late if n % 3 == 0 else 0.002)
        n += 1
        os.write(fd, r + crc(r))
`;

/** Enough for a slave in another process on a loaded machine; the silence behind it is 100 ms longer. */
const TIMEOUT_MS = 150;

for (const [count, lateMs] of [
	[5, TIMEOUT_MS + 40],
	[5, TIMEOUT_MS + 120],
	[5, TIMEOUT_MS + 190],
	[1, TIMEOUT_MS + 120],
] as const) {
	test.serial(
		`over a serial port, late answers of ${count} registers after ${lateMs} ms are never taken for another's`,
		async (t) => {
			if (!needs(t, 'socat', hasSocat()) || !needs(t, 'python3', hasPython())) return;
			const { near, far } = await startPtyPair(t);
			await startPython(t, LATE_SLAVE, far, String(lateMs));
			const { line, counters } = await openLine(serial(near));
			let rightInRow = 0;
			for (let i = 0; i < 90 && rightInRow < 8; i += 1) {
				try {
					const { data } = await line.transact(read(10 * i, count, TIMEOUT_MS));
					t.is(data.readUInt16BE(0), 1000 + 10 * i);
					rightInRow += 1;
				} catch (fault) {
					t.true(fault instanceof ModbusFault);
					rightInRow = 0;
				}
			}
			t.is(rightInRow, 8);
			t.true(counters.quarantines > 0);
			await line.close();
		},
	);
}

test.serial('over a serial port, a stall of the process does not time out an answer that has arrived', async (t) => {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'python3', hasPython())) return;
	const { near, far } = await startPtyPair(t);
	await startPython(t, LATE_SLAVE, far, '2');
	const { line, counters } = await openLine(serial(near));
	await line.transact(read(0, 5, 1000));
	for (let i = 0; i < 3; i += 1) {
		const pending = line.transact(read(i, 5, 100));
		// The request has to leave the process before it stands still.
		for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
		// So long that the slave, another process, has had its turn.
		const untilMs = systemClock.monotonicMs() + 1_000;
		while (systemClock.monotonicMs() < untilMs);
		t.is((await pending).data.readUInt16BE(0), 1000 + i);
	}
	t.is(counters.timeouts, 0);
	await line.close();
});

const PYMODBUS_BLOCK = `
import sys
from pymodbus.datastore import ModbusSequentialDataBlock as Block, ModbusSlaveContext as Slave, ModbusServerContext as Server
words = [(7 * n) & 0xFFFF for n in range(1000)]
bits = [n % 3 == 0 for n in range(1000)]
slave = Slave(di=Block(0, bits), co=Block(0, bits), hr=Block(0, words), ir=Block(0, words), zero_mode=True)
context = Server(slaves={1: slave}, single=False)
`;
const PYMODBUS_TCP = `${PYMODBUS_BLOCK}
import asyncio
from pymodbus.server import StartAsyncTcpServer
async def main():
    asyncio.get_running_loop().call_later(0.3, print, 'ready')
    await StartAsyncTcpServer(context=context, address=('127.0.0.1', int(sys.argv[1])))
asyncio.run(main())
`;
const PYMODBUS_RTU = `${PYMODBUS_BLOCK}
import asyncio
from pymodbus.server import StartAsyncSerialServer
from pymodbus.transaction import ModbusRtuFramer
async def main():
    asyncio.get_running_loop().call_later(0.3, print, 'ready')
    await StartAsyncSerialServer(context=context, framer=ModbusRtuFramer, port=sys.argv[1], baudrate=115200)
asyncio.run(main())
`;

/** What every independent slave must give: words of 7 n, bits of n % 3 = 0, exception 2 past the end. */
async function checkPeer(t: ExecutionContext, line: ModbusLine): Promise<void> {
	for (const functionCode of [3, 4] as const) {
		for (const [address, count] of [
			[0, 1],
			[3, 2],
			[100, 125],
		] as const) {
			const { data } = await line.transact({ ...read(address, count, 3000), functionCode });
			t.is(data.length, 2 * count);
			for (let i = 0; i < count; i += 1) t.is(data.readUInt16BE(2 * i), (7 * (address + i)) & 0xffff);
		}
	}
	for (const functionCode of [1, 2] as const) {
		const { data } = await line.transact({ ...read(3, 21, 3000), functionCode });
		for (let i = 0; i < 21; i += 1) t.is((data.readUInt8(i >> 3) >> (i & 7)) & 1, (3 + i) % 3 === 0 ? 1 : 0);
	}
	const fault = await t.throwsAsync(line.transact(read(990, 20, 3000)));
	t.is(fault instanceof ModbusFault && fault.exceptionCode, 2);
}

test.serial('pymodbus is read over TCP', async (t) => {
	if (!needs(t, 'pymodbus', hasPymodbus())) return;
	const port = await reservePort();
	await startPython(t, PYMODBUS_TCP, String(port));
	const { line } = await openLine({ transport: 'tcp', host: '127.0.0.1', port });
	await checkPeer(t, line);
	await line.close();
});

test.serial('pymodbus is read over a serial port', async (t) => {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'pymodbus', hasPymodbus())) return;
	const { near, far } = await startPtyPair(t);
	await startPython(t, PYMODBUS_RTU, far);
	const { line, counters } = await openLine(serial(near));
	await checkPeer(t, line);
	t.is(counters.crcErrors, 0);
	t.is(counters.timeouts, 0);
	await line.close();
});

test.serial('a port that does not exist is named with ENOENT', async (t) => {
	const fault = await refusal(createLine(serial('/dev/serial/by-id/nothing-here')).line);
	t.regex(fault.message, /nothing-here does not exist: the adapter is unplugged.*\(ENOENT\)/);
});

test.serial('a file that is no serial port is refused', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'no-port-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const path = join(folder, 'file');
	await writeFile(path, '');
	const fault = await refusal(createLine(serial(path)).line);
	t.true(fault.message.startsWith(path));
});

test.serial('a port that may not be opened is named with EACCES', async (t) => {
	t.regex(openFault('/dev/ttyUSB0', 'EACCES', new Error('x')).message, /ttyUSB0 may not be opened.*dialout \(EACCES\)/);
	if (process.getuid?.() === 0) {
		t.log('skipped in part: root may open everything');
		return;
	}
	const folder = await mkdtemp(join(tmpdir(), 'no-port-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const path = join(folder, 'file');
	await writeFile(path, '');
	await chmod(path, 0);
	t.regex((await refusal(createLine(serial(path)).line)).message, /EACCES/);
});

test.serial('a port in use is refused with the program that holds it', async (t) => {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'python3', hasPython())) return;
	const { near } = await startPtyPair(t);
	const holder = await startPython(
		t,
		`import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(fd, fcntl.LOCK_EX)
print('ready')
time.sleep(60)`,
		near,
	);
	const fault = await refusal(createLine(serial(near)).line);
	t.is(fault.reason, 'state-conflict');
	t.true(fault.message.startsWith(`${near} is in use by python3`), fault.message);
	t.true(fault.message.includes(`(pid ${holder.pid})`), fault.message);
});

test.serial('a port that is open cannot be opened a second time, and can after it was closed', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await startPtyPair(t);
	const first = await openLine(serial(near));
	t.regex((await refusal(createLine(serial(near)).line)).message, /EBUSY/);
	await first.line.close();
	const second = await openLine(serial(near));
	await second.line.close();
});

test.serial('a port that vanishes is told', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const pair = await startPtyPair(t);
	const { line, lost } = await openLine(serial(pair.near));
	await pair.cut();
	const [reason] = await lost;
	t.is(typeof reason, 'string');
	t.true(String(reason).startsWith(pair.near));
	await line.close();
});
