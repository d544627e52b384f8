import test from 'ava';
import fc from 'fast-check';
import { createCircuitBreaker } from '../../gateway/driver/circuit-breaker.ts';
import { createPollSchedule } from '../../gateway/driver/poll-schedule.ts';
import { createManualClock } from '../fake/manual-clock.ts';

/** Runs a line in manual time: each turn costs what `costMs` says. @returns turns by device and periods missed. */
function simulate(
	periods: Readonly<Record<string, number>>,
	forMs: number,
	turn: (id: string, nowMs: number) => { readonly costMs: number; readonly notBeforeMs?: number },
) {
	const clock = createManualClock();
	const schedule = createPollSchedule();
	const turns: Record<string, number> = {};
	const spentMs: Record<string, number> = {};
	let missed = 0;
	for (const [id, periodMs] of Object.entries(periods)) schedule.add(id, periodMs, 0);
	while (clock.monotonicMs() < forMs) {
		const next = schedule.next(clock.monotonicMs());
		if ('waitMs' in next) {
			clock.advance(next.waitMs);
			continue;
		}
		const { costMs, notBeforeMs } = turn(next.id, clock.monotonicMs());
		clock.advance(costMs);
		turns[next.id] = (turns[next.id] ?? 0) + 1;
		spentMs[next.id] = (spentMs[next.id] ?? 0) + costMs;
		if (notBeforeMs === undefined) missed += schedule.done(next.id, clock.monotonicMs());
		else schedule.postpone(next.id, notBeforeMs);
	}
	return { turns, spentMs, missed };
}

test('each device has its turn in each period', (t) => {
	const { turns, missed } = simulate({ a: 1000, b: 1000, c: 250 }, 60_000, () => ({ costMs: 20 }));
	t.is(missed, 0);
	t.true(Math.abs((turns['a'] ?? 0) - 60) <= 1);
	t.true(Math.abs((turns['b'] ?? 0) - 60) <= 1);
	t.true(Math.abs((turns['c'] ?? 0) - 240) <= 1);
});

test('start phases are spread over the period', (t) => {
	const schedule = createPollSchedule();
	const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
	for (const id of ids) schedule.add(id, 1000, 0);
	const starts: number[] = [];
	for (let nowMs = 0; nowMs < 1000; nowMs += 1) {
		for (let turn = schedule.next(nowMs); 'id' in turn; turn = schedule.next(nowMs)) {
			starts.push(nowMs);
			schedule.done(turn.id, nowMs);
		}
	}
	t.is(starts.length, ids.length);
	const gaps = starts.slice(1).map((start, i) => start - (starts[i] ?? 0));
	t.true(Math.min(...gaps) > 50, `starts ${starts.join(' ')}`);
});

test('a long period does not keep the first reading waiting', (t) => {
	const schedule = createPollSchedule();
	schedule.add('a', 600_000, 0);
	schedule.add('b', 600_000, 0);
	schedule.done('a', 0);
	const turn = schedule.next(0);
	t.true('waitMs' in turn && turn.waitMs <= 5000);
});

test('missed periods are skipped and counted, never stacked', (t) => {
	const schedule = createPollSchedule();
	schedule.add('a', 100, 0);
	t.deepEqual(schedule.next(0), { id: 'a' });
	t.is(schedule.done('a', 350), 3);
	t.deepEqual(schedule.next(350), { waitMs: 50 });
	t.is(schedule.done('a', 400), 0);
	t.deepEqual(schedule.next(401), { waitMs: 99 });
});

test('an overloaded line serves all devices alike', (t) => {
	const { turns, missed } = simulate({ a: 100, b: 100, c: 1000 }, 60_000, () => ({ costMs: 90 }));
	t.true(missed > 0);
	t.true(Math.abs((turns['a'] ?? 0) - (turns['b'] ?? 0)) <= 2);
	t.true((turns['c'] ?? 0) >= 55);
});

test('the next turn lies always ahead', (t) => {
	const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 3000 })), {
		maxLength: 50,
	});
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1000 }), steps, (periodMs, turns) => {
			const schedule = createPollSchedule();
			schedule.add('a', periodMs, 0);
			let nowMs = 0;
			for (const [waitMs, costMs] of turns) {
				nowMs += waitMs + costMs;
				schedule.done('a', nowMs);
				const turn = schedule.next(nowMs);
				if (!('waitMs' in turn) || turn.waitMs <= 0 || turn.waitMs > periodMs + 1e-6) return false;
			}
			return true;
		}),
	);
	t.pass();
});

for (const timeoutMs of [300, 1000, 3000]) {
	test(`a dead device with a timeout of ${timeoutMs} ms leaves the others their period and takes at most 5 % of the line`, (t) => {
		const forMs = 600_000;
		const breaker = createCircuitBreaker();
		const { turns, spentMs } = simulate({ a: 1000, dead: 1000, c: 1000 }, forMs, (id, nowMs) => {
			if (id !== 'dead') return { costMs: 30 };
			const costMs = breaker.waitMs(timeoutMs, breaker.isOpen ? 25 : null) + 100;
			breaker.silent(nowMs + costMs, costMs);
			return breaker.isOpen ? { costMs, notBeforeMs: breaker.probeDueMs } : { costMs };
		});
		t.true((spentMs['dead'] ?? 0) <= 0.05 * forMs, `dead device took ${spentMs['dead']} ms`);
		for (const id of ['a', 'c']) t.true((turns[id] ?? 0) >= 580, `${id} had ${turns[id]} turns in 600 periods`);
		t.true((turns['dead'] ?? 0) >= 12, 'it is still asked');
	});
}

test('a device that was just silent is waited for four times its usual latency', (t) => {
	const breaker = createCircuitBreaker();
	t.is(breaker.waitMs(1000, 40), 1000);
	breaker.silent(0, 1000);
	t.is(breaker.waitMs(1000, 40), 160);
	t.is(breaker.waitMs(1000, 5), 100);
	t.is(breaker.waitMs(1000, 400), 1000);
	t.is(breaker.waitMs(1000, null), 1000);
	breaker.answered();
	t.is(breaker.waitMs(1000, 40), 1000);
});
