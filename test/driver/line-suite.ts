import test, { type ExecutionContext } from 'ava';
import { Fault } from '../../core/kernel/fault.ts';
import type { LineMeter } from '../../gateway/driver/line-meter.ts';
import { decodeIdentification } from '../../gateway/driver/modbus/wire/device-identification.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusExchange, ModbusLine, ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createPduDevice, DEVICE_OBJECTS, type PduDevice, SERVER_ID } from '../fake/pdu-device.ts';

/** A line in front of a device. */
export interface LineBox {
	readonly line: ModbusLine;
	readonly meter: LineMeter;
	/** The device's side of the connection goes away. */
	cut(): void;
}

/** Opens nothing: the line is fresh. `null` when something it needs is missing here, and the test was told. */
export type MakeLine = (t: ExecutionContext, device: PduDevice) => Promise<LineBox | null>;

const TIMEOUT_MS = 5000;
/** Of requests that are never answered. */
const SHORT_MS = 80;

const read = (address: number, count: number, functionCode: 1 | 2 | 3 | 4 = 3): ModbusRequest => ({
	unitId: 7,
	functionCode,
	address,
	count,
	timeoutMs: TIMEOUT_MS,
});
const change = { unitId: 7, timeoutMs: TIMEOUT_MS, guardMs: 0 } as const;

const failureOf = (fault: unknown): string => (fault instanceof ModbusFault ? fault.failure : String(fault));

async function failure(t: ExecutionContext, line: ModbusLine, exchange: ModbusExchange): Promise<ModbusFault> {
	return t.throwsAsync(line.transact(exchange), { instanceOf: ModbusFault });
}

