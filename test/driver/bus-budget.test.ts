import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { budgetOf, type BusNeed } from '../../gateway/driver/modbus/plan/bus-budget.ts';
import { createCostMeter } from '../../gateway/driver/modbus/plan/cost-meter.ts';
import { draftNeed } from '../../gateway/driver/modbus/plan/draft-need.ts';
import { asciiCost, costOf, readCostMs, rtuCost, tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { planReads } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { createSelfTuningPlan } from '../../gateway/driver/modbus/plan/self-tuning-plan.ts';
import { point, template } from '../fake/plain-plan.ts';

const rtu: Line = { transport: 'rtu', path: '/dev/ttyS0', baudRate: 9600, parity: 'none', dataBits: 8, stopBits: 1 };
const tcp: Line = { transport: 'tcp', host: 'x', port: 502 };

const need = (name: string, reads: BusNeed['reads']): BusNeed => ({
	device: null,
	name,
	cost: rtuCost(9600, 10, 15),
	reads,
});
const read = (count: number, periodMs: number) => ({ functionCode: 3, count, periodMs }) as const;

test('a line needs the time of its reads by their periods, and what is read once needs none', (t) => {
	const perRead = readCostMs(3, 100, rtuCost(9600, 10, 15));
	const budget = budgetOf(
		'l',
		[need('a', [read(100, 1000), read(100, 10_000), read(100, Number.POSITIVE_INFINITY)])],
		1,
	);
	t.true(Math.abs(budget.needShare - 1.1 * (perRead / 1000)) < 1e-9);
	t.is(budget.devices[0]?.requestsPerSecond, 1.1);
	t.is(budget.sentence, null);
	t.is(budgetOf('l', [need('a', [read(100, 1000)])], 4).needShare, perRead / 4000);
	t.deepEqual(budgetOf('l', [], 1), { line: 'l', needShare: 0, devices: [], sentence: null });
});

test('a line that needs more time than there is says so, for whom, and what would do', (t) => {
	const one = need('Boiler', [read(125, 1000), read(125, 1000), read(125, 1000), read(125, 1000)]);
	const other = need('Meter', [read(40, 1000), read(40, 1000)]);
	t.is(
		budgetOf('rtu /dev/ttyS0 9600 8N1', [other, one], 1).sentence,
		'rtu /dev/ttyS0 9600 8N1 needs 1.4 s per 1 s (142 %), 1.2 s of it for Boiler: periods will be skipped; ' +
			'periods 1.5 times as long, fewer points or a faster line would do',
	);
});

test('a draft needs what it would be polled with', (t) => {
	const points = Array.from({ length: 200 }, (_, i) => point(`p${i}`, i, i < 100 ? {} : { poll: 'slow' }));
	const connection = {
		driver: 'modbus',
		line: rtu,
		unitId: 1,
		template: 'plain',
		periodMs: 1000,
		timeoutMs: 500,
	} as const;
	const draft = draftNeed({ device: null, name: 'New', connection }, template(points), planReads);
	t.deepEqual(
		draft.reads.map(({ count, periodMs }) => [count, periodMs]),
		[
			[100, 1000],
			[100, 10_000],
		],
	);
	t.deepEqual(draft.cost, rtuCost(9600, 10, 15));
	const guarded = { ...connection, tuning: { guardMs: 50, maxRegisters: 50 } };
	const slow = draftNeed({ device: null, name: 'New', connection: guarded }, template(points), planReads);
	t.is(slow.reads.length, 4);
	t.deepEqual(slow.cost, rtuCost(9600, 10, 65));
});

test('ASCII takes two characters a byte', (t) => {
	const charMs = 10 / 9.6;
	const cost = asciiCost(9600, 10, 0);
	t.true(Math.abs(readCostMs(3, 10, cost) - (17 + 11 + 40) * charMs) < 1e-9);
	t.deepEqual(costOf({ transport: 'ascii-over-tcp', host: 'x', port: 1, baudRate: 9600 }, 0), cost);
	t.deepEqual(costOf({ transport: 'rtu-over-tcp', host: 'x', port: 1 }, 7), rtuCost(9600, 10, 7));
});

test('the turnaround of a serial device is what its answers take longer than their bytes', (t) => {
	const meter = createCostMeter(rtu, 0);
	t.deepEqual(meter.cost(), rtuCost(9600, 10, 15), 'until something was measured');
	for (const [i, count] of [10, 100, 10, 100, 50, 10, 100, 10].entries()) {
		meter.add({ functionCode: 3, count }, readCostMs(3, count, rtuCost(9600, 10, 40 + (i === 3 ? 500 : 0))));
	}
	t.true(Math.abs(meter.cost().requestMs - rtuCost(9600, 10, 40).requestMs) < 1e-9, 'one late answer changes nothing');
});

test('what a register costs behind a gateway is told from reads of different lengths', (t) => {
	const meter = createCostMeter(tcp, 0);
	for (let i = 0; i < 40; i += 1) meter.add({ functionCode: 3, count: i % 2 === 0 ? 10 : 100 }, i % 2 === 0 ? 30 : 210);
	const { requestMs, registerMs } = meter.cost();
	t.true(Math.abs(registerMs - 2) < 1e-9);
	t.true(Math.abs(requestMs - 10) < 1e-9);
	const alike = createCostMeter(tcp, 20);
	for (let i = 0; i < 40; i += 1) alike.add({ functionCode: 3, count: 100 }, 3);
	t.deepEqual(alike.cost(), tcpCost(23), 'reads alike tell only what one costs, guard time included');
});

test('points are planned anew when the line turned out to cost otherwise and another plan is worth it, and seldom', (t) => {
	const points = Array.from({ length: 20 }, (_, i) => point(`p${i}`, 25 * i));
	const limits = { maxRegisters: 125, maxBits: 2000, holes: [] };
	const tuned = createSelfTuningPlan({ line: rtu, guardMs: 0 }, planReads, () => limits);
	const before = tuned.plan(points, limits);
	t.is(before.length, 20, 'at 15 ms a gap of 24 registers is dearer than a request');
	const first = before[0];
	if (first === undefined) return t.fail('something is planned');
	const slowMs = readCostMs(3, 1, rtuCost(9600, 10, 80));
	let answers = 0;
	while (!tuned.answered(first, slowMs, answers, () => before)) answers += 1;
	t.is(answers, 19);
	const after = tuned.plan(points, limits);
	t.is(after.length, 4);
	for (let nowMs = 100; nowMs < 300_000; nowMs += 1000) t.false(tuned.answered(first, slowMs, nowMs, () => after));
	t.false(
		tuned.answered(first, slowMs, 400_000, () => after),
		'nothing has changed since',
	);
});
