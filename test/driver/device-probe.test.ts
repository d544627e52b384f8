import test from 'ava';

import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { createDevicePoller, type NextTurn } from '../../gateway/driver/modbus/device-poller.ts';
import { createReadBook } from '../../gateway/driver/modbus/plan/read-book.ts';
import { tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { registerOf } from '../fake/modbus-slave.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { plainPlan, plainReader, point, template } from '../fake/plain-plan.ts';

const UNIT = 1;
/** So long that what is asked after the answer of a probe is asked because of it. */
const PERIOD_MS = 60_000;
const TIMEOUT_MS = 100;

/** A device of three points and a slow one, which answers or not, and what is asked of it and handed on. */
function bench() {
	const clock = createManualClock();
	const asked: string[] = [];
	const readings: ReadingDraft[] = [];
	let isThere = true;
	const poller = createDevicePoller({
		device: plainDevice({ id: deviceId('00000000-0000-4000-8000-000000000001'), uid: deviceUid('meter') }),
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '192.0.2.1', port: 502 },
			unitId: UNIT,
			template: 'plain',
			periodMs: PERIOD_MS,
			timeoutMs: TIMEOUT_MS,
		},
		book: createReadBook({
			template: template([point('a', 5), point('b', 6), point('c', 7), point('d', 40, { poll: 'slow' })]),
			timing: { periodMs: PERIOD_MS, tuning: {}, phase: 0, startMs: clock.monotonicMs() },
			plan: (wanted, limits) => plainPlan(wanted, tcpCost(5), limits),
		}),
		guardMs: 0,
		lineName: 'tcp 192.0.2.1:502',
		async request({ address, count }) {
			asked.push(`${address}+${count}`);
			if (!isThere) {
				clock.advance(TIMEOUT_MS);
				throw new ModbusFault('timeout', 'timeout', 'nothing came');
			}
			const data = Buffer.alloc(2 * count);
			for (let k = 0; k < count; k += 1) data.writeUInt16BE(registerOf(UNIT, address + k), 2 * k);
			return { data, readAt: clock.now(), latencyMs: 1 };
		},
		lineLatencyMs: () => null,
		answered: () => undefined,
		learnt: () => undefined,
		skipped: () => undefined,
		reader: plainReader(),
		counters: { retries: 0, skippedPeriods: 0 },
		sink: { reading: (draft) => void readings.push(draft), health: () => undefined },
		clock,
		log: silentLog,
	});
	/** Has its turn when it wants it. */
	async function turn(after: NextTurn): Promise<NextTurn> {
		if (typeof after === 'object') clock.advance(Math.max(0, after.notBeforeMs - clock.monotonicMs()));
		return poller.turn().next;
	}
	/** Reads all once, then goes on until the device is taken for dead and this was asked in vain. */
	async function silentUntil(last: '5+1' | '5+3'): Promise<NextTurn> {
		let next: NextTurn = 'now';
		while (readings.length < 2) next = await turn(next);
		isThere = false;
		asked.length = 0;
		const isOver = (): boolean => asked.length >= 3 && asked.at(-1) === last;
		while (!isOver()) next = await turn(next);
		isThere = true;
		asked.length = 0;
		readings.length = 0;
		return next;
	}
	return { clock, asked, readings, turn, silentUntil };
}

const WHOLE = {
	points: ['a', 'b', 'c'],
	values: [5, 6, 7].map((address) => registerOf(UNIT, address)),
	qualities: null,
};
const SLOW = { points: ['d'], values: [registerOf(UNIT, 40)], qualities: null };

test('the answer to a probe is no reading; everything is due at once after it, also what is read seldom', async (t) => {
	const { clock, asked, readings, turn, silentUntil } = bench();
	let next = await turn(await silentUntil('5+3'));
	t.deepEqual(asked, ['5+1'], 'the least that there is');
	t.deepEqual(readings, [], 'a reading of one of three points would be no whole one');
	const backMs = clock.monotonicMs();
	while (readings.length < 2) next = await turn(next);
	t.is(clock.monotonicMs(), backMs, 'nothing is waited for');
	t.deepEqual(asked, ['5+1', '5+3', '40+1']);
	t.like(readings[0], WHOLE);
	t.like(readings[1], SLOW);
});

test('a device that comes back with a regular read has that as a reading', async (t) => {
	const { asked, readings, turn, silentUntil } = bench();
	await turn(await silentUntil('5+1'));
	t.deepEqual(asked, ['5+3']);
	t.is(readings.length, 1);
	t.like(readings[0], WHOLE);
});

test('after a probe was answered the regular reads are readings again when they are due', async (t) => {
	const { asked, readings, turn, silentUntil } = bench();
	let next = await turn(await silentUntil('5+3'));
	for (let turns = 0; turns < 4; turns += 1) next = await turn(next);
	t.deepEqual(asked, ['5+1', '5+3', '40+1', '5+3', '5+3']);
	t.is(readings.length, 4);
});
