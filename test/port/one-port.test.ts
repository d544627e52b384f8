import { join } from 'node:path';
import { symlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import type { SerialLine } from '../../config/connection/connection.ts';
import { serialPathsOf } from '../../core/device/device-rules.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { type DeviceId, deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { lineName } from '../../gateway/driver/modbus/line-name.ts';
import { openModbusDriver } from '../../gateway/driver/modbus/open-modbus-driver.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { hasPython, hasSocat, needs, startPtyPair, startPython } from '../driver/peer.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { point, template } from '../fake/plain-plan.ts';
import { createPortMachine } from '../fake/port-machine.ts';

/** Each register holds its address plus 1000 times the unit; the first request is answered late. */
const SLAVE = `
import os, sys, struct, time, tty
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); tty.setraw(fd)
late = float(sys.argv[2])
def crc(b):
    c = 0xFFFF
    for x in b:
        c ^= x
        for _ in range(8): c = (c >> 1) ^ 0xA001 if c & 1 else c >> 1
    return struct.pack('<H', c)
print('ready')
buf = b''
while True:
    buf += os.read(fd, 256)
    while len(buf) >= 8:
        q = buf[:8]; buf = buf[8:]
        a, k = struct.unpack('>HH', q[2:6])
        r = bytes([q[0], q[1], 2 * k]) + b''.join(struct.pack('>H', 1000 * q[0] + a + i) for i in range(k))
        time.sleep(late); late = 0
        os.write(fd, r + crc(r))
`;

const never = new AbortController().signal;
const line = (path: string, baudRate = 115_200): SerialLine => ({
	transport: 'rtu',
	path,
	baudRate,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
});

const read = (address: number): ModbusRequest => ({ unitId: 1, functionCode: 3, address, count: 5, timeoutMs: 150 });

const idOf = (unitId: number): DeviceId => deviceId(`00000000-0000-4000-8000-${String(unitId).padStart(12, '0')}`);

/** The unit tells the age. */
const meter = (unitId: number, on: SerialLine): Device =>
	plainDevice({
		id: idOf(unitId),
		uid: deviceUid(`meter-${unitId}`),
		name: `Meter ${unitId}`,
		createdAt: epochMs(unitId),
		connection: { driver: 'modbus', line: on, unitId, template: 'plain', periodMs: 50, timeoutMs: 500 },
	});

/** A slave behind an adapter with all its names; `null`: what is needed for it is missing. */
async function newPort(t: ExecutionContext, lateSeconds = 0) {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'python3', hasPython())) return null;
	const pair = await startPtyPair(t);
	await startPython(t, SLAVE, pair.far, String(lateSeconds));
	const machine = await createPortMachine(t);
	const adapter = { name: 'ttyUSB0', file: pair.near, place: '1-1', serialNumber: 'METERS' };
	const plain = await machine.plug(adapter);
	const ports = portsOf(machine.folders);
	t.teardown(() => ports.stop());
	return { machine, adapter, ports, plain, id: machine.byId(adapter), socket: machine.byPath(adapter) };
}

/** A driver that reads the devices; what it has read and said can be waited for. */
function openBench(t: ExecutionContext, ports: ReturnType<typeof portsOf>) {
	const readings: ReadingDraft[] = [];
	const health = new Map<DeviceId, DeviceHealth>();
	const driver = openModbusDriver({
		templates: new Map([['plain', template([point('a', 7)])]]),
		ports,
		fieldTlsFolder: null,
		sink: { reading: (draft) => void readings.push(draft), health: (id, now) => void health.set(id, now) },
		clock: systemClock,
		log: silentLog,
	});
	t.teardown(() => driver.stop());
	const apply = async (devices: readonly Device[]): Promise<void> => {
		ports.use(serialPathsOf(devices));
		await ports.look(serialPathsOf(devices));
		await driver.apply(devices);
	};
	/** The next values of these devices. */
	const values = async (units: readonly number[]): Promise<readonly unknown[]> => {
		readings.length = 0;
		const of = (unitId: number) => readings.find(({ device }) => device === idOf(unitId));
		while (units.some((unitId) => of(unitId) === undefined)) await sleep(10);
		return units.map((unitId) => of(unitId)?.values[0]);
	};
	return { driver, health, apply, values };
}

test('devices that name one port in three ways are read over one bus', async (t) => {
	const port = await newPort(t);
	if (port === null) return;
	const { ports, id, socket, plain } = port;
	const { driver, apply, values } = openBench(t, ports);
	await apply([meter(1, line(id)), meter(2, line(plain)), meter(3, line(socket))]);
	t.deepEqual(await values([1, 2, 3]), [1007, 2007, 3007]);
	const name = lineName(line(id));
	t.deepEqual(
		driver.lines().map((each) => [each.line, each.state]),
		[[name, 'open']],
		'the line has the name that the oldest device gives it',
	);
	t.true(
		driver.busOf(line(plain)) === driver.bus(name),
		'whoever asks for the port under another name gets the same bus',
	);
	t.deepEqual(driver.lineNamed(line(socket)), line(id));
	const [budget] = driver.budgets();
	t.is(budget?.devices.length, 3);
});

test('another setting under another name of the port is refused, with both names', async (t) => {
	const port = await newPort(t);
	if (port === null) return;
	const { ports, id, plain } = port;
	const { apply, values, health } = openBench(t, ports);
	await apply([meter(1, line(id)), meter(2, line(plain, 9600))]);
	t.deepEqual(await values([1]), [1007]);
	const { state, reason } = health.get(idOf(2)) ?? {};
	t.is(state, 'offline');
	t.is(
		reason,
		`rtu ${plain} 9600 8N1 contradicts Meter 1, which uses this port as rtu ${id} 115200 8N1: ` +
			'all devices on a serial line share its settings',
	);
});

test('a device whose name comes to lead to the port of another one moves to its bus', async (t) => {
	const port = await newPort(t);
	if (port === null) return;
	const { machine, adapter, ports, id } = port;
	const { driver, apply, values } = openBench(t, ports);
	const link = join(machine.folders.dev, 'ttyMETERS');
	const devices = [meter(1, line(id)), meter(2, line(link))];
	await apply(devices);
	t.deepEqual(await values([1]), [1007]);
	t.is(driver.lines().length, 2);
	await symlink(adapter.file, link);
	await apply(devices);
	t.deepEqual(await values([1, 2]), [1007, 2007]);
	t.is(driver.lines().length, 1);
});

test('an answer that is owed under one name of a port is not taken under another one', async (t) => {
	const port = await newPort(t, 0.4);
	if (port === null) return;
	const { ports, id, plain } = port;
	const connect = createModbusLine(systemClock, ports);
	await ports.look([id, plain]);
	const before = connect(line(id), createLineMeter(systemClock));
	await before.open(never, () => undefined);
	const asked = t.throwsAsync(before.transact(read(0)), { instanceOf: ModbusFault });
	await sleep(50);
	await before.close();
	await asked;
	const next = connect(line(plain), createLineMeter(systemClock));
	await next.open(never, () => undefined);
	const { data } = await next.transact({ ...read(50), timeoutMs: 2000 });
	t.deepEqual(
		[0, 1, 2, 3, 4].map((k) => data.readUInt16BE(2 * k)),
		[1050, 1051, 1052, 1053, 1054],
	);
	await next.close();
});