/** What every kind of line does alike, over whatever it runs. */
export function testLine(name: string, make: MakeLine): void {
	async function opened(t: ExecutionContext) {
		const device = createPduDevice();
		const box = await make(t, device);
		if (box === null) return null;
		const lost: (string | null)[] = [];
		t.teardown(() => box.line.close());
		await box.line.open(new AbortController().signal, (reason) => lost.push(reason));
		return { ...box, device, lost };
	}

	test(`${name}: registers and bits are read, up to the most of one read`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		for (const functionCode of [3, 4] as const) {
			for (const [address, count] of [
				[0, 1],
				[3, 2],
				[100, 125],
			] as const) {
				const { data } = await box.line.transact(read(address, count, functionCode));
				t.is(data.length, 2 * count);
				for (let at = 0; at < count; at += 1) t.is(data.readUInt16BE(2 * at), 7 * (address + at));
			}
		}
		for (const functionCode of [1, 2] as const) {
			for (const count of [1, 8, 9, 21, 997]) {
				const { data } = await box.line.transact(read(3, count, functionCode));
				t.is(data.length, Math.ceil(count / 8));
				for (let at = 0; at < count; at += 1) {
					t.is((data.readUInt8(at >> 3) >> (at & 7)) & 1, (3 + at) % 3 === 0 ? 1 : 0);
				}
			}
		}
		t.is(box.meter.counters.answers, 16);
		t.is(box.meter.counters.requests, 16);
		t.is(box.meter.counters.timeouts, 0);
	});

	test(`${name}: coils and registers are written, singly and several`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line, device } = box;
		t.is((await line.transact({ ...change, functionCode: 5, address: 4, words: [1] })).data.length, 0);
		t.is(device.coils[4], 1);
		await line.transact({ ...change, functionCode: 5, address: 4, words: [0] });
		t.is(device.coils[4], 0);
		await line.transact({ ...change, functionCode: 6, address: 9, words: [0xabcd] });
		t.is(device.registers[9], 0xabcd);
		const bits = Array.from({ length: 21 }, (_, at) => (at % 2 === 0 ? 1 : 0));
		await line.transact({ ...change, functionCode: 15, address: 40, words: bits });
		t.deepEqual([...device.coils.subarray(40, 61)], bits);
		const words = Array.from({ length: 123 }, (_, at) => 0xffff - at);
		await line.transact({ ...change, functionCode: 16, address: 200, words });
		t.deepEqual([...device.registers.subarray(200, 323)], words);
	});

	test(`${name}: single bits of a register are changed by mask, and registers written and read at once`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line, device } = box;
		device.registers[4] = 0x12;
		await line.transact({ ...change, functionCode: 22, address: 4, andMask: 0xf2, orMask: 0x25 });
		// The example of the specification.
		t.is(device.registers[4], 0x17);
		const exchange = { ...change, functionCode: 23, address: 300, count: 3, writeAddress: 301, words: [1, 2] } as const;
		t.is((await line.transact(exchange)).data.toString('hex'), `${(2100).toString(16).padStart(4, '0')}00010002`);
	});

	test(`${name}: a device tells who it is`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line } = box;
		const asked = { unitId: 7, timeoutMs: TIMEOUT_MS, functionCode: 43, readCode: 1, objectId: 0 } as const;
		const { objects, conformityLevel, nextObjectId } = decodeIdentification((await line.transact(asked)).data);
		t.deepEqual(Object.fromEntries(objects.map(({ id, value }) => [id, value.toString()])), DEVICE_OBJECTS);
		t.is(conformityLevel, 0x81);
		t.is(nextObjectId, null);
		const one = decodeIdentification((await line.transact({ ...asked, readCode: 4, objectId: 1 })).data);
		t.deepEqual(
			one.objects.map(({ value }) => value.toString()),
			['AC-1'],
		);
		t.is((await failure(t, line, { ...asked, readCode: 4, objectId: 9 })).exceptionCode, 2);
		t.deepEqual((await line.transact({ unitId: 7, timeoutMs: TIMEOUT_MS, functionCode: 17 })).data, SERVER_ID);
	});

	test(`${name}: a refusal tells its code, and the line goes on`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line, meter, device } = box;
		t.is((await failure(t, line, read(990, 20))).exceptionCode, 2);
		device.fail(6);
		t.is((await failure(t, line, { ...change, functionCode: 16, address: 0, words: [1] })).exceptionCode, 6);
		t.is(meter.counters.exceptions, 2);
		t.is((await line.transact(read(1, 1))).data.readUInt16BE(0), 7);
	});

	test(`${name}: an answer that never comes is a timeout, and the next one is right`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line, meter, device } = box;
		device.fail('silence');
		t.is((await failure(t, line, { ...read(0, 5), timeoutMs: SHORT_MS })).failure, 'timeout');
		t.is(meter.counters.timeouts, 1);
		t.is((await line.transact(read(50, 5))).data.readUInt16BE(0), 350);
	});

	test(`${name}: the data of an answer stays as it is`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { data } = await box.line.transact(read(10, 3));
		const before = data.toString('hex');
		for (let at = 0; at < 4; at += 1) await box.line.transact(read(500 + at, 100));
		t.is(data.toString('hex'), before);
	});

	test(`${name}: a count that no device may be asked for is refused, and the line goes on`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		for (const exchange of [
			read(0, 0),
			read(0, 126),
			read(0, 2001, 1),
			{ ...change, functionCode: 16, address: 0, words: [] },
			{ ...change, functionCode: 15, address: 0, words: Array.from({ length: 1969 }, () => 1) },
		] as const) {
			await t.throwsAsync(box.line.transact(exchange), { instanceOf: RangeError });
		}
		t.is((await box.line.transact(read(1, 1))).data.readUInt16BE(0), 7);
	});

	test(`${name}: more than its depth at once is refused`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line } = box;
		const most = Array.from({ length: line.depth }, (_, at) => line.transact(read(at, 1)));
		await t.throwsAsync(line.transact(read(0, 1)), { instanceOf: RangeError });
		t.deepEqual(
			(await Promise.all(most)).map(({ data }) => data.readUInt16BE(0)),
			most.map((_, at) => 7 * at),
		);
	});

	test(`${name}: closing rejects what is pending`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line, device, lost } = box;
		device.fail('silence');
		const pending = line.transact(read(0, 5)).catch(failureOf);
		await line.close();
		t.is(await pending, 'closed');
		t.is(await line.transact(read(0, 5)).catch(failureOf), 'closed');
		t.deepEqual(lost, []);
	});

	test(`${name}: a connection that goes away rejects what is pending and is told once`, async (t) => {
		const box = await opened(t);
		if (box === null) return;
		const { line, device, lost } = box;
		await line.transact(read(0, 1));
		device.fail('silence');
		const pending = line.transact(read(0, 5)).catch(failureOf);
		setTimeout(() => box.cut(), 20);
		t.is(await pending, 'closed');
		t.is(lost.length, 1);
		t.is(typeof lost[0], 'string');
		await line.close();
		t.is(lost.length, 1);
	});

	test(`${name}: an opening that nobody waits for any more ends`, async (t) => {
		const box = await make(t, createPduDevice());
		if (box === null) return;
		const stopping = new AbortController();
		stopping.abort();
		const opening = box.line.open(stopping.signal, () => undefined);
		await t.throwsAsync(opening, { instanceOf: Fault });
		await box.line.close();
	});
}
