import test from 'ava';

import { systemTimer } from '../../core/journal/set-timer.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { openMachineTime } from '../../core/time/machine-time.ts';

test('two processes of one boot see the same line, and asking the machine takes no time of theirs', async (t) => {
	const one = await openMachineTime({ setTimer: systemTimer });
	const other = await openMachineTime({ setTimer: systemTimer });
	t.teardown(() => one.stop());
	t.teardown(() => other.stop());
	if (process.platform === 'linux') {
		t.is(one.boot.bootId, other.boot.bootId);
		t.true(Math.abs(one.boot.originMs - other.boot.originMs) < 5);
		t.true(one.boot.originMs + systemClock.monotonicMs() > 0);
	}
	t.true([true, false, null].includes(one.hasRtc));
	t.true([true, false, null].includes(one.isSynchronized()));
});
