import test from 'ava';
import fc from 'fast-check';
import { createCircuitBreaker } from '../../gateway/driver/circuit-breaker.ts';
import { createHeap } from '../../gateway/driver/heap.ts';
import { createPollGrid, type PollGrid } from '../../gateway/driver/poll-grid.ts';
import { createPollSchedule } from '../../gateway/driver/poll-schedule.ts';
import { answerWaitMs } from '../../gateway/driver/modbus/answer-wait.ts';
import { phaseOf } from '../../gateway/driver/modbus/plan/poll-groups.ts';
import { createManualClock } from '../fake/manual-clock.ts';

interface Simulated {
	readonly periodMs: number;
	/** Requests of a round. */
	readonly requests?: number;
}

/** One device while it is simulated. */
interface Tally {
	readonly grid: PollGrid;
	readonly requests: number;
	left: number;
}

function simulate(
	devices: Readonly<Record<string, Simulated>>,
	forMs: number,
	ask: (id: string, nowMs: number) => { readonly costMs: number; readonly notBeforeMs?: number },
) {
	const clock = createManualClock();
	const schedule = createPollSchedule();
	const tallies = new Map<string, Tally>();
	const rounds: Record<string, number> = {};
	const spentMs: Record<string, number> = {};
	const lateMs: Record<string, number> = {};
	let missed = 0;
	for (const [index, [id, { periodMs, requests = 1 }]] of Object.entries(devices).entries()) {
		const firstMs = phaseOf(index) * periodMs;
		tallies.set(id, { grid: createPollGrid(periodMs, firstMs, firstMs), requests, left: 0 });
		schedule.add(id, firstMs);
	}

	function take(id: string, tally: Tally): void {
		const nowMs = clock.monotonicMs();
		if (tally.left === 0) {
			lateMs[id] = Math.max(lateMs[id] ?? 0, nowMs - tally.grid.dueMs);
			tally.left = tally.requests;
		}
		const { costMs, notBeforeMs } = ask(id, nowMs);
		clock.advance(costMs);
		schedule.spent(id, costMs);
		spentMs[id] = (spentMs[id] ?? 0) + costMs;
		tally.left = notBeforeMs === undefined ? tally.left - 1 : 0;
		if (tally.left > 0) schedule.again(id);
		else if (notBeforeMs !== undefined) schedule.due(id, notBeforeMs);
		else {
			rounds[id] = (rounds[id] ?? 0) + 1;
			missed += tally.grid.done(clock.monotonicMs());
			schedule.due(id, tally.grid.dueMs);
		}
	}

	while (clock.monotonicMs() < forMs) {
		const next = schedule.next(clock.monotonicMs());
		const tally = 'id' in next ? tallies.get(next.id) : undefined;
		if ('waitMs' in next) clock.advance(next.waitMs);
		else if (tally !== undefined) take(next.id, tally);
	}
	return { rounds, spentMs, lateMs, missed };
}

test('each device has its turn in each period', (t) => {
	const devices = { a: { periodMs: 1000 }, b: { periodMs: 1000 }, c: { periodMs: 250 } };
	const { rounds, missed } = simulate(devices, 60_000, () => ({ costMs: 20 }));
	t.is(missed, 0);
	t.true(Math.abs((rounds['a'] ?? 0) - 60) <= 1);
	t.true(Math.abs((rounds['b'] ?? 0) - 60) <= 1);
	t.true(Math.abs((rounds['c'] ?? 0) - 240) <= 1);
});

test('start phases are spread over the period', (t) => {
	const phases = Array.from({ length: 8 }, (_, index) => phaseOf(index)).toSorted((a, b) => a - b);
	const gaps = phases.slice(1).map((phase, i) => phase - (phases[i] ?? 0));
	t.true(Math.min(...gaps) > 0.05, `phases ${phases.join(' ')}`);
});

test('missed periods are skipped and counted, never stacked', (t) => {
	const grid = createPollGrid(100, 0, 0);
	t.is(grid.done(350), 3);
	t.is(grid.dueMs, 400);
	t.is(grid.done(400), 0);
	t.is(grid.dueMs, 500);
});

test('what comes once comes again only when it is called for', (t) => {
	const grid = createPollGrid(Number.POSITIVE_INFINITY, 0, 40);
	t.is(grid.dueMs, 40);
	t.is(grid.done(50), 0);
	t.is(grid.dueMs, Number.POSITIVE_INFINITY);
	grid.hurry(900);
	t.is(grid.dueMs, 900);
});

test('the next point of a grid lies always ahead, at most a period', (t) => {
	const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 3000 })), {
		maxLength: 50,
	});
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1000 }), steps, (periodMs, turns) => {
			const grid = createPollGrid(periodMs, 0, 0);
			let nowMs = 0;
			for (const [waitMs, costMs] of turns) {
				nowMs += waitMs + costMs;
				grid.done(nowMs);
				const aheadMs = grid.dueMs - nowMs;
				if (aheadMs <= 0 || aheadMs > periodMs + 1e-6) return false;
			}
			return true;
		}),
	);
	t.pass();
});

test('an overloaded line serves all devices alike, and who asks little gets all of it', (t) => {
	const devices = { a: { periodMs: 100 }, b: { periodMs: 100 }, c: { periodMs: 1000 } };
	const { rounds, missed } = simulate(devices, 60_000, () => ({ costMs: 90 }));
	t.true(missed > 0);
	t.true(Math.abs((rounds['a'] ?? 0) - (rounds['b'] ?? 0)) <= 2);
	t.true((rounds['c'] ?? 0) >= 58);
});

