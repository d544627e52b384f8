import test from 'ava';

import { type Clock, epochMs, removalNow } from '../../core/kernel/clock.ts';

test('a clock that says nothing of itself is trusted; one that does not trust itself removes nothing', (t) => {
	const clock: Clock = { now: () => epochMs(7), monotonicMs: () => 0 };
	t.is(removalNow(clock), epochMs(7));
	t.is(removalNow({ ...clock, trustedNow: () => null }), null);
	t.is(removalNow({ ...clock, trustedNow: () => epochMs(8) }), epochMs(8));
});
