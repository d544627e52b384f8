import { join } from 'node:path';

import test from 'ava';

import { createAlarmTail } from '../../core/alarm/alarm-tail.ts';
import type { Device } from '../../core/device/device.ts';
import type { JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { type AlarmBox, alarmBox } from '../fake/alarm-box.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

const MANAGER = actorOfRole('manager', 'aa000000-0000-4000-8000-000000000001');
const ALL = { skip: 0, limit: 200 };

const at = (offset: number): JournalPosition => ({ segment: 1, offset });

/** A journal whose every reading is durable, a commit each. */
function memoryJournal() {
	const readings: Reading[] = [];
	return {
		add: (reading: Reading) => void readings.push(reading),
		end: () => at(readings.length),
		async *read(from: JournalPosition): AsyncGenerator<JournalCommit> {
			for (const [index, reading] of readings.entries())
				if (index >= from.offset) yield { at: at(index), next: at(index + 1), readings: [reading] };
		},
	};
}

/** A box with a meter and a rule, whose readings are durable whatever becomes of their alerts. */
async function scene(box: AlarmBox) {
	const journal = memoryJournal();
	const meter: Device = await box.devices.register({
		uid: deviceUid('meter-1'),
		name: 'Meter 1',
		deviceType: 'meter',
	});
	const { id: _id, ...rule } = alertRule();
	await box.alarms().addRule(rule, MANAGER);
	const tail = () =>
		createAlarmTail({ path: join(box.folder, 'alarm-tail.json'), journal, alarms: box.alarms(), log: silentLog });
	let readAt = box.clock.now() + 1_000;
	function read(temperature: number): void {
		readAt += 1_000;
		const draft = draftOf(meter.id, readAt, { temperature });
		const reading: Reading = { ...draft, origin: GATEWAY, epoch: 1, firstSeq: 1 };
		journal.add(reading);
		box.alarms().reading(reading);
	}
	/** The power fails, and comes back. */
	async function restart(): Promise<void> {
		box.disk.refusal = null;
		await box.restart({ isOrderly: false });
		const opened = await tail();
		await opened.replay();
		await opened.stop();
	}
	const opened = await tail();
	await opened.replay();
	return { read, restart, tail: opened };
}

test('an alert that had not reached the disk when the power failed is raised from the journal', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const { read, restart, tail } = await scene(box);
	t.teardown(() => tail.stop());
	box.disk.refusal = 'no power';
	read(45);
	read(20);
	await restart();
	const [alert] = box.alarms().unacknowledged(ALL, MANAGER);
	t.like(alert, { value: '45', occurrences: 1 });
	t.true((alert?.clearedAt ?? 0) > (alert?.raisedAt ?? 0), 'and it has cleared');
	t.is(box.told.length, 2, 'whoever was told is told again');
});

test('what was raised, counted and acknowledged before the power failed is not raised again', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const { read, restart, tail } = await scene(box);
	t.teardown(() => tail.stop());
	for (const temperature of [45, 20, 46, 20]) read(temperature);
	const [alert] = box.alarms().unacknowledged(ALL, MANAGER);
	await box.alarms().acknowledge(alert?.id ?? '', MANAGER);
	await restart();
	t.deepEqual(box.alarms().unacknowledged(ALL, MANAGER), []);
	t.is(box.told.length, 1);
	read(47);
	t.is(box.told.length, 2, 'what comes after is news');
});

test('while an alert waits for the disk, its reading is not left behind', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const { read, restart, tail } = await scene(box);
	box.disk.refusal = 'disk full';
	read(45);
	await tail.stop();
	await restart();
	t.is(box.alarms().unacknowledged(ALL, MANAGER).length, 1);
});

test('readings of before a rule was made raise nothing of it', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const { read, restart, tail } = await scene(box);
	t.teardown(() => tail.stop());
	read(30);
	box.timer.advance(60_000);
	const { id: _id, ...rule } = alertRule({ threshold: 10 });
	await box.alarms().addRule(rule, MANAGER);
	await restart();
	t.deepEqual(box.alarms().unacknowledged(ALL, MANAGER), []);
});
