import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type Bus, createBus } from '../../gateway/driver/bus.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import type { SerialPorts } from '../../gateway/driver/port/serial-ports.ts';
import { hasPython, hasSocat, needs, startPtyPair, startPython } from '../driver/peer.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { createPortMachine } from '../fake/port-machine.ts';

/** Every register holds the number that was given. */
const SLAVE = `
import os, sys, struct, tty
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); tty.setraw(fd)
value = int(sys.argv[2])
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
        k = struct.unpack('>H', q[4:6])[0]
        r = bytes([q[0], q[1], 2 * k]) + struct.pack('>H', value) * k
        os.write(fd, r + crc(r))
`;

/** A pseudo-terminal with a slave behind it. */
async function startSlave(t: ExecutionContext, value: number) {
	const pair = await startPtyPair(t);
	await startPython(t, SLAVE, pair.far, String(value));
	return pair;
}

function openBus(
	t: ExecutionContext,
	path: string,
	ports: SerialPorts,
): Bus & { readonly failures: readonly string[] } {
	const line: Line = { transport: 'rtu', path, baudRate: 115_200, parity: 'none', dataBits: 8, stopBits: 1 };
	const failures: string[] = [];
	const bus = createBus({
		name: path,
		createLine: (meter) => createModbusLine(systemClock, ports)(line, meter),
		listener: { opened: () => undefined, failed: (reason) => failures.push(reason) },
		clock: systemClock,
		log: silentLog,
		// Without the news of its return the line would be tried again in half a minute at the earliest.
		random: () => 1,
	});
	t.teardown(() => bus.stop());
	t.teardown(ports.listen(() => bus.retry()));
	return Object.assign(bus, { failures });
}

/** The value that is read under this path now, as soon as one is. */
async function readValue(bus: Bus): Promise<number> {
	const untilMs = systemClock.monotonicMs() + 60_000;
	for (;;) {
		try {
			const { data } = await bus.request({ unitId: 1, functionCode: 3, address: 0, count: 1, timeoutMs: 500 }, 'poll');
			return data.readUInt16BE(0);
		} catch (error) {
			if (systemClock.monotonicMs() > untilMs) throw error;
			await sleep(50);
		}
	}
}

test('an adapter that comes back under another name is read again, and never the one that took its name', async (t) => {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'python3', hasPython())) return;
	const machine = await createPortMachine(t);
	const ports = portsOf(machine.folders);
	t.teardown(() => ports.stop());
	const [first, second] = [await startSlave(t, 111), await startSlave(t, 222)];
	const meters = { name: 'ttyUSB0', file: first.near, place: '1-1', serialNumber: 'METERS' };
	const pump = { name: 'ttyUSB1', file: second.near, place: '1-2', serialNumber: 'PUMP' };
	const bus = openBus(t, await machine.plug(meters), ports);
	const other = openBus(t, await machine.plug(pump), ports);
	t.is(await readValue(bus), 111);
	t.is(await readValue(other), 222);

	await first.cut();
	await second.cut();
	await machine.unplug(meters);
	await machine.unplug(pump);
	while (bus.isOpen || other.isOpen) await sleep(20);

	const [again, back] = [await startSlave(t, 111), await startSlave(t, 222)];
	await machine.plug({ ...pump, name: 'ttyUSB0', file: back.near });
	t.is(await readValue(other), 222, 'the adapter of the second line has the name of the first one now');
	t.regex(bus.stats().reason ?? '', /METERS/);
	await machine.plug({ ...meters, name: 'ttyUSB1', file: again.near });
	t.is(await readValue(bus), 111);
	t.true(
		bus.failures.some((reason) => /vanished|failed|unplugged/.test(reason)),
		bus.failures.join('; '),
	);
});

test('an adapter whose device file goes while nothing is asked is noticed', async (t) => {
	if (!needs(t, 'socat', hasSocat()) || !needs(t, 'python3', hasPython())) return;
	const machine = await createPortMachine(t);
	const ports = portsOf(machine.folders);
	t.teardown(() => ports.stop());
	const slave = await startSlave(t, 5);
	const usb = { name: 'ttyUSB0', file: slave.near, place: '1-1', serialNumber: 'A1' };
	const bus = openBus(t, await machine.plug(usb), ports);
	t.is(await readValue(bus), 5);
	// The terminal itself stays: only its name goes, as with adapters whose driver keeps dead ports readable.
	await machine.unplug(usb);
	while (bus.isOpen) await sleep(20);
	t.regex(bus.failures.join('; '), /vanished/);
});