test('a device with a huge map takes what the others leave and delays none of them by more than a request or two', (t) => {
	const small = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`small${i}`, { periodMs: 1000 }]));
	const devices = { ...small, huge: { periodMs: 1000, requests: 100 } };
	const { rounds, lateMs } = simulate(devices, 120_000, () => ({ costMs: 50 }));
	for (const id of Object.keys(small)) {
		t.true((rounds[id] ?? 0) >= 119, `${id} had ${rounds[id]} of 120 rounds`);
		t.true((lateMs[id] ?? 0) <= 500, `${id} was ${lateMs[id]} ms late`);
	}
	t.true((rounds['huge'] ?? 0) >= 10, `the huge one had ${rounds['huge']} rounds`);
});

test('a slow device and a quick one that both want more than there is have the same time of the line', (t) => {
	const devices = { slow: { periodMs: 1000, requests: 50 }, quick: { periodMs: 1000, requests: 500 } };
	const { spentMs } = simulate(devices, 300_000, (id) => ({ costMs: id === 'slow' ? 200 : 10 }));
	for (const id of ['slow', 'quick'])
		t.true(Math.abs((spentMs[id] ?? 0) - 150_000) < 3000, `${id} had ${spentMs[id]} ms`);
});

test('a heap gives its items in order, whatever was put, moved and removed', (t) => {
	const steps = fc.array(fc.record({ id: fc.nat(30), key: fc.nat(1000), isRemoved: fc.boolean() }), { maxLength: 200 });
	fc.assert(
		fc.property(steps, (taken) => {
			const items = new Map<number, { key: number }>();
			const heap = createHeap<{ key: number }>((left, right) => left.key < right.key);
			for (const { id, key, isRemoved } of taken) {
				const item = items.get(id) ?? { key };
				item.key = key;
				if (isRemoved) {
					t.is(heap.remove(item), items.has(id));
					items.delete(id);
				} else {
					heap.put(item);
					items.set(id, item);
				}
			}
			const expected = [...items.values()].map(({ key }) => key).toSorted((a, b) => a - b);
			const found: number[] = [];
			for (let { first } = heap; first !== undefined; { first } = heap) {
				found.push(first.key);
				heap.remove(first);
			}
			t.deepEqual(found, expected);
		}),
	);
});

for (const timeoutMs of [300, 1000, 3000]) {
	test(`a dead device with a timeout of ${timeoutMs} ms leaves the others their period and takes at most 5 % of the line`, (t) => {
		const forMs = 600_000;
		const breaker = createCircuitBreaker();
		const devices = { a: { periodMs: 1000 }, dead: { periodMs: 1000 }, c: { periodMs: 1000 } };
		let asked = 0;
		const { rounds, spentMs } = simulate(devices, forMs, (id, nowMs) => {
			if (id !== 'dead') return { costMs: 30 };
			asked += 1;
			const { isOpen: isDead, silentCount } = breaker;
			const latencyP99Ms = isDead ? 25 : null;
			const waitMs = answerWaitMs({ mode: 'adaptive', timeoutMs, latencyP99Ms, answers: 0, silentCount, isDead });
			const costMs = waitMs + 100;
			breaker.silent(nowMs + costMs, costMs);
			return breaker.isOpen ? { costMs, notBeforeMs: breaker.probeDueMs } : { costMs };
		});
		t.true((spentMs['dead'] ?? 0) <= 0.05 * forMs, `dead device took ${spentMs['dead']} ms`);
		for (const id of ['a', 'c']) t.true((rounds[id] ?? 0) >= 580, `${id} had ${rounds[id]} turns in 600 periods`);
		t.true(asked >= 12, 'it is still asked');
	});
}

const waits: readonly (readonly [expected: number, wait: Partial<Parameters<typeof answerWaitMs>[0]>])[] = [
	[1000, { latencyP99Ms: null }],
	[1000, { mode: 'fixed', latencyP99Ms: 40 }],
	[1000, { mode: 'fixed', latencyP99Ms: 40, isDead: true, silentCount: 3 }],
	[1000, { latencyP99Ms: 40, answers: 15 }],
	[250, { latencyP99Ms: 40, answers: 16 }],
	[400, { latencyP99Ms: 100, answers: 16 }],
	[800, { latencyP99Ms: 100, answers: 16, silentCount: 1 }],
	[1000, { latencyP99Ms: 100, answers: 16, silentCount: 2 }],
	[1000, { latencyP99Ms: 400, answers: 16 }],
	[160, { latencyP99Ms: 40, isDead: true, silentCount: 3 }],
	[100, { latencyP99Ms: 5, isDead: true, silentCount: 5 }],
	[1000, { latencyP99Ms: 5, isDead: true, silentCount: 4 }],
];

test('an answer is waited for four times as long as the device usually takes, within bounds', (t) => {
	const usual = {
		mode: 'adaptive',
		timeoutMs: 1000,
		latencyP99Ms: null,
		answers: 0,
		silentCount: 0,
		isDead: false,
	} as const;
	for (const [expected, wait] of waits) t.is(answerWaitMs({ ...usual, ...wait }), expected, JSON.stringify(wait));
});
