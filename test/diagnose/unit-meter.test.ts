import test from 'ava';
import fc from 'fast-check';

import { createLatencyHistogram } from '../../gateway/driver/latency-histogram.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { measuredLine } from '../../gateway/driver/modbus/measured-line.ts';
import {
	corruptFault,
	exceptionFault,
	timeoutFault,
	unprovenFault,
} from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusLine, ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createManualClock } from '../fake/manual-clock.ts';

test('a percentile is at most a fifth above the latency it stands for', (t) => {
	fc.assert(
		fc.property(
			fc.array(fc.double({ min: 0.3, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
			fc.double({ min: 0, max: 1, noNaN: true }),
			(latencies, share) => {
				const histogram = createLatencyHistogram();
				for (const ms of latencies) histogram.add(ms);
				const exact = latencies.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? 0;
				const told = histogram.percentileMs(share) ?? 0;
				return told >= exact * (1 - 1e-9) && told <= exact * 1.19;
			},
		),
	);
	t.pass();
});

test('buckets add up, from a quarter of a millisecond to beyond a minute', (t) => {
	const histogram = createLatencyHistogram();
	for (const ms of [0.1, 1, 1.1, 200, 90_000]) histogram.add(ms);
	const buckets = histogram.buckets();
	t.is(buckets.find(({ upToMs }) => upToMs === 0.25)?.count, 1);
	t.is(buckets.find(({ upToMs }) => upToMs === 1)?.count, 2);
	t.is(buckets.find(({ upToMs }) => upToMs === 2)?.count, 3);
	t.deepEqual(buckets.at(-2), { upToMs: 65_536, count: 4 });
	t.deepEqual(buckets.at(-1), { upToMs: Number.POSITIVE_INFINITY, count: 5 });
	t.is(histogram.count, 5);
	t.is(createLatencyHistogram().percentileMs(0.5), null);
});

const request: ModbusRequest = { unitId: 7, functionCode: 3, address: 0, count: 1, timeoutMs: 100 };

test('each exchange is counted for its unit by what became of it', async (t) => {
	const clock = createManualClock();
	const meter = createLineMeter(clock);
	const outcomes = [
		timeoutFault(request),
		exceptionFault(request, 6),
		exceptionFault(request, 6),
		exceptionFault(request, 2),
		corruptFault(request, 'a wrong CRC'),
		unprovenFault(request),
	];
	const line: ModbusLine = {
		depth: 1,
		open: () => Promise.resolve(),
		close: () => Promise.resolve(),
		transact() {
			clock.advance(100);
			const fault = outcomes.shift();
			if (fault !== undefined) return Promise.reject(fault);
			return Promise.resolve({ data: Buffer.alloc(2), readAt: clock.now(), latencyMs: 30 });
		},
	};
	const measured = measuredLine(line, meter, clock);
	for (let i = 0; i < 6; i += 1) await t.throwsAsync(measured.transact(request));
	await measured.transact(request);
	await measured.transact({ ...request, unitId: 3 });
	clock.advance(800);
	const [other, unit] = meter.units.all();
	t.is(other?.unitId, 3);
	t.like(unit?.counters, { requests: 7, answers: 1, timeouts: 1, corrupt: 1, unproven: 1 });
	t.deepEqual(
		[...(unit?.exceptions ?? [])],
		[
			[6, 2],
			[2, 1],
		],
	);
	t.is(unit?.latency.count, 1);
	t.is(unit?.utilisation.share(clock.monotonicMs()), 700 / 1600);
});
