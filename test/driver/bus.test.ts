import test from 'ava';
import { systemClock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type Bus, createBus } from '../../gateway/driver/bus.ts';
import { timeoutFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type {
	ModbusAnswer,
	ModbusExchange,
	ModbusLine,
	ModbusRequest,
} from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createUtilisation } from '../../gateway/driver/utilisation.ts';

const read = (address: number): ModbusRequest => ({ unitId: 1, functionCode: 3, address, count: 1, timeoutMs: 100 });
const answer: ModbusAnswer = { data: Buffer.alloc(2), readAt: systemClock.now(), latencyMs: 1 };

/** Lines that open or fail as told; each attempt takes the next. */
function fakeLines(openings: readonly (string | null)[], transact: (request: ModbusExchange) => Promise<ModbusAnswer>) {
	const made: { closed: boolean; lose(reason: string | null): void }[] = [];
	const createLine = (): ModbusLine => {
		const opening = openings[Math.min(made.length, openings.length - 1)] ?? null;
		let lose: ((reason: string | null) => void) | null = null;
		const line = { closed: false, lose: (reason: string | null) => lose?.(reason) };
		made.push(line);
		return {
			depth: 1,
			open(_signal, lost) {
				lose = lost;
				return opening === null ? Promise.resolve() : Promise.reject(new Fault('unreachable', opening));
			},
			transact,
			close() {
				line.closed = true;
				return Promise.resolve();
			},
		};
	};
	return { made, createLine };
}

/** Waits for what a listener hears; fails the test by its own timeout when it never comes. */
function heard() {
	const events: string[] = [];
	let wake: (() => void) | null = null;
	const push = (event: string): void => {
		events.push(event);
		wake?.();
	};
	const until = async (count: number): Promise<readonly string[]> => {
		while (events.length < count) {
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
		return events;
	};
	return { until, listener: { opened: () => push('opened'), failed: (reason: string) => push(`failed: ${reason}`) } };
}

const start = (lines: ReturnType<typeof fakeLines>, listener: ReturnType<typeof heard>['listener']): Bus =>
	createBus({
		name: 'tcp x:502',
		createLine: lines.createLine,
		listener,
		clock: systemClock,
		log: silentLog,
		random: () => 0,
	});

test('a line that cannot be opened is tried again with a fresh connection', async (t) => {
	const lines = fakeLines(['x:502 refuses', null], () => Promise.resolve(answer));
	const { until, listener } = heard();
	const bus = start(lines, listener);
	await until(1);
	t.is(bus.stats().state, 'failed');
	t.is(bus.stats().reason, 'x:502 refuses');
	const refused = await t.throwsAsync(bus.request(read(0), 'poll'));
	t.is(refused?.message, 'tcp x:502 is not open: x:502 refuses');
	t.deepEqual(await until(2), ['failed: x:502 refuses', 'opened']);
	t.is(bus.stats().state, 'open');
	t.is(bus.stats().reason, null);
	t.true(lines.made[0]?.closed);
	t.is(await bus.request(read(0), 'poll'), answer);
	await bus.stop();
	t.is(bus.stats().state, 'closed');
});

test('a line that is lost says so once and is opened again', async (t) => {
	const lines = fakeLines([null], () => Promise.resolve(answer));
	const { until, listener } = heard();
	const bus = start(lines, listener);
	await until(1);
	lines.made[0]?.lose('the cable is out');
	t.deepEqual(await until(3), ['opened', 'failed: the cable is out', 'opened']);
	t.is(lines.made.length, 2);
	await bus.stop();
});

test('requests go one at a time, the urgent ones first', async (t) => {
	const order: number[] = [];
	let inFlight = 0;
	const lines = fakeLines([null], async (exchange) => {
		inFlight += 1;
		t.is(inFlight, 1);
		order.push('address' in exchange ? exchange.address : -1);
		await new Promise(setImmediate);
		inFlight -= 1;
		return answer;
	});
	const { until, listener } = heard();
	const bus = start(lines, listener);
	await until(1);
	await Promise.all([
		bus.request(read(0), 'poll'),
		bus.request(read(1), 'poll'),
		bus.request(read(2), 'test'),
		bus.request(read(3), 'write'),
		bus.request(read(4), 'command'),
		bus.request(read(5), 'poll'),
	]);
	t.deepEqual(order, [0, 3, 4, 2, 1, 5]);
	await bus.stop();
});

test('a full queue refuses, and stopping rejects what waits', async (t) => {
	const lines = fakeLines([null], () => new Promise((resolve) => setTimeout(resolve, 50, answer)));
	const { until, listener } = heard();
	const bus = start(lines, listener);
	await until(1);
	const waiting = Array.from({ length: 70 }, (_, i) => bus.request(read(i), 'poll').catch((fault: unknown) => fault));
	await bus.stop();
	const outcomes = await Promise.all(waiting);
	const reasons = outcomes.map((outcome) => (outcome instanceof Fault ? outcome.reason : 'answered'));
	t.is(reasons.filter((reason) => reason === 'rate-limited').length, 5);
	t.is(reasons.filter((reason) => reason === 'unavailable').length, 64);
	t.is(reasons.filter((reason) => reason === 'answered').length, 1);
});

test('a connection on which nothing answers any more is made anew without alarm', async (t) => {
	const lines = fakeLines([null], (request) => Promise.reject(timeoutFault(request)));
	const { until, listener } = heard();
	const bus = start(lines, listener);
	await until(1);
	for (let i = 0; i < 8; i += 1) await t.throwsAsync(bus.request(read(i), 'poll'));
	t.deepEqual(await until(2), ['opened', 'opened']);
	t.is(lines.made.length, 2);
	t.true(lines.made[0]?.closed);
	await bus.stop();
});

test('utilisation is the busy share of the last ten seconds', (t) => {
	const utilisation = createUtilisation(0);
	t.is(utilisation.share(0), 0);
	utilisation.busy(0, 500);
	t.is(utilisation.share(1000), 0.5);
	for (let second = 1; second < 20; second += 1) utilisation.busy(second * 1000, second * 1000 + 250);
	t.true(Math.abs(utilisation.share(20_000) - 0.25) < 0.03);
	t.is(utilisation.share(60_000), 0);
	utilisation.busy(60_000, 90_000);
	t.is(utilisation.share(90_000), 1);
});

test('a connection that is only made anew is no failure of its line, and waiting requests go over the new one', async (t) => {
	const lines = fakeLines([null], () => Promise.resolve(answer));
	const { until, listener } = heard();
	const bus = start(lines, listener);
	await until(1);
	await bus.request(read(0), 'poll');
	lines.made[0]?.lose(null);
	t.deepEqual(await until(2), ['opened', 'opened']);
	t.is(lines.made[0]?.closed, true);
	t.is(bus.stats().reason, null);
	t.deepEqual(await bus.request(read(1), 'poll'), answer);
	await bus.stop();
});
