import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import type { Line } from '../../config/connection/connection.ts';
import type { RegisterScan } from '../../gateway/scan/scan.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { box, fakeSlave, slaveOf, tcp } from './field.ts';

const registersOf = (line: Line, changes: Partial<RegisterScan> = {}): RegisterScan => ({
	kind: 'registers',
	line,
	unitId: 1,
	functionCode: 3,
	first: 0,
	last: 65_535,
	timeoutMs: 10_000,
	pauseMs: 0,
	isThorough: false,
	...changes,
});

const has = (address: number): boolean => address < 400 || (address >= 30_000 && address < 30_120) || address >= 65_534;

test('case 11: all 65 536 registers of a device are swept over TCP, to the last one', async (t) => {
	const slave = await fakeSlave(t, ({ address, count }) => {
		if (count > 125) return { kind: 'exception', code: 3 };
		for (let k = 0; k < count; k += 1) if (!has(address + k)) return { kind: 'exception', code: 2 };
		return { kind: 'data' };
	});
	const { run } = await box(t);
	const whole = await run(registersOf(tcp(slave.port)));
	t.is(whole.state, 'done', String(whole.reason));
	t.is(whole.progress.done, 65_536);
	t.deepEqual(
		whole.registers?.answered.map(({ first, last }) => [first, last]),
		[
			[0, 399],
			[30_000, 30_119],
		],
	);
	t.is(whole.registers?.mostPerRead, 125);
	// What lies alone in a desert is found by a thorough scan only.
	const { registers } = await run(registersOf(tcp(slave.port), { first: 65_000, isThorough: true }));
	t.deepEqual(registers?.answered, [{ first: 65_534, last: 65_535, data: 'fefefeff' }]);
	t.true(slave.requests.every(({ address, count }) => count <= 125 && address + count <= 65_536));
});

test('case 11: the limit of 80 registers of an SDM630 is found, and that it answers pairs only', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 1: createSdm630Image(1) }), 0);
	t.teardown(() => slave.stop());
	const { run } = await box(t);
	const { registers } = await run(registersOf(tcp(slave.port), { functionCode: 4, last: 499 }));
	t.is(registers?.mostPerRead, 80);
	t.true(registers?.isCapKnown);
	t.true(registers?.answersPairsOnly);
	t.is(registers?.answered[0]?.first, 0);
});

test('a scan that is cancelled keeps what it has found', async (t) => {
	const slave = await fakeSlave(t, ({ address }) =>
		address < 200 ? { kind: 'data' } : { kind: 'exception', code: 2 },
	);
	const { scans } = await box(t);
	const { id } = await scans.start(registersOf(tcp(slave.port), { pauseMs: 5, isThorough: true }), 'a');
	while (scans.get(id).progress.done < 300) await sleep(10);
	const scan = await scans.cancel(id);
	t.is(scan.state, 'cancelled');
	t.deepEqual(scan.registers?.answered[0]?.first, 0);
	t.true(scan.progress.done < 65_536);
});

test('a unit that does not know the function ends the scan with a sentence', async (t) => {
	const slave = await fakeSlave(t, () => ({ kind: 'exception', code: 1 }));
	const { run } = await box(t);
	const { state, reason } = await run(registersOf(tcp(slave.port), { functionCode: 4 }));
	t.is(state, 'failed');
	t.is(reason, 'unit 1 does not know function 4');
});
