import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { ServerTCP } from 'modbus-serial';
import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { decodeIdentification } from '../../gateway/driver/modbus/wire/device-identification.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusExchange, ModbusLine } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { makeFieldAuthority } from '../fake/field-certificates.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { hasPymodbus, hasSocat, needs, startPtyPair, startPython } from './peer.ts';
import { reservePort } from '../fake/reserved-port.ts';

const host = '127.0.0.1';
const common = { unitId: 1, timeoutMs: 5000 } as const;
const change = { ...common, guardMs: 0 } as const;

async function open(t: ExecutionContext, line: Line, fieldTlsFolder: string | null = null) {
	const meter = createLineMeter(systemClock);
	const made = createModbusLine(systemClock, portsOf(), fieldTlsFolder)(line, meter);
	t.teardown(() => made.close());
	await made.open(new AbortController().signal, () => undefined);
	return { line: made, counters: meter.counters };
}

async function words(line: ModbusLine, exchange: ModbusExchange): Promise<readonly number[]> {
	const { data } = await line.transact(exchange);
	return Array.from({ length: data.length / 2 }, (_, at) => data.readUInt16BE(2 * at));
}

/** Functions that a peer does not know. */
type Unknown = ReadonlySet<number>;

async function checkReads(t: ExecutionContext, line: ModbusLine): Promise<void> {
	for (const functionCode of [3, 4] as const) {
		for (const [address, count] of [
			[0, 1],
			[100, 125],
		] as const) {
			const expected = Array.from({ length: count }, (_, at) => 7 * (address + at));
			t.deepEqual(await words(line, { ...common, functionCode, address, count }), expected);
		}
	}
	for (const functionCode of [1, 2] as const) {
		const { data } = await line.transact({ ...common, functionCode, address: 3, count: 21 });
		for (let at = 0; at < 21; at += 1) {
			t.is((data.readUInt8(at >> 3) >> (at & 7)) & 1, (3 + at) % 3 === 0 ? 1 : 0, `bit ${3 + at}`);
		}
	}
	const beyond = await t.throwsAsync(line.transact({ ...common, functionCode: 3, address: 990, count: 20 }));
	t.is(beyond instanceof ModbusFault && beyond.exceptionCode, 2);
}

async function checkWrites(t: ExecutionContext, line: ModbusLine, unknown: Unknown): Promise<void> {
	await line.transact({ ...change, functionCode: 6, address: 400, words: [0xabcd] });
	await line.transact({ ...change, functionCode: 16, address: 401, words: [1, 2, 3] });
	t.deepEqual(await words(line, { ...common, functionCode: 3, address: 400, count: 4 }), [0xabcd, 1, 2, 3]);
	await line.transact({ ...change, functionCode: 5, address: 401, words: [1] });
	await line.transact({ ...change, functionCode: 15, address: 402, words: [1, 0, 1, 1, 0, 0, 1, 0, 1] });
	const { data } = await line.transact({ ...common, functionCode: 1, address: 401, count: 10 });
	t.is(data.readUInt16LE(0), 0b10_1001_1011);
	if (!unknown.has(22)) {
		await line.transact({ ...change, functionCode: 6, address: 410, words: [0x12] });
		await line.transact({ ...change, functionCode: 22, address: 410, andMask: 0xf2, orMask: 0x25 });
		t.deepEqual(await words(line, { ...common, functionCode: 3, address: 410, count: 1 }), [0x17]);
	}
	if (!unknown.has(23)) {
		const both = { ...change, functionCode: 23, address: 420, count: 3, writeAddress: 421, words: [8, 9] } as const;
		t.deepEqual(await words(line, both), [7 * 420, 8, 9]);
	}
}

/** What a peer says of itself. */
async function checkIdentity(t: ExecutionContext, line: ModbusLine, unknown: Unknown): Promise<void> {
	if (!unknown.has(17)) t.true((await line.transact({ ...common, functionCode: 17 })).data.length > 0);
	if (unknown.has(43)) return;
	const { data } = await line.transact({ ...common, functionCode: 43, readCode: 1, objectId: 0 });
	t.is(
		decodeIdentification(data)
			.objects.find(({ id }) => id === 0)
			?.value.toString(),
		'Peer',
	);
}

