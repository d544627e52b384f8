import test from 'ava';

import type { Line, SerialLine } from '../../config/connection/connection.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createBus } from '../../gateway/driver/bus.ts';
import type { ModbusLine } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createDriverLines, MOST_TESTS } from '../../gateway/scan/driver-lines.ts';
import { createManualTimer } from '../fake/manual-timer.ts';

const at = (path: string, baudRate = 9_600): SerialLine => ({
	transport: 'rtu',
	path,
	baudRate,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
});

const read = { unitId: 1, functionCode: 3, address: 0, count: 1, timeoutMs: 100 } as const;

const deviceOf = (path: string): string => (path === '/dev/serial/by-id/meter' ? '/dev/ttyUSB0' : path);

/** Ports that only one connection may have open, and the device of `/dev/serial/by-id/meter`. */
function bench(polled: readonly Line[] = [at('/dev/ttyUSB0')]) {
	const time = createManualTimer();
	const open = new Map<string, number>();
	const log: string[] = [];
	const createLine = (line: Line): ModbusLine => {
		const port = 'path' in line ? deviceOf(line.path) : `${line.host}:${line.port}`;
		const rate = 'path' in line ? line.baudRate : 0;
		let isOpen = false;
		return {
			depth: 1,
			async open() {
				if (open.has(port)) throw new Fault('state-conflict', `${port} is in use`);
				open.set(port, rate);
				isOpen = true;
				log.push(`open ${port} ${rate}`);
			},
			async transact() {
				return { data: Buffer.from([0, rate / 1200]), readAt: epochMs(0), latencyMs: 1 };
			},
			async close() {
				if (!isOpen) return;
				isOpen = false;
				open.delete(port);
				log.push(`close ${port} ${rate}`);
			},
		};
	};
	const listener = { opened: () => undefined, failed: () => undefined };
	const { clock, setTimer } = time;
	const busOf = (line: Line) =>
		createBus({ name: 'bus', createLine: () => createLine(line), listener, clock, log: silentLog, setTimer });
	const buses = new Map(polled.map((line) => [line, busOf(line)]));
	const lines = createDriverLines({
		lines: () => polled,
		bus: (line) => buses.get(line) ?? busOf(line),
		createLine,
		deviceOf: (path) => Promise.resolve(deviceOf(path)),
		clock,
		setTimer,
		log: silentLog,
	});
	return { lines, open, log, time };
}

const turns = async (): Promise<void> => {
	for (let k = 0; k < 50; k += 1) await Promise.resolve();
};

test('a held port is taken from its polling, used at other settings, and given back', async (t) => {
	const { lines, open, log } = bench();
	await turns();
	t.deepEqual([...open], [['/dev/ttyUSB0', 9_600]]);
	const port = await lines.hold('/dev/ttyUSB0', 'scan 1');
	t.deepEqual([...open], []);
	const slow = await port.open(at('/dev/ttyUSB0', 2_400));
	t.is((await slow.request(read)).data[1], 2);
	const fast = await port.open(at('/dev/ttyUSB0', 19_200));
	t.is((await fast.request(read)).data[1], 16);
	await port.release();
	await port.release();
	await turns();
	t.deepEqual(log, [
		'open /dev/ttyUSB0 9600',
		'close /dev/ttyUSB0 9600',
		'open /dev/ttyUSB0 2400',
		'close /dev/ttyUSB0 2400',
		'open /dev/ttyUSB0 19200',
		'close /dev/ttyUSB0 19200',
		'open /dev/ttyUSB0 9600',
	]);
});

test('a scan that hangs loses the port after half a minute, and polling goes on', async (t) => {
	const { lines, open, time } = bench();
	await turns();
	const port = await lines.hold('/dev/ttyUSB0', 'scan 1');
	const line = await port.open(at('/dev/ttyUSB0', 2_400));
	await line.request(read);
	time.advance(29_000);
	await line.request(read);
	time.advance(29_000);
	t.deepEqual([...open], [['/dev/ttyUSB0', 2_400]], 'whoever uses it keeps it');
	time.advance(1_000);
	await turns();
	t.deepEqual([...open], [['/dev/ttyUSB0', 9_600]]);
	await t.throwsAsync(line.request(read), { message: 'scan 1 does not hold /dev/ttyUSB0 any more' });
	await t.throwsAsync(port.open(at('/dev/ttyUSB0')), { message: /does not hold/ });
	await t.notThrowsAsync(lines.hold('/dev/ttyUSB0', 'scan 2'));
});

