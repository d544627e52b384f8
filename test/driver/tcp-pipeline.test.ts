import test from 'ava';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import type { ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createTcpLine } from '../../gateway/driver/modbus/wire/tcp-line.ts';
import { mbap } from '../fake/framings.ts';
import { createPduDevice } from '../fake/pdu-device.ts';

const read = (address: number, timeoutMs = 60_000): ModbusRequest => ({
	unitId: 1,
	functionCode: 3,
	address,
	count: 1,
	timeoutMs,
});

const failureOf = (fault: unknown): string => (fault instanceof ModbusFault ? fault.failure : String(fault));

/** A line on a wire in memory: what it writes is kept until the test lets it be answered. */
async function openLine(depth: number) {
	const device = createPduDevice();
	const meter = createLineMeter(systemClock);
	const writes: Buffer[] = [];
	const lost: (string | null)[] = [];
	let wire: ByteLinkListener | null = null;
	const line = createTcpLine({
		link: {
			open(listener) {
				wire = listener;
				return Promise.resolve();
			},
			write: (bytes) => void writes.push(bytes),
			close: () => Promise.resolve(),
		},
		place: '10.0.0.5:502',
		depth,
		clock: systemClock,
		meter,
	});
	await line.open(new AbortController().signal, (reason) => lost.push(reason));
	/** The answers to all that was written since the last time, one by one. */
	function answers(): readonly Buffer[] {
		const found: Buffer[] = [];
		let waiting: Buffer = Buffer.concat(writes.splice(0));
		for (let request = mbap.cut(waiting); request !== null; request = mbap.cut(waiting)) {
			waiting = request.rest;
			const pdu = device.answer(request.pdu);
			if (pdu !== null) found.push(mbap.wrap(request.unitId, pdu, request.tag));
		}
		return found;
	}
	const say = (bytes: Buffer): void => wire?.bytes(bytes);
	return { line, counters: meter.counters, writes, lost, answers, say };
}

const turn = (): Promise<void> =>
	new Promise((resolve) => {
		setImmediate(resolve);
	});

test('requests of one turn leave in one write, and answers in any order find their requests', async (t) => {
	const { line, writes, answers, say } = await openLine(4);
	const pending = [5, 6, 7, 8].map((address) => line.transact(read(address)));
	await turn();
	t.is(writes.length, 1);
	say(Buffer.concat(answers().toReversed()));
	t.deepEqual(
		(await Promise.all(pending)).map(({ data }) => data.readUInt16BE(0)),
		[35, 42, 49, 56],
	);
	await line.close();
});

test('a request that times out does not disturb those beside it, and its late answer is dropped', async (t) => {
	const { line, counters, answers, say } = await openLine(2);
	const first = line.transact(read(5, 20)).catch(failureOf);
	const second = line.transact(read(6));
	await turn();
	const [late, right] = answers();
	t.is(await first, 'timeout');
	say(Buffer.concat([late ?? Buffer.alloc(0), right ?? Buffer.alloc(0)]));
	t.is((await second).data.readUInt16BE(0), 42);
	t.is(counters.strayFrames, 1);
	t.is(counters.timeouts, 1);
	await line.close();
});

test('the transaction id of a request that may still be answered is not used again', async (t) => {
	const { line, counters, answers, say } = await openLine(1);
	const lost = line.transact(read(5, 1)).catch(failureOf);
	const [late = Buffer.alloc(0)] = answers();
	t.is(await lost, 'timeout');
	for (let round = 0; round < 65_536; round += 1) {
		const pending = line.transact(read(6));
		const [answer = Buffer.alloc(0)] = answers();
		if (answer.readUInt16BE(0) === late.readUInt16BE(0)) t.fail('the id was given to another request');
		say(answer);
		await pending;
	}
	say(late);
	t.is(counters.strayFrames, 1);
	await line.close();
});

test('what is no Modbus TCP is the fault of the oldest request; the others end with their connection', async (t) => {
	const { line, lost, say } = await openLine(3);
	const pending = [5, 6, 7].map((address) => line.transact(read(address)).catch(failureOf));
	await turn();
	say(Buffer.from('HTTP/1.1 400 Bad Request'));
	t.deepEqual(await Promise.all(pending), ['corrupt', 'closed', 'closed']);
	t.deepEqual(lost, [null]);
	t.is(await line.transact(read(5)).catch(failureOf), 'closed');
	await line.close();
});

test('what is no Modbus TCP while nothing is asked is a fault of the line', async (t) => {
	const { line, lost, say } = await openLine(3);
	say(Buffer.from('220 mail.example ESMTP'));
	t.deepEqual(lost, ['10.0.0.5:502 sent bytes that are not Modbus TCP']);
	await line.close();
});

test('a flood of frames that nobody asked for leaves nothing behind', async (t) => {
	const { line, counters, say, answers } = await openLine(1);
	const pending = line.transact(read(5));
	const [answer = Buffer.alloc(0)] = answers();
	const strange = Buffer.from([answer.readUInt8(0) ^ 0x80, answer.readUInt8(1)]);
	const frames = Buffer.concat(Array.from({ length: 200 }, () => mbap.wrap(1, Buffer.alloc(253, 3), strange)));
	const before = process.memoryUsage();
	// 100 MB in pieces that cut through the frames.
	for (let round = 0; round < 2000; round += 1) {
		const at = (round * 37) % frames.length;
		say(frames.subarray(0, at));
		say(frames.subarray(at));
	}
	const after = process.memoryUsage();
	const keptBytes = after.external + after.heapUsed - before.external - before.heapUsed;
	t.true(keptBytes < 50_000_000, `${keptBytes} bytes are kept`);
	t.is(counters.strayFrames, 400_000);
	say(answer);
	t.is((await pending).data.readUInt16BE(0), 35);
	await line.close();
});

test('a storm of exceptions leaves nothing behind', async (t) => {
	const { line, counters, say, answers } = await openLine(1);
	const before = process.memoryUsage().heapUsed;
	for (let round = 0; round < 50_000; round += 1) {
		// Beyond the registers of the device.
		const pending = line.transact(read(5000)).catch(failureOf);
		for (const answer of answers()) say(answer);
		if ((await pending) !== 'exception') t.fail('no exception');
	}
	const keptBytes = process.memoryUsage().heapUsed - before;
	t.true(keptBytes < 50_000_000, `${keptBytes} bytes are kept`);
	t.is(counters.exceptions, 50_000);
	await line.close();
});
