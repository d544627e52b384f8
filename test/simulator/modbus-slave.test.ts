import { connect } from 'node:net';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { createRequestCutter, crc16, rtuFrame } from '../../gateway/simulator/rtu-slave-frame.ts';
import { createModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { createFrameCutter } from '../../gateway/simulator/tcp-slave-frame.ts';
import { createPointsImage } from '../../gateway/simulator/register-image.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const newSlave = (clock = createManualClock(60_000)) =>
	createModbusSlave({
		clock,
		images: new Map([
			[1, createPointsImage(10)],
			[2, createSdm630Image(2)],
		]),
	});

const exchanges = [
	{ title: 'a read of three registers', request: '04 0000 0003', reply: '04 06 003c 003d 003e' },
	{ title: 'a read of holding registers', request: '03 0009 0001', reply: '03 02 0045' },
	{ title: 'a read behind the end', request: '03 0009 0002', reply: '83 02' },
	{ title: 'a read across 65 535', request: '03 ffff 0002', reply: '83 02' },
	{ title: 'a read of nothing', request: '03 0000 0000', reply: '83 03' },
	{ title: 'a read of 126 registers', request: '03 0000 007e', reply: '83 03' },
	{ title: 'a truncated read', request: '03 0000 00', reply: '83 03' },
	{ title: 'a function the device has not', request: '2b 0e 01 00', reply: 'ab 01' },
	{ title: 'a write of coils', request: '0f 0000 0001 01 01', reply: '8f 01' },
	{ title: 'a write whose byte count is wrong', request: '10 0002 0002 05 42480000', reply: '90 03' },
] as const;

for (const { title, request, reply } of exchanges) {
	test(`${title} (${request}) is answered with ${reply}`, (t) => {
		t.deepEqual(newSlave().reply(1, hex(request))?.pdu, hex(reply));
	});
}

test('a setting is written with function 16 and reads back', (t) => {
	const slave = newSlave();
	t.deepEqual(slave.reply(2, hex('10 0002 0002 04 41f00000'))?.pdu, hex('10 0002 0002'));
	t.deepEqual(slave.reply(2, hex('03 0002 0002'))?.pdu, hex('03 04 41f00000'));
});

test('an overridden value is read until it is released', (t) => {
	const slave = newSlave();
	const before = slave.reply(2, hex('04 0000 0002'))?.pdu;
	slave.override(2, 0, 50);
	t.deepEqual(slave.reply(2, hex('04 0000 0002'))?.pdu, hex('04 04 42480000'));
	slave.release(2);
	t.deepEqual(slave.reply(2, hex('04 0000 0002'))?.pdu, before);
});

test('each behaviour shows in the reply, in the log and in the counts', (t) => {
	const slave = newSlave();
	const request = hex('04 0000 0001');
	slave.behave(1, { kind: 'silent' });
	t.is(slave.reply(1, request), null);
	slave.behave(1, { kind: 'exception', exceptionCode: 6 });
	t.deepEqual(slave.reply(1, request)?.pdu, hex('84 06'));
	slave.behave(1, { kind: 'late', delayMs: 700 });
	t.is(slave.reply(1, request)?.delayMs, 700);
	slave.behave(1, { kind: 'garbage' });
	t.true(slave.reply(1, request)?.isGarbage);
	t.deepEqual(
		slave.log().map(({ outcome }) => outcome),
		['silent', 'exception', 'answered', 'garbage'],
	);
	t.deepEqual(slave.counts(), { answered: 1, exception: 1, silent: 1, garbage: 1 });
});

test('the log keeps the newest requests and the counts keep all', (t) => {
	const slave = newSlave();
	for (let turn = 0; turn < 12_000; turn += 1) slave.reply(1, hex('04 0000 0001'));
	t.true(slave.log().length <= 10_000);
	t.is(slave.counts().answered, 12_000);
});

test('requests are cut out of a TCP stream however it is chopped', (t) => {
	const stream = Buffer.concat([hex('0001 0000 0006 01 03 0000 0001'), hex('0002 0000 0006 02 04 0000 0002')]);
	fc.assert(
		fc.property(fc.array(fc.nat(stream.length), { maxLength: 6 }), (cuts) => {
			const cut = createFrameCutter();
			const edges = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
			const frames = edges.flatMap((edge, index) => cut(stream.subarray(edges[index - 1] ?? 0, edge)));
			return frames.length === 2 && frames[1]?.unitId === 2 && frames[1].pdu.equals(hex('04 0000 0002'));
		}),
	);
	t.pass();
});

for (const bytes of ['0001 0001 0006 01', '0001 0000 0001 01', '0001 0000 00ff 01']) {
	test(`a TCP stream that begins with ${bytes} is no Modbus`, (t) => {
		t.throws(() => createFrameCutter()(hex(bytes)), { instanceOf: RangeError });
	});
}

test('the CRC is that of the Modbus specification', (t) => {
	t.is(crc16(hex('02 07')), 0x1241);
	t.deepEqual(rtuFrame(1, hex('04 0000 0002')), hex('01 04 0000 0002 71cb'));
});

test('requests are cut out of a serial line in pieces, behind noise, and not out of an old rest', (t) => {
	const clock = createManualClock();
	const cut = createRequestCutter(clock);
	const request = hex('01 04 0000 0002 71cb');
	t.deepEqual(cut(request.subarray(0, 3)), []);
	t.deepEqual(cut(request.subarray(3)), [{ unitId: 1, pdu: hex('04 0000 0002') }]);
	t.is(cut(Buffer.concat([hex('ff 00 7e'), request])).length, 1);
	t.deepEqual(cut(request.subarray(0, 3)), []);
	clock.advance(500);
	t.is(cut(request).length, 1);
	t.is(cut(rtuFrame(9, hex('10 0000 0001 02 0007'))).length, 1);
});

async function exchange(t: ExecutionContext, port: number, bytes: Buffer, expectedBytes: number): Promise<Buffer> {
	const socket = connect({ host: '127.0.0.1', port });
	t.teardown(() => socket.destroy());
	socket.write(bytes);
	let received = Buffer.alloc(0);
	for await (const chunk of socket) {
		if (Buffer.isBuffer(chunk)) received = Buffer.concat([received, chunk]);
		if (received.length >= expectedBytes) break;
	}
	return received;
}

test('two requests in one packet get two answers, an unknown unit gets exception 11', async (t) => {
	const server = await startTcpSlave(newSlave(), 0);
	t.teardown(() => server.stop());
	const requests = Buffer.concat([hex('0007 0000 0006 01 03 0000 0001'), hex('0008 0000 0006 63 03 0000 0001')]);
	const answer = await exchange(t, server.port, requests, 20);
	t.deepEqual(answer, hex('0007 0000 0005 01 03 02 003c 0008 0000 0003 63 83 0b'));
});

test('a connection that does not speak Modbus is closed', async (t) => {
	const server = await startTcpSlave(newSlave(), 0);
	t.teardown(() => server.stop());
	const answer = await exchange(t, server.port, Buffer.from('GET / HTTP/1.1\r\n\r\n'), 1).catch(() => Buffer.alloc(0));
	t.is(answer.length, 0);
});
