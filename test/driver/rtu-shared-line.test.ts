import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createBystanders } from '../../gateway/driver/modbus/wire/bystanders.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest, ModbusWrite } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { replyTo, type SlaveRequest } from '../fake/modbus-slave.ts';
import { withCrc } from '../fake/crc.ts';
import { createRtuWire, rtuException, type RtuWire, rtuReply } from '../fake/rtu-wire.ts';

const timing = { baudRate: 115_200, bitsPerChar: 10 };

/** Longer than any stall of a loaded machine, for requests whose timeout is not what the test is about. */
const PATIENT_MS = 30_000;

const read = (address: number, count: number, unitId = 1): ModbusRequest => ({
	unitId,
	functionCode: 3,
	address,
	count,
	timeoutMs: PATIENT_MS,
});

const set = (address: number, value: number): ModbusWrite => ({
	unitId: 1,
	functionCode: 6,
	address,
	words: [value],
	timeoutMs: 60,
	guardMs: 0,
});

/** What another master sends. */
function foreign({ unitId, functionCode, address, count }: SlaveRequest): Buffer {
	const body = Buffer.from([unitId, functionCode, 0, 0, 0, 0]);
	body.writeUInt16BE(address, 2);
	body.writeUInt16BE(count, 4);
	return withCrc(body);
}

async function openOn(wire: RtuWire, clock = systemClock) {
	const meter = createLineMeter(clock);
	const guard = createLateReplyGuard(() => clock.monotonicMs());
	const line = createRtuLine({ link: wire.link(), timing, clock, meter, guard });
	await line.open(new AbortController().signal, () => undefined);
	return { line, counters: meter.counters };
}

async function untilSent(wire: RtuWire, requests = 1): Promise<void> {
	while (wire.requests.length < requests) await sleep(1);
}

const isRight = (data: Buffer, request: ModbusRequest): boolean => data.equals(replyTo(request).subarray(3));

test('an adapter that hears itself: each echo is swallowed and counted, and the answer behind it is read', async (t) => {
	const wire = createRtuWire(
		() => ({ delayMs: 3 }),
		() => true,
	);
	const { line, counters } = await openOn(wire);
	for (let i = 0; i < 5; i += 1) {
		const request = read(10 * i, 1 + i);
		t.true(isRight((await line.transact(request)).data, request));
	}
	await line.transact(set(7, 1234));
	t.is(counters.echoFrames, 6);
	t.is(counters.answers, 6);
	t.is(counters.foreignFrames + counters.noiseBytes + counters.crcErrors, 0);
	await line.close();
});

test('on an adapter that hears itself a write is confirmed by its answer only, also when it is the first request', async (t) => {
	const wire = createRtuWire(
		({ functionCode }) => (functionCode === 6 ? null : { delayMs: 1 }),
		() => true,
	);
	const { line } = await openOn(wire);
	const fault = await t.throwsAsync(line.transact(set(7, 1)), { instanceOf: ModbusFault });
	t.is(fault.failure, 'timeout');
	t.deepEqual(
		wire.requests.map(({ functionCode }) => functionCode),
		[3, 6],
		'a read before it shows whether there is an echo',
	);
	await line.close();
});

test('without an echo the first write needs two reads before it, and later ones none', async (t) => {
	const wire = createRtuWire(() => ({ delayMs: 1 }));
	const { line, counters } = await openOn(wire);
	await line.transact(set(7, 1));
	await line.transact(set(7, 2));
	t.deepEqual(
		wire.requests.map(({ functionCode }) => functionCode),
		[3, 3, 6, 6],
	);
	t.is(counters.echoFrames, 0);
	await line.close();
});

test('a write to a device that answers no reads is still confirmed', async (t) => {
	const wire = createRtuWire((request) =>
		request.functionCode === 6 ? { delayMs: 1 } : { delayMs: 1, bytes: rtuException(request, 1) },
	);
	const { line, counters } = await openOn(wire);
	await line.transact(set(7, 1));
	t.is(counters.answers, 1);
	await line.close();
});

