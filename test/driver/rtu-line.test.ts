import test from 'ava';
import fc from 'fast-check';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { registerOf, replyTo } from '../fake/modbus-slave.ts';
import { withCrc } from '../fake/crc.ts';
import { createRtuWire, rtuException, rtuReply, type RtuWire } from '../fake/rtu-wire.ts';

/** Longer than any stall of a loaded machine: an answer that comes is an answer. */
const PATIENT_MS = 10_000;
const timing = { baudRate: 115_200, bitsPerChar: 10 };
const read = (address: number, count: number, unitId = 1): ModbusRequest => ({
	unitId,
	functionCode: 3,
	address,
	count,
	timeoutMs: 40,
});

const newGuard = () => createLateReplyGuard(() => systemClock.monotonicMs());

async function openOn(wire: RtuWire, guard = newGuard()) {
	const meter = createLineMeter(systemClock);
	const line = createRtuLine({ link: wire.link(), timing, clock: systemClock, meter, guard });
	const lost: (string | null)[] = [];
	await line.open(new AbortController().signal, (reason) => lost.push(reason));
	return { line, counters: meter.counters, lost };
}

/** The data of an answer is that of the request; anything else is another's. */
const isRight = (data: Buffer, request: ModbusRequest): boolean => data.equals(replyTo(request).subarray(3));

test('a reply that comes after the port was opened anew is not taken for the answer to another read', async (t) => {
	const wire = createRtuWire((_, index) => ({ delayMs: 1, isLate: index === 0 }));
	const guard = newGuard();
	const before = await openOn(wire, guard);
	await t.throwsAsync(before.line.transact(read(0, 5)), { instanceOf: ModbusFault });
	await before.line.close();
	const { line } = await openOn(wire, guard);
	const request = { ...read(50, 5), timeoutMs: PATIENT_MS };
	t.true(isRight((await line.transact(request)).data, request));
	await line.close();
});

test('a reply to a request that was under way when the port was closed is not taken for the answer to another read', async (t) => {
	const wire = createRtuWire((_, index) => ({ delayMs: 1, isLate: index === 0 }));
	const guard = newGuard();
	const before = await openOn(wire, guard);
	const interrupted = t.throwsAsync(before.line.transact({ ...read(0, 5), timeoutMs: PATIENT_MS }), {
		instanceOf: ModbusFault,
	});
	while (wire.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
	await before.line.close();
	t.is((await interrupted).failure, 'closed');
	const { line } = await openOn(wire, guard);
	const request = { ...read(50, 5), timeoutMs: PATIENT_MS };
	t.true(isRight((await line.transact(request)).data, request));
	await line.close();
});

test('an answer in any pieces is one answer', async (t) => {
	const pieces = fc.sample(fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 30 }), { numRuns: 20, seed: 1 });
	const wire = createRtuWire((_, index) => ({ delayMs: 0, pieces: pieces[index] ?? [] }));
	const { line, counters } = await openOn(wire);
	for (let i = 0; i < pieces.length; i += 1) {
		const request = read(10 * i, 1 + i);
		t.true(isRight((await line.transact(request)).data, request));
	}
	t.is(counters.answers, pieces.length);
	t.is(counters.strayFrames, 0);
	await line.close();
});

for (const [name, counts] of [
	['the same length', [5, 5, 5, 5, 5, 5]],
	['different lengths', [5, 6, 7, 5, 6, 7]],
	['one register', [1, 1, 1, 1, 1, 1]],
] as const) {
	for (const lateMs of [150, 190, 260]) {
		test(`reads of ${name} are never given another's answer that comes ${lateMs} ms late`, async (t) => {
			// Every third request is answered later than its timeout and, mostly, than the quarantine after it.
			const wire = createRtuWire((_, index) => ({ delayMs: index < 20 && index % 3 === 0 ? lateMs : 2 }));
			const { line, counters } = await openOn(wire);
			let rightInRow = 0;
			for (let i = 0; rightInRow < 6 && i < 60; i += 1) {
				const request = read(10 * i, counts[i % counts.length] ?? 1);
				try {
					const { data } = await line.transact(request);
					t.true(isRight(data, request), `request ${i} was given ${data.toString('hex')}`);
					rightInRow += 1;
				} catch (fault) {
					t.true(fault instanceof ModbusFault);
					rightInRow = 0;
				}
			}
			t.is(rightInRow, 6, 'the line is sound again once the device is');
			t.true(counters.quarantines > 0);
			await line.close();
		});
	}
}

test('a late exception is not taken for the refusal of the next read', async (t) => {
	const wire = createRtuWire((request, index) =>
		index === 0 ? { delayMs: 1, isLate: true, bytes: rtuException(request, 2) } : { delayMs: 1 },
	);
	const { line } = await openOn(wire);
	await t.throwsAsync(line.transact(read(0, 5)), { message: /no answer/ });
	const next = { ...read(100, 8), timeoutMs: PATIENT_MS };
	const outcome = await line.transact(next).catch((fault: unknown) => fault);
	if (outcome instanceof ModbusFault) t.is(outcome.failure, 'unproven');
	else t.pass();
	await line.close();
});