async function checkPeer(t: ExecutionContext, line: ModbusLine, unknown: Unknown = new Set()): Promise<void> {
	await checkReads(t, line);
	await checkWrites(t, line, unknown);
	await checkIdentity(t, line, unknown);
}

const PYMODBUS = `
import asyncio, sys
from pymodbus.datastore import ModbusSequentialDataBlock as Block, ModbusSlaveContext as Slave, ModbusServerContext as Server
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartAsyncTcpServer, StartAsyncTlsServer, StartAsyncSerialServer
from pymodbus.transaction import ModbusSocketFramer, ModbusRtuFramer, ModbusAsciiFramer
words = [(7 * n) & 0xFFFF for n in range(1000)]
bits = [n % 3 == 0 for n in range(1000)]
slave = Slave(di=Block(0, bits), co=Block(0, bits), hr=Block(0, words), ir=Block(0, words), zero_mode=True)
identity = ModbusDeviceIdentification(info_name={'VendorName': 'Peer', 'ProductCode': 'P', 'MajorMinorRevision': '1'})
kind, place = sys.argv[1], sys.argv[2]
common = dict(context=Server(slaves={1: slave}, single=False), identity=identity)
async def main():
    asyncio.get_running_loop().call_later(0.3, print, 'ready')
    if kind == 'tls':
        folder = sys.argv[3]
        await StartAsyncTlsServer(address=('127.0.0.1', int(place)), framer=ModbusSocketFramer,
            certfile=folder + '/device.crt', keyfile=folder + '/device.key', **common)
    elif place.startswith('/'):
        await StartAsyncSerialServer(framer=ModbusAsciiFramer, port=place, baudrate=115200, **common)
    else:
        framers = {'tcp': ModbusSocketFramer, 'rtu': ModbusRtuFramer, 'ascii': ModbusAsciiFramer}
        await StartAsyncTcpServer(framer=framers[kind], address=('127.0.0.1', int(place)), **common)
asyncio.run(main())
`;

for (const [kind, transport] of [
	['tcp', 'tcp'],
	['rtu', 'rtu-over-tcp'],
	['ascii', 'ascii-over-tcp'],
] as const) {
	test(`pymodbus is asked everything over ${transport}`, async (t) => {
		if (!needs(t, 'pymodbus', hasPymodbus())) return;
		const port = await reservePort();
		await startPython(t, PYMODBUS, kind, String(port));
		const { line, counters } = await open(t, { transport, host, port });
		await checkPeer(t, line);
		t.is(counters.timeouts, 0);
		t.is(counters.crcErrors, 0);
	});
}

test('pymodbus is asked everything over ASCII on a serial port', async (t) => {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'pymodbus', hasPymodbus())) return;
	const { near, far } = await startPtyPair(t);
	await startPython(t, PYMODBUS, 'ascii', far);
	const settings = { path: near, baudRate: 115_200, parity: 'none', dataBits: 8, stopBits: 1 } as const;
	const { line, counters } = await open(t, { transport: 'ascii', ...settings });
	await checkPeer(t, line);
	t.is(counters.timeouts, 0);
	t.is(counters.crcErrors, 0);
});

