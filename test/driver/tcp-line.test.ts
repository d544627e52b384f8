import test from 'ava';
import { systemClock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault, type ModbusFailure } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { reservePort } from '../fake/reserved-port.ts';
import { createFakeSlave, type FakeSlave, replyTo, type SlaveReply } from '../fake/modbus-slave.ts';

/** Longer than any stall of a loaded machine: an answer that comes is an answer. */
const PATIENT_MS = 10_000;

const read = (address: number, count: number, timeoutMs = PATIENT_MS): ModbusRequest => ({
	unitId: 3,
	functionCode: 3,
	address,
	count,
	timeoutMs,
});

async function openOn(slave: FakeSlave) {
	const meter = createLineMeter(systemClock);
	const line = createModbusLine(systemClock, portsOf())(
		{ transport: 'tcp', host: '127.0.0.1', port: slave.port },
		meter,
	);
	const lost: (string | null)[] = [];
	await line.open(new AbortController().signal, (reason) => lost.push(reason));
	return { line, counters: meter.counters, lost };
}

test('all four read functions bring their data', async (t) => {
	const slave = await createFakeSlave();
	const { line } = await openOn(slave);
	for (const functionCode of [1, 2, 3, 4] as const) {
		for (const count of [1, 8, 9, 125]) {
			const request = { ...read(20, count), functionCode };
			t.deepEqual((await line.transact(request)).data, replyTo(request).subarray(3));
		}
	}
	await line.close();
	await slave.stop();
});

/** Every second one of the first eight. */
const isLate = (index: number): boolean => index < 8 && index % 2 === 0;

test('late answers are dropped by their transaction id and counted', async (t) => {
	const slave = await createFakeSlave((_, index) => ({ kind: 'data', isLate: isLate(index) }));
	const { line, counters } = await openOn(slave);
	for (let i = 0; i < 8; i += 1) {
		const request = read(10 * i, 5, isLate(i) ? 60 : PATIENT_MS);
		if (isLate(i)) {
			const fault = await t.throwsAsync(line.transact(request), { instanceOf: ModbusFault });
			t.is(fault.failure, 'timeout');
		} else t.deepEqual((await line.transact(request)).data, replyTo(request).subarray(3));
	}
	t.is(counters.timeouts, 4);
	t.is(counters.strayFrames, 4);
	await line.close();
	await slave.stop();
});

/** Bytes after which nobody knows where the next frame begins: the connection is made anew, and the line did not fail. */
const strangers: readonly (readonly [name: string, bytes: Buffer])[] = [
	['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
	['a frame of impossible length', Buffer.from('00010000ffff0103', 'hex')],
	['an empty frame', Buffer.from('000100000000', 'hex')],
];
for (const [name, bytes] of strangers) {
	test(`${name} is the fault of the unit that was asked, and not of its line`, async (t) => {
		const slave = await createFakeSlave(() => ({ kind: 'bytes', bytes }));
		const { line, lost } = await openOn(slave);
		const fault = await t.throwsAsync(line.transact(read(0, 5)), { message: /not Modbus TCP/ });
		t.is(fault instanceof ModbusFault && fault.failure, 'corrupt');
		t.deepEqual(lost, [null]);
		await line.close();
		await slave.stop();
	});
}

const faults: readonly (readonly [name: string, reply: SlaveReply, failure: ModbusFailure])[] = [
	['never answering', { kind: 'silence' }, 'timeout'],
	['a wrong transaction id', { kind: 'wrong-transaction' }, 'timeout'],
	['a wrong unit', { kind: 'wrong-unit' }, 'corrupt'],
	['a wrong function', { kind: 'wrong-function' }, 'corrupt'],
	['too few registers', { kind: 'short' }, 'corrupt'],
	['half a frame and the end', { kind: 'drop-midway' }, 'closed'],
	['half a frame and silence', { kind: 'bytes', bytes: Buffer.from('00010000000d0303', 'hex') }, 'timeout'],
];
for (const [name, reply, failure] of faults) {
	test(`${name} ends the request as ${failure}`, async (t) => {
		const slave = await createFakeSlave(() => reply);
		const { line, lost } = await openOn(slave);
		const fault = await t.throwsAsync(line.transact(read(0, 5, failure === 'timeout' ? 150 : PATIENT_MS)));
		t.is(fault instanceof ModbusFault && fault.failure, failure);
		t.is(lost.length, failure === 'closed' ? 1 : 0);
		await line.close();
		await slave.stop();
	});
}

for (let code = 1; code <= 11; code += 1) {
	test(`exception ${code} is told by its code and in words`, async (t) => {
		const slave = await createFakeSlave(() => ({ kind: 'exception', code }));
		const { line, counters } = await openOn(slave);
		const fault = await t.throwsAsync(line.transact(read(0, 5)));
		t.is(fault instanceof ModbusFault && fault.exceptionCode, code);
		t.regex(fault?.message ?? '', /^unit 3 refused function 3 at address 0, count 5: \w+/);
		t.is(counters.exceptions, 1);
		await line.close();
		await slave.stop();
	});
}

// Serial: the stall would disturb its neighbours.
test.serial('a stall of the process does not time out an answer that has arrived', async (t) => {
	const slave = await createFakeSlave();
	const { line, counters } = await openOn(slave);
	for (let i = 0; i < 3; i += 1) {
		const pending = line.transact(read(i, 5, 40));
		// The answer of the slave, which lives in this process, is on its way when the stall begins.
		for (const since = slave.requests.length; slave.requests.length === since;) await new Promise(setImmediate);
		const untilMs = systemClock.monotonicMs() + 120;
		while (systemClock.monotonicMs() < untilMs);
		await t.notThrowsAsync(pending);
	}
	t.is(counters.timeouts, 0);
	await line.close();
	await slave.stop();
});

test('a port where nobody listens is refused with a sentence', async (t) => {
	const port = await reservePort();
	const line = createModbusLine(systemClock, portsOf())(
		{ transport: 'tcp', host: '127.0.0.1', port },
		createLineMeter(systemClock),
	);
	const fault = await t.throwsAsync(line.open(new AbortController().signal, () => undefined));
	t.true(fault instanceof Fault);
	t.regex(fault?.message ?? '', /127\.0\.0\.1:\d+ refuses connections.*ECONNREFUSED/);
	await line.close();
});

test('frames are recorded only while somebody watches', async (t) => {
	const slave = await createFakeSlave();
	const meter = createLineMeter(systemClock);
	const line = createModbusLine(systemClock, portsOf())(
		{ transport: 'tcp', host: '127.0.0.1', port: slave.port },
		meter,
	);
	await line.open(new AbortController().signal, () => undefined);
	await line.transact(read(0, 1));
	t.is(meter.frames.frames().length, 0);
	meter.frames.record(60_000);
	for (let i = 0; i < 150; i += 1) await line.transact(read(i, 1));
	const frames = meter.frames.frames();
	t.is(frames.length, 300);
	t.is(frames.at(-1)?.direction, 'received');
	t.is(frames.at(-2)?.bytes.readUInt16BE(8), 149);
	await line.close();
	await slave.stop();
});