test('a reply that comes after a proof read is still not taken', async (t) => {
	const wire = createRtuWire((_, index) => (index === 0 ? null : { delayMs: 1 }));
	const { line, counters } = await openOn(wire);
	await t.throwsAsync(line.transact(read(0, 5)));
	const request = read(40, 5);
	t.true(isRight((await line.transact(request)).data, request));
	t.deepEqual(
		wire.requests.map(({ count }) => count),
		[5, 3, 5],
		'a read of another length comes between',
	);
	t.is(counters.quarantines, 1);
	await line.close();
});

test('other units need no proof after a timeout', async (t) => {
	const wire = createRtuWire(({ unitId }) => (unitId === 1 ? null : { delayMs: 1 }));
	const { line } = await openOn(wire);
	await t.throwsAsync(line.transact(read(0, 5)));
	const request = read(0, 5, 2);
	t.true(isRight((await line.transact(request)).data, request));
	t.is(wire.requests.length, 2);
	await line.close();
});

test('a damaged answer is counted and reported at once', async (t) => {
	const wire = createRtuWire((request, index) => {
		const bytes = rtuReply(request);
		if (index === 0) bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
		return { delayMs: 0, bytes };
	});
	const { line, counters } = await openOn(wire);
	const fault = await t.throwsAsync(line.transact({ ...read(0, 4), timeoutMs: 5000 }));
	t.is(fault instanceof ModbusFault && fault.failure, 'corrupt');
	t.is(counters.crcErrors, 1);
	await line.close();
});

test('noise and foreign frames between requests are counted and change nothing', async (t) => {
	const wire = createRtuWire((request) => ({
		delayMs: 0,
		bytes: Buffer.concat([Buffer.from([0, 0xff]), rtuReply({ ...request, unitId: 9 }), rtuReply(request)]),
	}));
	const { line, counters } = await openOn(wire);
	wire.inject(Buffer.alloc(2000, 0x55));
	const request = read(3, 12);
	t.true(isRight((await line.transact(request)).data, request));
	t.true(counters.strayFrames >= 1);
	await line.close();
});

test('an exception says which and keeps the line usable', async (t) => {
	const wire = createRtuWire((request, index) =>
		index === 0 ? { delayMs: 0, bytes: rtuException(request, 2) } : { delayMs: 0 },
	);
	const { line, counters } = await openOn(wire);
	const fault = await t.throwsAsync(line.transact(read(0, 2)));
	t.is(fault instanceof ModbusFault && fault.exceptionCode, 2);
	t.regex(fault?.message ?? '', /illegal data address/);
	t.is((await line.transact(read(0, 2))).data.readUInt16BE(0), registerOf(1, 0));
	t.is(counters.quarantines, 0);
	await line.close();
});

test('a port that vanishes rejects the pending request and is reported', async (t) => {
	const wire = createRtuWire(() => null);
	const { line, lost } = await openOn(wire);
	const pending = line.transact({ ...read(0, 2), timeoutMs: 5000 });
	setImmediate(() => wire.unplug());
	const fault = await t.throwsAsync(pending);
	t.is(fault instanceof ModbusFault && fault.failure, 'closed');
	t.deepEqual(lost, ['the wire is cut']);
	await line.close();
});

test('closing rejects the pending request', async (t) => {
	const { line } = await openOn(createRtuWire(() => null));
	const pending = t.throwsAsync(line.transact({ ...read(0, 2), timeoutMs: 5000 }));
	await line.close();
	await pending;
});

test('all four read functions bring their data', async (t) => {
	const { line } = await openOn(createRtuWire(() => ({ delayMs: 0 })));
	for (const functionCode of [1, 2, 3, 4] as const) {
		const request = { ...read(20, 19), functionCode };
		t.true(isRight((await line.transact(request)).data, request));
	}
	await line.close();
});

/** A read of bits whose request has the form of its answer: 3 bytes of data, as the high byte of the address says. */
const bits = { ...read(0x0310, 20), functionCode: 1 } as const;
const bitsAsSent = withCrc(Buffer.from([1, 1, 0x03, 0x10, 0, 20]));

test('an echo that has the form of the answer is not taken for it, also behind noise', async (t) => {
	for (const noise of [Buffer.alloc(0), Buffer.from([0xff])]) {
		const wire = createRtuWire((request) => ({
			delayMs: 0,
			bytes: Buffer.concat([noise, bitsAsSent, rtuReply(request)]),
		}));
		const { line, counters } = await openOn(wire);
		t.true(isRight((await line.transact(bits)).data, bits));
		t.is(counters.echoFrames, 1);
		await line.close();
	}
});

test('an answer of the same bytes as its request is one where nothing echoes', async (t) => {
	const wire = createRtuWire(({ functionCode }) =>
		functionCode === 1 ? { delayMs: 0, bytes: bitsAsSent } : { delayMs: 0 },
	);
	const { line } = await openOn(wire);
	await line.transact(read(0, 2));
	await line.transact(read(0, 2));
	t.deepEqual((await line.transact(bits)).data, bitsAsSent.subarray(3, 6));
	await line.close();
});