test('pymodbus is asked everything over TLS', async (t) => {
	if (!needs(t, 'pymodbus', hasPymodbus())) return;
	const folder = await mkdtemp(join(tmpdir(), 'tls-peer-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const authority = await makeFieldAuthority('Plant');
	const { cert, key } = await authority.issue([host]);
	await writeFile(join(folder, 'device.crt'), cert);
	await writeFile(join(folder, 'device.key'), key);
	await writeFile(join(folder, 'plant.pem'), authority.cert);
	const port = await reservePort();
	await startPython(t, PYMODBUS, 'tls', String(port), folder);
	const { line } = await open(t, { transport: 'tcp', host, port, tls: { authority: 'plant' } }, folder);
	await checkPeer(t, line);
});

const run = promisify(execFile);
const SLAVE_SOURCE = fileURLToPath(new URL('../../../test/fixture/libmodbus-slave.c', import.meta.url));

/** Compiles a slave with libmodbus; `null` where the compiler or the library is missing. */
async function buildLibmodbusSlave(t: ExecutionContext): Promise<string | null> {
	const folder = await mkdtemp(join(tmpdir(), 'libmodbus-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const binary = join(folder, 'slave');
	try {
		await run('gcc', ['-O1', '-I/usr/include/modbus', '-o', binary, SLAVE_SOURCE, '-lmodbus']);
	} catch {
		return null;
	}
	return binary;
}

async function startSlave(t: ExecutionContext, binary: string, place: string): Promise<void> {
	const child: ChildProcess = spawn(binary, [place], { stdio: ['ignore', 'pipe', 'inherit'] });
	t.teardown(async () => {
		if (child.exitCode !== null) return;
		const gone = once(child, 'exit');
		child.kill('SIGKILL');
		await gone;
	});
	if (child.stdout !== null) await once(child.stdout, 'data');
}

/** libmodbus answers no device identification. */
const LIBMODBUS_UNKNOWN: Unknown = new Set([43]);

test('libmodbus is asked everything over TCP', async (t) => {
	const binary = await buildLibmodbusSlave(t);
	if (!needs(t, 'libmodbus with gcc', binary !== null) || binary === null) return;
	const port = await reservePort();
	await startSlave(t, binary, String(port));
	const { line } = await open(t, { transport: 'tcp', host, port });
	await checkPeer(t, line, LIBMODBUS_UNKNOWN);
});

test('libmodbus is asked everything over RTU on a serial port', async (t) => {
	const binary = await buildLibmodbusSlave(t);
	if (!needs(t, 'libmodbus with gcc', binary !== null) || binary === null) return;
	if (!needs(t, 'socat', hasSocat())) return;
	const { near, far } = await startPtyPair(t);
	await startSlave(t, binary, far);
	const settings = { path: near, baudRate: 115_200, parity: 'none', dataBits: 8, stopBits: 1 } as const;
	const { line, counters } = await open(t, { transport: 'rtu', ...settings });
	await checkPeer(t, line, LIBMODBUS_UNKNOWN);
	t.is(counters.timeouts, 0);
});

/** modbus-serial as a slave knows no mask, no read and write in one, and no names unless it is given them. */
const MODBUS_SERIAL_UNKNOWN: Unknown = new Set([17, 22, 23, 43]);

/** The slaves of modbus-serial want the exception code in this form. */
function valueAt<T>(values: ArrayLike<T>, address: number): T {
	const value = values[address];
	if (value !== undefined) return value;
	throw Object.assign(new Error('no such address'), { modbusErrorCode: 2 });
}

test('modbus-serial is asked everything over TCP', async (t) => {
	const registers = Uint16Array.from({ length: 1000 }, (_, at) => 7 * at);
	const bits = Array.from({ length: 1000 }, (_, at) => at % 3 === 0);
	const port = await reservePort();
	const server = new ServerTCP(
		{
			getCoil: (address: number) => valueAt(bits, address),
			getDiscreteInput: (address: number) => valueAt(bits, address),
			getHoldingRegister: (address: number) => valueAt(registers, address),
			getInputRegister: (address: number) => valueAt(registers, address),
			setCoil: (address: number, value: boolean) => void (bits[address] = value),
			setRegister: (address: number, value: number) => void (registers[address] = value),
		},
		{ host, port, unitID: 1 },
	);
	t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
	await once(server, 'initialized');
	const { line } = await open(t, { transport: 'tcp', host, port });
	await checkPeer(t, line, MODBUS_SERIAL_UNKNOWN);
	await line.close();
});
