import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { TimeKeeper } from '../../core/time/time-keeper.ts';
import { createTimeMachine, type TimeMachine } from '../fake/time-machine.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const YEAR = 365 * DAY;
const NOON = Date.UTC(2026, 10, 22, 12);
const origin = newGatewayId();
const device = newDeviceId();

/** A process on a machine: it reads a meter whenever it is told to. */
async function process(machine: TimeMachine, epoch: number, hasHub = false) {
	const keeper = await machine.open();
	let lastSeq = 0;
	keeper.identify(origin);
	await keeper.begin({ epoch, lastSeq: () => lastSeq, oldestEpoch: () => 1, hasHub: () => hasHub });
	return {
		keeper,
		/** @param readAt the device's own instant; otherwise that of the product's clock */
		read: (readAt: number = keeper.clock.now()): Reading & { readonly trueMs: number } => {
			lastSeq += 1;
			return {
				device,
				origin,
				epoch,
				firstSeq: lastSeq,
				readAt: epochMs(readAt),
				telemetryType: 'default',
				points: ['p'],
				values: [1],
				qualities: null,
				trueMs: machine.trueMs(),
			};
		},
	};
}

const settledAt = (keeper: TimeKeeper, reading: Reading): number | null => keeper.settle(reading)?.readAt ?? null;

const hubSays = (keeper: TimeKeeper, machine: TimeMachine, errorMs = 5): void =>
	keeper.hubSays({ at: machine.trueMs(), errorMs, monotonicMs: machine.wall.monotonicMs() });

test('a clock that says a possible time is used as it is, unconfirmed', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
	const { keeper, read } = await process(machine, 1);
	const reading = read();
	t.is(keeper.settle(reading), reading, 'the same object: nothing is copied');
	t.like(keeper.status(), { quality: 'rtc', isKnown: true, isTrusted: true, reason: null });
	t.is(keeper.trustedNow(), epochMs(NOON));
});

test('readings of a boot in 1970 wait for the hub and are moved under their own instants', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const { keeper, read } = await process(machine, 1);
	const early = read();
	await machine.pass(10 * MINUTE);
	const late = read();
	t.is(keeper.settle(early), null);
	t.is(keeper.trustedNow(), null);
	t.regex(keeper.status().reason ?? '', /not known/);

	hubSays(keeper, machine);
	t.is(keeper.settle(early), null, 'not before it is on disk');
	await machine.pass(SECOND);
	await keeper.saved();
	t.is(settledAt(keeper, early), early.trueMs);
	t.is(settledAt(keeper, late), late.trueMs);
	const after = read();
	t.is(settledAt(keeper, after), after.trueMs);
	t.like(keeper.status(), { quality: 'hub', isTrusted: true });
	t.is(keeper.clock.now(), epochMs(machine.trueMs()), "the product's clock is right although the machine's is not");
});

test('a time service that sets the clock ends the waiting', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const { keeper, read } = await process(machine, 1);
	const early = read();
	await machine.pass(MINUTE);
	machine.setWall(machine.trueMs());
	machine.setSynchronized(true);
	await machine.pass(3 * SECOND);
	t.is(settledAt(keeper, early), early.trueMs);
	t.is(keeper.status().quality, 'ntp');
});

test("a device's own instant is not moved, and does not wait", async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const { keeper, read } = await process(machine, 1);
	const reading = read(NOON);
	t.is(keeper.settle(reading), reading);
	hubSays(keeper, machine);
	await machine.pass(2 * SECOND);
	t.is(keeper.settle(reading), reading);
});

for (const [name, byMs] of [
	['an hour ahead', HOUR],
	['an hour back', -HOUR],
	['ten years ahead', 10 * YEAR],
	['to 1970', 5_000 - NOON],
	['to 2106', 80 * YEAR],
] as const) {
	test(`a clock that jumps ${name} and comes home has moved nothing`, async (t) => {
		const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
		const { keeper, read } = await process(machine, 1);
		const readings = [read()];
		machine.stepWall(byMs);
		readings.push(read());
		await machine.pass(10 * MINUTE);
		readings.push(read());
		t.regex(keeper.status().reason ?? '', /jumped/);
		machine.stepWall(-byMs);
		readings.push(read());
		await machine.pass(MINUTE);
		readings.push(read());
		for (const reading of readings) t.is(settledAt(keeper, reading), reading.trueMs);
		t.like(keeper.status(), { quality: 'rtc', jumps: 2, reason: null });
		t.is(keeper.status().eras.length, 1);
	});
}

