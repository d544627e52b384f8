import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { MOST_AHEAD_MS, OLDEST_READING_MS, type TimeVerdict, verdictOn } from '../../core/time/possible-time.ts';

const NOW = Date.UTC(2026, 10, 22);

const cases: readonly (readonly [string, number, number | null, TimeVerdict])[] = [
	['now', NOW, NOW, 'possible'],
	['of a clock that was never set', 0, NOW, 'before-the-product'],
	['of a clock whose battery is dead', Date.UTC(2000, 0, 1), NOW, 'before-the-product'],
	['just too old', OLDEST_READING_MS - 1, NOW, 'before-the-product'],
	['the oldest history that anybody brings along', OLDEST_READING_MS, NOW, 'possible'],
	['as far ahead as gateways take from devices', NOW + MOST_AHEAD_MS, NOW, 'possible'],
	['just too far ahead', NOW + MOST_AHEAD_MS + 1, NOW, 'in-the-future'],
	['of 2106', Date.UTC(2106, 1, 7), NOW, 'in-the-future'],
	['of 2106, asked of somebody who does not know the time', Date.UTC(2106, 1, 7), null, 'possible'],
	['of 1970, asked of somebody who does not know the time', 1_000, null, 'before-the-product'],
];

for (const [what, at, now, verdict] of cases) {
	test(`an instant ${what} is ${verdict}`, (t) => {
		t.is(verdictOn(epochMs(at), now === null ? null : epochMs(now)), verdict);
	});
}
