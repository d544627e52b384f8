import test from 'ava';

import type { SerialLine } from '../../config/connection/connection.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { exceptionFault, timeoutFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusExchange } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import type { FoundUnit, SerialSweep } from '../../gateway/scan/scan.ts';
import type { HeldPort } from '../../gateway/scan/scan-line.ts';
import { createSerialSweep } from '../../gateway/scan/serial-sweep.ts';

/** What is at a port: whether a unit answers a function at a rate. */
type Wire = (
	unitId: number,
	functionCode: number,
	baudRate: number,
) => 'data' | 'refusal' | 'silence' | 'gateway-silence';

const everyone = Array.from({ length: 247 }, (_, k) => k + 1);

const sweepOf = (changes: Partial<SerialSweep> = {}): SerialSweep => ({
	kind: 'serial',
	transport: 'rtu',
	paths: ['/dev/a'],
	modes: [9_600, 19_200, 115_200].map((baudRate) => ({ baudRate, parity: 'none', stopBits: 1 })),
	unitIds: everyone,
	timeoutMs: 100,
	isExhaustive: false,
	mayPausePolling: true,
	...changes,
});

async function run(wire: Wire, sweep: SerialSweep, signal: AbortSignal = new AbortController().signal) {
	const asked: string[] = [];
	const released: string[] = [];
	const found: FoundUnit[] = [];
	const progress: number[] = [];
	const hints: string[] = [];
	const nothing = { crcErrors: 0, strayFrames: 0 };

	const hold = async (path: string): Promise<HeldPort> => ({
		async open(line: SerialLine) {
			return {
				name: `${path} ${line.baudRate}`,
				async request(exchange: ModbusExchange) {
					asked.push(`${line.baudRate} ${exchange.unitId} ${exchange.functionCode}`);
					const answer = wire(exchange.unitId, exchange.functionCode, line.baudRate);
					if (answer === 'silence') throw timeoutFault(exchange);
					if (answer === 'refusal') throw exceptionFault(exchange, 2);
					if (answer === 'gateway-silence') throw exceptionFault(exchange, 11);
					return { data: Buffer.alloc(4), readAt: epochMs(0), latencyMs: 1 };
				},
				evidence: () => nothing,
				release: async () => void released.push(`line ${line.baudRate}`),
			};
		},
		release: async () => void released.push(path),
	});

	const serial = createSerialSweep({
		lines: { hold, visit: () => Promise.reject(new Error('nobody polls')), inUse: () => Promise.resolve(null) },
		identify: async (_witness, { unitId, line }) => ({
			unitId,
			line,
			latencyMs: 1,
			identification: { objects: [], serverId: null, sunspec: null },
			candidates: [],
			hints: [],
		}),
	});
	const running = serial.run(sweep, {
		owner: 'scan 1',
		signal,
		progress: (done) => void progress.push(done),
		found: (unit) => void found.push(unit),
		hint: ({ code }) => void hints.push(code),
	});
	const ended: unknown = await running.catch((error: unknown) => error);
	const units = found.map(({ unitId, line }) => [unitId, 'path' in line ? line.baudRate : 0]);
	return { asked, released, units, progress, hints, ended };
}

const twoAtTheTop: Wire = (unitId, _functionCode, baudRate) =>
	baudRate === 115_200 && (unitId === 3 || unitId === 200) ? 'data' : 'silence';

test('the likely ids are asked at all settings first, and the others only where somebody answered', async (t) => {
	const { asked, units, progress, released } = await run(twoAtTheTop, sweepOf());
	t.deepEqual(units, [
		[3, 115_200],
		[200, 115_200],
	]);
	t.is(asked.length, 3 * 16 + 231);
	t.is(asked[16], '19200 1 3');
	t.is(progress.at(-1), 3 * 247);
	t.true(
		progress.every((done, k) => done >= (progress[k - 1] ?? 0)),
		'progress never goes back',
	);
	t.is(released.at(-1), '/dev/a');
});

test('an unlikely id is found at the settings that are tried last', async (t) => {
	const { units } = await run(
		(unitId, _f, rate) => (unitId === 247 && rate === 115_200 ? 'refusal' : 'silence'),
		sweepOf(),
	);
	t.deepEqual(units, [[247, 115_200]]);
});

const oneOfInputsOnly: Wire = (unitId, functionCode, rate) =>
	(unitId === 3 && rate === 9_600) || (unitId === 9 && rate === 19_200 && functionCode === 4) ? 'data' : 'silence';

test('an exhaustive sweep asks everybody at all settings, and those who know function 4 only as well', async (t) => {
	const { units, asked } = await run(oneOfInputsOnly, sweepOf({ isExhaustive: true }));
	t.deepEqual(units, [
		[3, 9_600],
		[9, 19_200],
	]);
	t.is(asked.length, 3 * 247 * 2 - 1);
});

test('a gateway that says that nobody is there is believed', async (t) => {
	const { units, hints } = await run(() => 'gateway-silence', sweepOf({ unitIds: [1] }));
	t.deepEqual(units, []);
	t.deepEqual(hints, ['silence']);
});

test('a sweep that is given up releases line and port', async (t) => {
	const control = new AbortController();
	const reason = new Error('enough');
	const wire: Wire = (unitId) => {
		if (unitId === 5) control.abort(reason);
		return 'silence';
	};
	const { released, ended } = await run(wire, sweepOf(), control.signal);
	t.is(ended, reason);
	t.deepEqual(released, ['line 9600', '/dev/a']);
});