test('a held port is known under all of its names, and its holder is named', async (t) => {
	const { lines } = bench([at('/dev/serial/by-id/meter')]);
	const used = await lines.inUse({ path: '/dev/ttyUSB0' });
	t.is(used !== null && 'path' in used && used.path, '/dev/serial/by-id/meter');
	await lines.hold('/dev/ttyUSB0', 'scan 1');
	for (const path of ['/dev/ttyUSB0', '/dev/serial/by-id/meter']) {
		await t.throwsAsync(lines.hold(path, 'scan 2'), { message: /is held by scan 1; wait/ });
		await t.throwsAsync(lines.share(at(path), 'test'), { message: /is held by scan 1; wait/ });
		await t.throwsAsync(lines.visit(at(path)), { message: /is held by scan 1; wait/ });
	}
});

test('a polled port is shared at its own settings under any name, and refused at others', async (t) => {
	const { lines, open } = bench();
	await turns();
	const shared = await lines.share(at('/dev/serial/by-id/meter'), 'test');
	t.is((await shared.request(read)).data[1], 8);
	await shared.release();
	t.deepEqual([...open], [['/dev/ttyUSB0', 9_600]]);
	await t.throwsAsync(lines.share(at('/dev/ttyUSB0', 19_200), 'test'), {
		message: /^rtu \/dev\/ttyUSB0 19200 8N1 cannot be used now: it is polled as rtu \/dev\/ttyUSB0 9600 8N1/,
	});
});

test('a visited line that nobody polls is closed with its release', async (t) => {
	const { lines, open } = bench([]);
	const visited = await lines.visit({ transport: 'tcp', host: '10.0.0.1', port: 502 });
	await visited.request(read);
	t.deepEqual([...open.keys()], ['10.0.0.1:502']);
	await visited.release();
	t.deepEqual([...open], []);
});

test('a port whose polling cannot rest is not held', async (t) => {
	const polled = at('/dev/ttyUSB0');
	const time = createManualTimer();
	const lines = createDriverLines({
		lines: () => [polled],
		bus: () => {
			throw new Fault('state-conflict', 'the Modbus driver is stopped');
		},
		createLine: () => {
			throw new Error('nobody asks for it');
		},
		deviceOf: (path) => Promise.resolve(path),
		clock: time.clock,
		setTimer: time.setTimer,
		log: silentLog,
	});
	for (let k = 0; k < 2; k += 1)
		await t.throwsAsync(lines.hold('/dev/ttyUSB0', 'scan 1'), { message: 'the Modbus driver is stopped' });
});

const host = (k: number): Line => ({ transport: 'tcp', host: `192.0.2.${k}`, port: 502 });

test('a few lines are lent for tests at once, each until it is given back; scans do not count', async (t) => {
	const { lines } = bench();
	const lent = [];
	for (let k = 1; k <= MOST_TESTS; k += 1) lent.push(await lines.share(host(k), 'test'));
	const refusal = { instanceOf: Fault, message: /^8 lines are being asked for somebody already/ };
	const { reason } = await t.throwsAsync<Fault>(lines.share(host(100), 'test'), refusal);
	t.is(reason, 'rate-limited');
	await t.notThrowsAsync(lines.share(host(100), 'scan'));
	const [first] = lent;
	await first?.release();
	await first?.release();
	await lines.share(host(100), 'test');
	await t.throwsAsync(lines.share(host(101), 'test'), refusal, 'giving back twice frees one place');
});

test('a line that cannot be lent takes nobody the place', async (t) => {
	const { lines } = bench();
	const refusal = { message: /cannot be used now/ };
	for (let k = 0; k <= MOST_TESTS; k += 1)
		await t.throwsAsync(lines.share(at('/dev/ttyUSB0', 19_200), 'test'), refusal);
});
