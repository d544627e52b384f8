import test from 'ava';

import { newGatewayId } from '../../core/kernel/id.ts';
import { addClockMetrics, clockComponent } from '../../core/box/time-part.ts';
import { createMetrics } from '../../core/system/metrics.ts';
import { timeAnswer, timeView } from '../../core/time/time-schema.ts';
import { createTimeMachine } from '../fake/time-machine.ts';

const NOON = Date.UTC(2026, 10, 22, 12);

async function box(wallMs: number) {
	const machine = createTimeMachine({ trueMs: NOON, wallMs });
	const keeper = await machine.open();
	keeper.identify(newGatewayId());
	await keeper.begin({ epoch: 4, lastSeq: () => 0, oldestEpoch: () => 4, hasHub: () => false });
	return { machine, keeper };
}

test('the clock is shown as its description says, whatever has happened to it', async (t) => {
	const { machine, keeper } = await box(5_000);
	const shown = (): unknown => {
		const view = timeView(keeper.status());
		t.is(timeAnswer.validate(view, { convert: false }).error, undefined);
		return view;
	};
	t.like(shown(), { clock_quality: 'unset', is_known: false, hub: null, last_jump: null, jumps: 0 });
	keeper.hubSays({ at: NOON + 0.25, errorMs: 3.5, monotonicMs: machine.wall.monotonicMs() });
	machine.stepWall(3_600_000);
	await machine.pass(2_000);
	t.like(shown(), {
		clock_quality: 'hub',
		is_known: true,
		last_jump: { by_ms: 3_600_000 },
		jumps: 1,
		eras: { 0: { epoch: 4, clock_quality: 'hub', until: null }, 1: { delta_ms: NOON - Date.UTC(2026, 0, 1) } },
	});
});

test('health and metrics tell of a clock that is not in order', async (t) => {
	const { machine, keeper } = await box(NOON);
	const component = clockComponent(keeper.status);
	const metrics = createMetrics();
	addClockMetrics(metrics, keeper.status);
	t.deepEqual(component.state(), { isConnected: true, reason: null });
	machine.stepWall(-2 * 3_600_000);
	await machine.pass(1_000);
	t.false(component.state().isConnected);
	t.regex(component.state().reason ?? '', /2 hours behind/);
	const text = await metrics.text();
	t.regex(text, /drawbridge_clock_quality\{quality="rtc"\} 1/);
	t.regex(text, /drawbridge_clock_quality\{quality="unset"\} 0/);
	t.regex(text, /drawbridge_clock_jumps_total 1/);
	t.regex(text, /drawbridge_clock_system_offset_seconds -7200/);
});
