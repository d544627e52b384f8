import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { newDeviceId } from '../../core/kernel/id.ts';
import { createLatestValues } from '../../core/telemetry/latest-values.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

test('a value from before the clock was put right does not stand until its day comes', (t) => {
	const clock = createManualClock();
	const latest = createLatestValues({ clock });
	const device = newDeviceId();
	const power = (): unknown => latest.of(device)?.get('power')?.value;
	clock.jumpTo(Date.UTC(2036, 0, 1));
	latest.apply(draftOf(device, clock.now(), { power: 1 }));
	clock.jumpTo(Date.UTC(2026, 0, 1));
	latest.apply(draftOf(device, clock.now(), { power: 2 }));
	t.is(power(), 2);
	latest.apply(draftOf(device, epochMs(clock.now() - 5_000), { power: 3 }));
	t.is(power(), 2);
	// Another box whose clock is a little ahead.
	latest.apply(draftOf(device, epochMs(clock.now() + 30_000), { power: 4 }));
	latest.apply(draftOf(device, clock.now(), { power: 5 }));
	t.is(power(), 4);
});

test('texts of one device take a bounded part of the memory, and a text that does not fit leaves no older one standing', (t) => {
	const latest = createLatestValues({ clock: createManualClock() });
	const device = newDeviceId();
	const half = 'x'.repeat(512 * 1024 - 100);
	const say = (at: number, point: string, value: string | number): void =>
		latest.apply(draftOf(device, epochMs(at), { [point]: value }));
	say(1, 'a', half);
	say(2, 'b', half);
	say(3, 'c', half);
	t.deepEqual([...(latest.of(device)?.keys() ?? [])], ['a', 'b']);
	say(4, 'a', `${half}${half}`);
	t.deepEqual([...(latest.of(device)?.keys() ?? [])], ['b']);
	say(5, 'c', half);
	say(6, 'b', 1);
	t.deepEqual([...(latest.of(device)?.keys() ?? [])], ['b', 'c']);
	t.is(latest.of(device)?.get('b')?.value, 1);
});