test('a jump that stands is believed after a quarter of an hour, if the time is possible', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON - HOUR });
	const { keeper, read } = await process(machine, 1);
	machine.setWall(machine.trueMs());
	const waiting = read();
	await machine.pass(14 * MINUTE);
	t.is(keeper.clock.now(), epochMs(machine.trueMs() - HOUR));
	await machine.pass(2 * MINUTE);
	t.is(keeper.clock.now(), epochMs(machine.trueMs()));
	const after = read();
	t.is(settledAt(keeper, waiting), waiting.readAt, 'what was sealed under it is not moved any more');
	t.is(settledAt(keeper, after), after.trueMs);
	machine.stepWall(10 * YEAR);
	await machine.pass(HOUR);
	t.is(keeper.clock.now(), epochMs(machine.trueMs()), 'ten years ahead is not possible');
});

test('the hub decides at once who is right after a jump', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON - HOUR });
	const { keeper } = await process(machine, 1);
	machine.setWall(machine.trueMs());
	await machine.pass(2 * SECOND);
	hubSays(keeper, machine);
	t.like(keeper.status(), { quality: 'rtc', reason: null });
	t.is(keeper.clock.now(), epochMs(machine.trueMs()));
	machine.stepWall(HOUR);
	await machine.pass(2 * SECOND);
	hubSays(keeper, machine);
	await machine.pass(HOUR);
	t.is(keeper.clock.now(), epochMs(machine.trueMs()), 'and goes on deciding while the jump stands');
	t.is(keeper.status().quality, 'hub');
	t.regex(keeper.status().reason ?? '', /1 hour ahead of .*the hub says otherwise/);
});

test('a clock without a time service that is far from the hub gives way; one with a time service is only reported', async (t) => {
	const wrong = createTimeMachine({ trueMs: NOON, wallMs: NOON - 3 * HOUR });
	const first = await process(wrong, 1);
	hubSays(first.keeper, wrong);
	t.is(first.keeper.clock.now(), epochMs(NOON));
	t.regex(first.keeper.status().reason ?? '', /3 hours behind/);
	const served = createTimeMachine({ trueMs: NOON, wallMs: NOON - 3 * HOUR });
	served.setSynchronized(true);
	const second = await process(served, 1);
	hubSays(second.keeper, served);
	t.is(second.keeper.clock.now(), epochMs(NOON - 3 * HOUR));
	t.regex(second.keeper.status().reason ?? '', /hub's clock is 3 hours ahead/);
});

test('small corrections are followed at once and change nothing else', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
	const { keeper, read } = await process(machine, 1);
	machine.stepWall(400);
	await machine.pass(SECOND);
	machine.stepWall(5 * SECOND);
	await machine.pass(2 * SECOND);
	t.is(keeper.clock.now(), epochMs(machine.trueMs() + 5_400));
	const reading = read();
	t.is(keeper.settle(reading), reading);
	t.is(keeper.status().reason, null);
});

test('a box without a battery clock waits for somebody to confirm the time it was restored with', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON - 3 * DAY, hasRtc: false });
	const { keeper, read } = await process(machine, 1);
	const reading = read();
	t.is(keeper.settle(reading), null);
	machine.setWall(machine.trueMs());
	machine.setSynchronized(true);
	await machine.pass(3 * SECOND);
	t.is(settledAt(keeper, reading), reading.trueMs);
});

test('when nobody ever confirms it, the time is used as a guess, and nothing is removed by it', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON, hasRtc: false });
	const { keeper, read } = await process(machine, 1);
	const reading = read();
	await machine.pass(16 * MINUTE);
	t.is(keeper.settle(reading), reading);
	t.like(keeper.status(), { quality: 'unset', isKnown: true, isTrusted: false });
	t.true(keeper.status().eras[0]?.isEstimated);
	t.is(keeper.trustedNow(), null);
	hubSays(keeper, machine);
	t.like(keeper.status(), { quality: 'hub', isTrusted: true });
});

