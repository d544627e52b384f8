import test from 'ava';
import type { DeviceHealth } from '../../core/device/device.ts';
import { createHealthTracker, type HealthTracker } from '../../gateway/driver/health-tracker.ts';
import { createManualClock } from '../fake/manual-clock.ts';

function track() {
	const changes: DeviceHealth[] = [];
	const clock = createManualClock();
	const tracker = createHealthTracker(clock, (health) => changes.push(health));
	return { tracker, changes, clock, states: () => changes.map(({ state }) => state) };
}

const times = (count: number, step: () => void): void => {
	for (let i = 0; i < count; i += 1) step();
};

const goodAndBad = (tracker: HealthTracker, text: string): void => {
	for (const outcome of text)
		if (outcome === '+') tracker.good();
		else tracker.bad('no answer');
};

const cases: readonly (readonly [name: string, outcomes: string, states: readonly string[]])[] = [
	['the first answer makes a device ok', '+', ['ok']],
	['nothing is said before the first answer', '--', []],
	['one lost answer changes nothing', '++++-+++++++++-++++', ['ok']],
	['two lost answers close together are degraded', '+++-+-', ['ok', 'degraded']],
	['a degraded device needs five answers in a row', '+--++++', ['ok', 'degraded']],
	['five answers in a row are ok again', '+--+++++', ['ok', 'degraded', 'ok']],
	['a loss between starts the count again', '+--++++-++++', ['ok', 'degraded']],
];
for (const [name, outcomes, states] of cases) {
	test(name, (t) => {
		const made = track();
		goodAndBad(made.tracker, outcomes);
		t.deepEqual(made.states(), states);
	});
}

test('a device that was offline proves itself before it is ok', (t) => {
	const { tracker, changes, states, clock } = track();
	tracker.offline('silent', 'no answer from unit 3');
	clock.advance(5000);
	tracker.offline('silent', 'no answer from unit 3, still');
	t.is(changes.length, 1, 'the same trouble is told once');
	tracker.offline('line', 'the port is gone');
	tracker.good();
	t.deepEqual(states(), ['offline', 'offline', 'degraded']);
	times(4, () => tracker.good());
	t.deepEqual(states(), ['offline', 'offline', 'degraded', 'ok']);
	t.is(changes.at(-1)?.reason, null);
	t.is(changes.at(-1)?.since, clock.now());
});

test('a flaw keeps a device degraded until it is taken back', (t) => {
	const { tracker, changes, states } = track();
	tracker.good();
	tracker.flaw('points', 'it does not have p5');
	times(20, () => tracker.good());
	t.deepEqual(states(), ['ok', 'degraded']);
	t.is(changes.at(-1)?.reason, 'it does not have p5');
	tracker.flaw('points', null);
	t.deepEqual(states(), ['ok', 'degraded', 'ok']);
});

test('of two flaws the missing points are told first, and the other one when they are gone', (t) => {
	const { tracker, changes } = track();
	tracker.good();
	tracker.flaw('pace', 'it skips periods');
	tracker.flaw('points', 'it does not have p5');
	t.is(changes.at(-1)?.reason, 'it does not have p5');
	tracker.flaw('points', null);
	t.is(changes.at(-1)?.reason, 'it skips periods');
	t.is(changes.at(-1)?.state, 'degraded');
});
