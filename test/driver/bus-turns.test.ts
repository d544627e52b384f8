import test, { type ExecutionContext } from 'ava';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type Bus, createBus } from '../../gateway/driver/bus.ts';
import type { BusPriority } from '../../gateway/driver/bus-queue.ts';
import type { ModbusRequest, ModbusWrite } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createSimulatedLine, type SimulatedSlave } from '../fake/simulated-line.ts';
import { createSimulatedTime } from '../fake/simulated-time.ts';

const read = (address: number): ModbusRequest => ({ unitId: 1, functionCode: 3, address, count: 1, timeoutMs: 1000 });
const write = (address: number, guardMs = 0): ModbusWrite => ({
	unitId: 1,
	functionCode: 6,
	address,
	words: [1],
	timeoutMs: 1000,
	guardMs,
});

/** A bus on a line that answers after 10 ms unless it is told otherwise. */
async function startBus(
	t: ExecutionContext,
	options: { readonly depth?: number; readonly idleMs?: number; readonly slave?: SimulatedSlave } = {},
) {
	const time = createSimulatedTime();
	const line = createSimulatedLine(time, options.slave ?? (() => ({ afterMs: 10 })), options.depth);
	const heard: string[] = [];
	const bus = createBus({
		name: 'tcp x:502',
		createLine: line.createLine,
		listener: {
			opened: () => heard.push('opened'),
			failed: (reason) => heard.push(`failed: ${reason}`),
			freed: () => heard.push('freed'),
		},
		clock: time.clock,
		log: silentLog,
		setTimer: time.setTimer,
		random: () => 0.5,
		idleMs: options.idleMs ?? null,
	});
	t.teardown(() => bus.stop());
	await time.run(0);
	return { bus, time, line, heard };
}

/** What became of a request, as soon as it is settled. */
function outcome(asked: Promise<unknown>): { text: string } {
	const found = { text: 'open' };
	asked.then(
		() => (found.text = 'answered'),
		(fault: unknown) => (found.text = fault instanceof Fault ? `${fault.reason}: ${fault.message}` : String(fault)),
	);
	return found;
}

const addresses = (line: { readonly asked: readonly { readonly request: object }[] }): readonly number[] =>
	line.asked.map(({ request }) => ('address' in request ? Number(request.address) : -1));

test('writes go before commands, commands before tests, tests before polls, polls before scans', async (t) => {
	const { bus, time, line } = await startBus(t);
	const order: readonly BusPriority[] = ['scan', 'poll', 'test', 'command', 'write', 'poll', 'write', 'scan'];
	const asked = order.map((priority, i) => outcome(bus.request(read(i), priority)));
	await time.run(1000);
	t.true(asked.every(({ text }) => text === 'answered'));
	// The first one found the line free.
	t.deepEqual(addresses(line), [0, 4, 6, 3, 2, 1, 5, 7]);
});

test('a leased line is its owner’s alone: polls, tests and scans of others wait, writes and commands pass', async (t) => {
	const { bus, time, line, heard } = await startBus(t);
	const lease = bus.lease('scan 1', 5000);
	t.true(bus.isLeased);
	t.is(bus.stats().leasedTo, 'scan 1');
	const poll = outcome(bus.request(read(1), 'poll'));
	const trial = outcome(bus.request(read(2), 'test'));
	const command = outcome(bus.request(write(3), 'command'));
	const own = outcome(lease.request(read(4)));
	await time.run(1000);
	t.deepEqual([poll.text, trial.text, command.text, own.text], ['open', 'open', 'answered', 'answered']);
	lease.end();
	await time.run(100);
	t.deepEqual([poll.text, trial.text], ['answered', 'answered']);
	t.deepEqual(addresses(line), [3, 4, 2, 1]);
	t.deepEqual(heard, ['opened', 'freed']);
	t.false(lease.isHeld);
	await t.throwsAsync(lease.request(read(5)), { message: 'the lease of scan 1 on tcp x:502 has ended' });
});

test('a lease ends by itself when its owner is gone, and lives for as long as it is used', async (t) => {
	const { bus, time } = await startBus(t);
	const lease = bus.lease('scan 1', 2000);
	for (let i = 0; i < 5; i += 1) {
		const own = outcome(lease.request(read(i)));
		await time.run(1900);
		t.is(own.text, 'answered');
	}
	lease.renew();
	await time.run(1999);
	t.true(lease.isHeld);
	await time.run(2);
	t.false(lease.isHeld);
	t.false(bus.isLeased);
	t.is(time.timers, 0);
});

test('a lease does not run out under a request that takes longer than its time to live', async (t) => {
	const { bus, time } = await startBus(t, { slave: () => ({ afterMs: 900 }) });
	const lease = bus.lease('scan 1', 100);
	const own = outcome(lease.request(read(1)));
	await time.run(899);
	t.true(lease.isHeld);
	await time.run(2);
	t.is(own.text, 'answered');
	t.true(lease.isHeld);
	await time.run(101);
	t.false(lease.isHeld);
});

test('only one has a line for himself, and the other is told who', async (t) => {
	const { bus } = await startBus(t);
	const first = bus.lease('scan 1', 1000);
	const fault = t.throws(() => bus.lease('scan 2', 1000), { instanceOf: Fault });
	t.is(fault?.reason, 'state-conflict');
	t.is(fault?.message, 'tcp x:502 is held by scan 1; wait until it is done');
	first.end();
	first.end();
	t.is(bus.lease('scan 2', 1000).owner, 'scan 2');
	for (const ttlMs of [0, 99, 600_001, Number.NaN]) t.throws(() => bus.lease('scan 3', ttlMs), { instanceOf: Fault });
});