test('a process that starts again in the same boot goes on on the same line', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const one = await process(machine, 1);
	const early = one.read();
	await machine.pass(5 * MINUTE);
	await one.keeper.stop();
	const two = await process(machine, 2);
	const late = two.read();
	t.is(two.keeper.settle(early), null);
	hubSays(two.keeper, machine);
	await machine.pass(2 * SECOND);
	t.is(settledAt(two.keeper, early), early.trueMs);
	t.is(settledAt(two.keeper, late), late.trueMs);
	machine.stepWall(DAY);
	await two.keeper.stop();
	const three = await process(machine, 3);
	t.is(three.keeper.clock.now(), epochMs(machine.trueMs()));
});

test('a boot that never knew the time is placed before the next one that does, and flagged', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
	const known = await process(machine, 1);
	const before = known.read();
	await machine.pass(11 * MINUTE);
	machine.reboot(HOUR, 5_000);
	const lost = await process(machine, 2);
	const first = lost.read();
	t.true(first.readAt >= before.readAt, 'time goes on from where the box has last lived');
	await machine.pass(150 * SECOND);
	const last = lost.read();
	t.is(lost.keeper.settle(last), null);
	const startsAt = machine.trueMs();
	machine.reboot(10 * MINUTE, startsAt + 10 * MINUTE);
	const next = await process(machine, 3);
	await next.keeper.saved();
	const [firstAt, lastAt] = [settledAt(next.keeper, first), settledAt(next.keeper, last)];
	t.is((lastAt ?? 0) - (firstAt ?? 0), 150 * SECOND, 'as far apart as they were');
	t.true((lastAt ?? 0) <= machine.trueMs());
	t.true((firstAt ?? 0) >= before.trueMs);
	const era = next.keeper.status().eras.find(({ epoch }) => epoch === 2);
	t.like(era, { quality: 'unset', isEstimated: true });
	t.is(settledAt(next.keeper, before), before.trueMs);
});

test('a leap that only the battery clock tells of removes nothing for a day', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
	const one = await process(machine, 1);
	await machine.pass(SECOND);
	await one.keeper.stop();
	machine.reboot(MINUTE, NOON + 2 * YEAR);
	const two = await process(machine, 2);
	t.is(two.keeper.trustedNow(), null);
	t.is(two.keeper.status().quality, 'rtc');
	machine.setSynchronized(true);
	machine.setWall(machine.trueMs());
	await machine.pass(2 * SECOND);
	t.is(two.keeper.trustedNow(), epochMs(machine.trueMs()));
});

test('with a full disk, readings under a known clock go on; those that are to be moved wait for the disk', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
	machine.setFull(true);
	const known = await process(machine, 1);
	const reading = known.read();
	t.is(known.keeper.settle(reading), reading);

	const other = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const { keeper, read } = await process(other, 1);
	const early = read();
	other.setFull(true);
	hubSays(keeper, other);
	await other.pass(MINUTE);
	const late = read();
	t.is(keeper.settle(early), null);
	t.is(keeper.settle(late), null, 'without the disk it would be taken for one of the first era');
	other.setFull(false);
	await other.pass(12 * SECOND);
	t.is(settledAt(keeper, early), early.trueMs);
	t.is(settledAt(keeper, late), late.trueMs);
});

test('readings stamped before the time came and numbered after it are moved all the same', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON - 2 * HOUR, hasRtc: false });
	const { keeper, read } = await process(machine, 1);
	await machine.pass(10 * SECOND);
	const stamp = keeper.clock.now();
	const trueMs = machine.trueMs();
	hubSays(keeper, machine);
	const straggler = read(stamp);
	const own = read();
	await machine.pass(2 * SECOND);
	const later = read();
	t.is(settledAt(keeper, straggler), trueMs);
	t.is(settledAt(keeper, own), own.trueMs);
	t.is(settledAt(keeper, later), later.trueMs);
});

test('what the hub has heard is not said again until a new session asks', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: NOON });
	const { keeper } = await process(machine, 1, true);
	const untold = keeper.untold();
	t.is(untold.length, 1);
	keeper.told(untold);
	t.deepEqual(keeper.untold(), []);
	keeper.forgetTold();
	t.is(keeper.untold().length, 1);
});

test('readings of others, and of epochs before eras were kept, stay as they are', async (t) => {
	const machine = createTimeMachine({ trueMs: NOON, wallMs: 5_000 });
	const { keeper, read } = await process(machine, 7);
	const other = { ...read(), origin: newGatewayId() };
	const older = { ...read(), epoch: 6 };
	t.is(keeper.settle(other), other);
	t.is(keeper.settle(older), older);
});