test('what another master and its devices say is counted and never taken', async (t) => {
	const wire = createRtuWire(() => ({ delayMs: 2 }));
	const { line, counters } = await openOn(wire);
	for (let i = 0; i < 4; i += 1) {
		const theirs: SlaveRequest = { unitId: 9, functionCode: 4, address: 30 + i, count: 6 };
		wire.inject(foreign(theirs));
		await sleep(5);
		wire.inject(rtuReply(theirs));
		await sleep(5);
		const request = read(i, 6);
		t.true(isRight((await line.transact(request)).data, request));
	}
	t.is(counters.foreignFrames, 8);
	t.is(counters.noiseBytes, 0);
	t.is(counters.answers, 4);
	await line.close();
});

test('a request waits until the answer to another master has been heard', async (t) => {
	const wire = createRtuWire(() => ({ delayMs: 1 }));
	// The time of the line is the test's: however slow the machine is, it does not run out of patience with the other master.
	const time = createManualTimer();
	const { line } = await openOn(wire, time.clock);
	const theirs: SlaveRequest = { unitId: 9, functionCode: 3, address: 0, count: 2 };
	wire.inject(foreign(theirs));
	time.advance(40);
	const request = read(0, 2);
	const pending = line.transact(request);
	await sleep(40);
	t.is(wire.requests.length, 0);
	wire.inject(rtuReply(theirs));
	time.advance(5);
	t.true(isRight((await pending).data, request));
	await line.close();
});

test('the answer to another master of the shape that we await is not taken for ours', async (t) => {
	// The device has heard the other master only, which asked while our request was on its way.
	const wire = createRtuWire((_, index) => (index === 0 ? null : { delayMs: 1 }));
	const { line, counters } = await openOn(wire);
	const theirs: SlaveRequest = { unitId: 1, functionCode: 3, address: 500, count: 5 };
	const pending = line.transact(read(0, 5));
	await untilSent(wire);
	wire.inject(foreign(theirs));
	await sleep(5);
	wire.inject(rtuReply(theirs));
	const fault = await t.throwsAsync(pending, { instanceOf: ModbusFault });
	t.is(fault.failure, 'corrupt');
	t.regex(fault.message, /another master/);
	t.is(counters.answers, 0);
	const next = read(40, 5);
	t.true(isRight((await line.transact(next)).data, next), 'the line is sound again');
	await line.close();
});

test('an answer that another master was denied before is not taken when it comes after all', async (t) => {
	const wire = createRtuWire(() => null);
	const { line } = await openOn(wire);
	const theirs: SlaveRequest = { unitId: 1, functionCode: 3, address: 500, count: 5 };
	wire.inject(foreign(theirs));
	const pending = line.transact(read(0, 5));
	// Our request is kept back for the other one, but not for ever.
	await untilSent(wire);
	wire.inject(rtuReply(theirs));
	t.is((await t.throwsAsync(pending, { instanceOf: ModbusFault })).failure, 'corrupt');
	await line.close();
});

test('our answer settles what another master asked before our request, and not what it asked behind it', async (t) => {
	const theirs: SlaveRequest = { unitId: 1, functionCode: 3, address: 500, count: 5 };
	const ours = read(0, 2);
	const wire = createRtuWire(() => null);
	const { line } = await openOn(wire);
	const first = line.transact(ours);
	await untilSent(wire);
	// The other master speaks while the device has our request already.
	wire.inject(foreign(theirs));
	wire.inject(rtuReply({ ...ours, functionCode: 3 }));
	t.true(isRight((await first).data, ours));
	const second = line.transact(read(40, 5));
	await untilSent(wire, 2);
	wire.inject(rtuReply(theirs));
	t.is((await t.throwsAsync(second, { instanceOf: ModbusFault })).failure, 'corrupt');
	await line.close();
});