test('a test read does not wait for ever, and says what it waited for', async (t) => {
	const { bus, time } = await startBus(t);
	bus.lease('scan 1', 600_000);
	const short = outcome(bus.request(read(1), 'test', { waitMs: 500 }));
	const usual = outcome(bus.request(read(2), 'test'));
	await time.run(501);
	t.is(short.text, 'timeout: tcp x:502 was not free within 500 ms: scan 1 has it for itself');
	t.is(usual.text, 'open');
	await time.run(15_000);
	t.is(usual.text, 'timeout: tcp x:502 was not free within 15000 ms: scan 1 has it for itself');
});

test('whoever gives up does not reach the line any more', async (t) => {
	const { bus, time, line } = await startBus(t);
	const giveUp = new AbortController();
	const { signal } = giveUp;
	const first = outcome(bus.request(read(1), 'poll'));
	const second = outcome(bus.request(read(2), 'test', { signal }));
	giveUp.abort();
	const third = outcome(bus.request(read(3), 'test', { signal }));
	await time.run(100);
	t.is(first.text, 'answered');
	t.is(second.text, 'unavailable: the request to tcp x:502 was given up');
	t.is(third.text, second.text);
	t.deepEqual(addresses(line), [1]);
	t.is(bus.pending, 0);
	t.is(time.timers, 0);
});

test('a line with a depth carries so many requests at once, and one that has none carries one', async (t) => {
	for (const depth of [1, 4]) {
		const { bus, time, line } = await startBus(t, { depth });
		const asked = Array.from({ length: 20 }, (_, i) => outcome(bus.request(read(i), 'poll')));
		t.is(bus.depth, depth);
		await time.run((20 / depth) * 10);
		t.true(asked.every(({ text }) => text === 'answered'));
		t.is(line.mostUnderWay, depth);
		await bus.stop();
	}
});

test('a write that wants silence around it is alone on a pipelined line, and nothing overtakes it', async (t) => {
	const { bus, time, line } = await startBus(t, { depth: 4 });
	for (let i = 0; i < 3; i += 1) outcome(bus.request(read(i), 'poll'));
	const guarded = outcome(bus.request(write(100, 50), 'write'));
	for (let i = 3; i < 6; i += 1) outcome(bus.request(read(i), 'poll'));
	await time.run(1000);
	t.is(guarded.text, 'answered');
	t.deepEqual(addresses(line), [0, 1, 2, 100, 3, 4, 5]);
	const at = line.asked.map(({ atMs }) => atMs);
	t.deepEqual(at.slice(2, 5), [0, 60, 120], 'silence of 50 ms before and after the write of 10 ms');
});

test('a connection that is not to be kept rests when it was not used, and the next request opens it', async (t) => {
	const { bus, time, line } = await startBus(t, { idleMs: 300 });
	t.is(line.opened, 0, 'nobody has asked anything');
	t.is(bus.stats().state, 'closed');
	t.true(bus.isOpen, 'it can be asked');
	const first = outcome(bus.request(read(1), 'poll'));
	await time.run(100);
	t.is(first.text, 'answered');
	t.is(bus.stats().state, 'open');
	await time.run(299);
	t.false(line.isOpen);
	t.is(bus.stats().state, 'closed');
	t.is(bus.stats().reason, null);
	const second = outcome(bus.request(read(2), 'test'));
	await time.run(20);
	t.is(second.text, 'answered');
	t.is(line.opened, 2);
	t.is(time.timers, 1, 'the one that lets it rest');
});

test('a leased line does not rest', async (t) => {
	const { bus, time, line } = await startBus(t, { idleMs: 300 });
	const lease = bus.lease('scan 1', 10_000);
	await time.run(5000);
	t.true(line.isOpen);
	lease.end();
	await time.run(301);
	t.false(line.isOpen);
});

test('on a line that failed a poll is refused at once, and whoever asks in person has it tried again', async (t) => {
	const { bus, time, line } = await startBus(t);
	line.refuse('x:502 refuses');
	line.lose('x:502 closed the connection');
	await time.run(100);
	const poll = outcome(bus.request(read(1), 'poll'));
	await time.run(0);
	t.is(poll.text, 'unavailable: tcp x:502 is not open: x:502 closed the connection');
	const inVain = outcome(bus.request(read(2), 'test'));
	await time.run(0);
	t.is(inVain.text, 'unavailable: tcp x:502 is not open: x:502 refuses');
	line.refuse(null);
	const good = outcome(bus.request(read(3), 'test'));
	await time.run(20);
	t.is(good.text, 'answered');
});

test('a lent port is given back', async (t) => {
	const { bus, time, line, heard } = await startBus(t);
	const poll = outcome(bus.request(read(1), 'poll'));
	const lent = bus.suspend('its port is used otherwise');
	await time.run(20);
	const giveBack = await lent;
	t.false(line.isOpen);
	t.regex(poll.text, /closed/);
	t.false(bus.isOpen);
	const refused = outcome(bus.request(read(2), 'write'));
	await time.run(60_000);
	t.is(refused.text, 'unavailable: tcp x:502 is not open: its port is used otherwise');
	t.is(line.opened, 1);
	giveBack();
	await time.run(0);
	t.true(line.isOpen);
	t.deepEqual(heard, ['opened', 'freed', 'opened'], 'it never failed');
});

const busyLine = (bus: Bus): number => bus.stats().utilisation;

test('requests that overlap are counted once as use of the line', async (t) => {
	const { bus, time } = await startBus(t, { depth: 8, slave: () => ({ afterMs: 500 }) });
	for (let i = 0; i < 8; i += 1) outcome(bus.request(read(i), 'poll'));
	await time.run(1000);
	t.is(busyLine(bus), 0.5);
});
