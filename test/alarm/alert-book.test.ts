import test from 'ava';

import { openAlertBook } from '../../core/alarm/alert-book.ts';
import { type Alert, ALERT_RETENTION_MS, alertSentence, plainNumber } from '../../core/alarm/alert.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { alertOf } from '../fake/alert.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { deviceOf } from '../fake/device-box.ts';
import { createManualTimer } from '../fake/manual-timer.ts';

const METER = deviceOf(1, 'meter-1');

const settled = (number: number): Alert => {
	const alert = alertOf(number);
	return { ...alert, clearedAt: alert.createdAt, acknowledgedAt: alert.createdAt, acknowledgedBy: 'u' };
};

async function book(stored: readonly Alert[], maxAlerts = 3) {
	const timer = createManualTimer();
	const onDisk = new Map(stored.map((alert) => [alert.id, alert]));
	const opened = await openAlertBook({
		alerts: {
			all: async () => [...onDisk.values()],
			async write(changed, removedIds) {
				for (const alert of changed) onDisk.set(alert.id, alert);
				for (const id of removedIds) onDisk.delete(id);
			},
		},
		clock: timer.clock,
		setTimer: timer.setTimer,
		log: silentLog,
		maxAlerts,
	});
	return { ...opened, onDisk, advance: (ms: number) => timer.advance(ms), stop: () => opened.stop() };
}

test('too many alerts: the oldest settled one goes first, an open one only when all are open', async (t) => {
	const { put, flush, onDisk } = await book([alertOf(1), settled(2), alertOf(3)]);
	put(alertOf(4), 'now');
	await flush();
	t.deepEqual([...onDisk.keys()], ['a1-1', 'a1-3', 'a1-4']);
	put(alertOf(5), 'now');
	await flush();
	t.deepEqual([...onDisk.keys()], ['a1-3', 'a1-4', 'a1-5']);
});

test('alerts that are settled are kept for 400 days, open ones as long as they are open', async (t) => {
	const { put, flush, onDisk, advance, find } = await book([alertOf(0), settled(1), settled(3_600_000)]);
	advance(ALERT_RETENTION_MS + 1_000);
	put(alertOf(ALERT_RETENTION_MS), 'now');
	await flush();
	t.deepEqual([...onDisk.keys()], ['a1-0', 'a1-3600000', `a1-${ALERT_RETENTION_MS}`]);
	t.is(find('a1-1'), null);
});

test('a new alert is written at once, what only counts within five seconds', async (t) => {
	const { put, onDisk, advance, stop } = await book([]);
	put(alertOf(1), 'now');
	advance(0);
	await Promise.resolve();
	t.is(onDisk.size, 1);
	put(alertOf(1, { occurrences: 2 }), 'soon');
	put(alertOf(1, { occurrences: 3 }), 'soon');
	advance(4_999);
	await Promise.resolve();
	t.is(onDisk.get('a1-1')?.occurrences, 1);
	await stop();
	t.is(onDisk.get('a1-1')?.occurrences, 3);
});

test('numbers are said without digits that were never measured', (t) => {
	t.is(plainNumber(Math.fround(43.2)), '43.2');
	t.is(plainNumber(43.123456789), '43.123456789');
	t.is(plainNumber(16_777_217), '16777217');
	t.is(plainNumber(2n ** 60n), '1152921504606846976');
	t.is(plainNumber(Math.fround(1e-20)), '1e-20');
});

const said = (changes: Parameters<typeof alertRule>[0]) => alertSentence(alertRule(changes), METER, 50.25);

test('the sentence names device, value, threshold, tolerance and duration', (t) => {
	t.is(said({}), 'meter-1 (meter-1): temperature 50.25 is above 40');
	t.is(
		said({ condition: 'lte', threshold: 60, durationSeconds: 30, hysteresis: 2 }),
		'meter-1 (meter-1): temperature 50.25 is at or below 60 for 30 s',
	);
	t.is(
		said({ condition: 'ne', threshold: 50, hysteresis: 0.2 }),
		'meter-1 (meter-1): temperature 50.25 is not equal to 50 ± 0.2',
	);
});

test('a clock that is not trusted removes no alert for its age', async (t) => {
	const timer = createManualTimer();
	const opened = await openAlertBook({
		alerts: { all: async () => [settled(0)], write: async () => undefined },
		clock: { ...timer.clock, now: () => epochMs(Date.UTC(2106, 0, 1)), trustedNow: () => null },
		setTimer: timer.setTimer,
		log: silentLog,
	});
	t.is(opened.newestFirst(() => true).length, 1);
	await opened.stop();
});