test('on a line that is shared, an answer behind bytes that may have been a request is not taken', async (t) => {
	const theirs: SlaveRequest = { unitId: 1, functionCode: 3, address: 500, count: 5 };
	const wire = createRtuWire((_, index) =>
		index === 0 ? { delayMs: 1 } : { delayMs: 1, bytes: Buffer.concat([Buffer.alloc(8, 0x5a), rtuReply(theirs)]) },
	);
	const { line, counters } = await openOn(wire);
	wire.inject(foreign({ ...theirs, unitId: 4 }));
	wire.inject(rtuReply({ ...theirs, unitId: 4 }));
	await line.transact(read(0, 5));
	const fault = await t.throwsAsync(line.transact(read(20, 5)), { instanceOf: ModbusFault });
	t.is(fault.failure, 'corrupt');
	t.is(counters.noiseBytes, 8);
	await line.close();
});

test('the late answer to a request of ours is no sign of another master', async (t) => {
	const wire = createRtuWire((_, index) => (index === 0 ? null : { delayMs: 1 }));
	const { line, counters } = await openOn(wire);
	const late = { ...read(0, 5), timeoutMs: 60 };
	const fault = await t.throwsAsync(line.transact(late), { instanceOf: ModbusFault });
	t.is(fault.failure, 'timeout');
	wire.inject(rtuReply(late));
	await line.transact(read(0, 3));
	t.is(counters.foreignFrames, 0);
	t.true(counters.strayFrames > 0);
	await line.close();
});

test('a late exception in front of the echo is not taken for the echo', async (t) => {
	const wire = createRtuWire(
		({ functionCode }) => (functionCode === 6 ? null : { delayMs: 1 }),
		() => true,
	);
	const { line } = await openOn(wire);
	await line.transact(read(0, 3));
	const pending = line.transact(set(7, 1));
	await sleep(5);
	wire.inject(rtuException({ unitId: 1, functionCode: 6, address: 7, count: 1 }, 2));
	wire.inject(withCrc(Buffer.from([1, 6, 0, 7, 0, 1])));
	await t.throwsAsync(pending, { instanceOf: ModbusFault });
	await line.close();
});

test('another master is still known after the port was opened anew', async (t) => {
	const theirs: SlaveRequest = { unitId: 1, functionCode: 3, address: 500, count: 5 };
	const wire = createRtuWire(() => null);
	const meter = createLineMeter(systemClock);
	const guard = createLateReplyGuard(() => systemClock.monotonicMs());
	const bystanders = createBystanders(systemClock, meter.counters);
	const open = async () => {
		const line = createRtuLine({ link: wire.link(), timing, clock: systemClock, meter, guard, bystanders });
		await line.open(new AbortController().signal, () => undefined);
		return line;
	};
	const before = await open();
	wire.inject(foreign(theirs));
	await t.throwsAsync(before.transact({ ...read(0, 1), timeoutMs: 20 }));
	await before.close();
	const after = await open();
	const { length } = wire.requests;
	const pending = after.transact(read(0, 5));
	await untilSent(wire, length + 1);
	wire.inject(rtuReply(theirs));
	t.is((await t.throwsAsync(pending, { instanceOf: ModbusFault })).failure, 'corrupt');
	await after.close();
});

test('identification and server id have the length that they tell themselves', async (t) => {
	const objects = [Buffer.from('Maker'), Buffer.from('M-1'), Buffer.from('V2.0')];
	const list = objects.flatMap((value, id) => [id, value.length, ...value]);
	const identification = withCrc(Buffer.from([1, 43, 14, 1, 1, 0, 0, objects.length, ...list]));
	const server = withCrc(Buffer.from([1, 17, 4, 0x42, 0xff, 1, 2]));
	const wire = createRtuWire((_, index) => ({
		delayMs: 0,
		bytes: index === 0 ? identification : server,
		pieces: [3, 9, 2, 1, 4],
	}));
	const { line, counters } = await openOn(wire);
	const said = await line.transact({ unitId: 1, functionCode: 43, readCode: 1, objectId: 0, timeoutMs: 500 });
	t.true(said.data.includes('Maker'));
	const { data } = await line.transact({ unitId: 1, functionCode: 17, timeoutMs: 500 });
	t.deepEqual([...data], [0x42, 0xff, 1, 2]);
	t.is(counters.strayFrames, 0);
	await line.close();
});
