import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import type { NewAlertRule } from '../../core/alarm/alert-rule.ts';
import { isOpen } from '../../core/alarm/alert.ts';
import type { Device } from '../../core/device/device.ts';
import type { Actor } from '../../core/identity/role.ts';
import { DEFAULT_TENANT, deviceUid, tenantId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { type AlarmBox, alarmBox } from '../fake/alarm-box.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

const NOW = Date.UTC(2026, 0, 1);
const MANAGER = actorOfRole('manager', 'aa000000-0000-4000-8000-000000000001');
const ELSEWHERE: Actor = { ...MANAGER, tenantId: tenantId('7e000000-0000-4000-8000-000000000001') };
const GROUP = 'bb000000-0000-4000-8000-000000000001';
const ALL = { skip: 0, limit: 200 };

const wanted = (changes: Partial<NewAlertRule> = {}): NewAlertRule => {
	const { id: _id, tenantId: _tenant, createdAt: _at, ...rule } = alertRule(changes);
	return rule;
};

const registered = (box: AlarmBox, uid: string, changes: Partial<Device> = {}): Promise<Device> =>
	box.devices.register({
		uid: deviceUid(uid),
		name: 'Meter 1',
		deviceType: 'meter',
		groupId: changes.groupId ?? null,
		tenantId: changes.tenantId ?? DEFAULT_TENANT,
		ownerId: changes.ownerId ?? null,
	});

function read(box: AlarmBox, device: Device, at: number, temperature: number): void {
	const reading: Reading = { ...draftOf(device.id, NOW + at, { temperature }), origin: GATEWAY, epoch: 1, firstSeq: 1 };
	box.alarms().reading(reading);
}

/** Lets what was begun reach the disk. */
async function settled(box: AlarmBox): Promise<void> {
	box.timer.advance(0);
	const deadline = performance.now() + 5_000;
	while (box.writes.length === 0 && performance.now() < deadline) await nextTurn();
}

test('an alert says what happened, is told at once and is on disk at once', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const meter = await registered(box, 'meter-1');
	const rule = await box.alarms().addRule(wanted({ severity: 'critical' }), MANAGER);
	read(box, meter, 1_000, Math.fround(43.2));
	t.is(box.told.length, 1);
	t.like(box.told[0], {
		ruleId: rule.id,
		deviceId: meter.id,
		severity: 'critical',
		message: 'Meter 1 (meter-1): temperature 43.2 is above 40',
		occurrences: 1,
		raisedAt: NOW + 1_000,
		clearedAt: null,
	});
	await settled(box);
	await box.restart({ isOrderly: false });
	t.deepEqual(box.alarms().unacknowledged(ALL, MANAGER), box.told);
	read(box, meter, 2_000, 45);
	t.is(box.told.length, 1, 'it is not raised a second time after the restart');
	t.is(box.alarms().activeAlerts(), 1);
});

test('a value that comes and goes is one alert until somebody acknowledges, then a new one', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const meter = await registered(box, 'meter-1');
	await box.alarms().addRule(wanted(), MANAGER);
	for (const [index, value] of [41, 30, 42, 30, 43].entries()) read(box, meter, index * 1_000, value);
	const [alert] = box.alarms().unacknowledged(ALL, MANAGER);
	t.like(alert, { occurrences: 3, value: '43', clearedAt: null, raisedAt: NOW + 4_000 });
	t.is(box.told.length, 1);
	const { before, after } = await box.alarms().acknowledge(alert?.id ?? '', MANAGER);
	t.is(before.acknowledgedAt, null);
	t.like(after, { acknowledgedBy: MANAGER.userId, occurrences: 3 });
	t.deepEqual(box.alarms().unacknowledged(ALL, MANAGER), []);
	read(box, meter, 5_000, 44);
	t.is(box.told.length, 1, 'the condition still holds: that is known');
	read(box, meter, 6_000, 30);
	read(box, meter, 7_000, 44);
	t.is(box.told.length, 2);
	await t.throwsAsync(box.alarms().acknowledge(alert?.id ?? '', MANAGER), { message: /already acknowledged/ });
});

test('an acknowledgement survives a power cut, and one that the disk refuses is none', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const meter = await registered(box, 'meter-1');
	await box.alarms().addRule(wanted(), MANAGER);
	read(box, meter, 0, 50);
	const id = box.told[0]?.id ?? '';
	box.disk.refusal = 'no space left on device';
	await t.throwsAsync(box.alarms().acknowledge(id, MANAGER), { message: /no space left/ });
	t.is(box.alarms().activeAlerts(), 1);
	box.disk.refusal = null;
	await box.alarms().acknowledge(id, MANAGER);
	await box.restart({ isOrderly: false });
	t.is(box.alarms().activeAlerts(), 0);
});

test('a disk that refuses is logged and tried again until it takes the alert', async (t) => {
	const logged: string[] = [];
	const box = await alarmBox({ ...silentLog, error: (event) => void logged.push(event) });
	t.teardown(box.close);
	const meter = await registered(box, 'meter-1');
	await box.alarms().addRule(wanted(), MANAGER);
	box.disk.refusal = 'no space left on device';
	read(box, meter, 0, 50);
	for (let attempt = 0; attempt < 3; attempt += 1) {
		box.timer.advance(60_000);
		for (let turn = 0; turn < 20; turn += 1) await nextTurn();
	}
	t.true(logged.length >= 2);
	t.true(logged.every((event) => event === 'alerts-not-stored'));
	t.deepEqual(box.writes, []);
	box.disk.refusal = null;
	box.timer.advance(60_000);
	await settled(box);
	t.deepEqual(box.writes, [[...box.told]]);
});

test('a rule watches its tenant, its group, its device', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const grouped = await registered(box, 'grouped', { groupId: GROUP });
	const single = await registered(box, 'single');
	const foreign = await registered(box, 'foreign', { tenantId: ELSEWHERE.tenantId });
	await box.alarms().addRule(wanted({ name: 'group', groupId: GROUP }), MANAGER);
	await box.alarms().addRule(wanted({ name: 'device', deviceId: single.id }), MANAGER);
	await box.alarms().addRule(wanted({ name: 'tenant', threshold: 100 }), ELSEWHERE);
	for (const device of [grouped, single, foreign]) read(box, device, 0, 50);
	t.deepEqual(
		box.told.map(({ deviceId }) => deviceId),
		[grouped.id, single.id],
	);
	read(box, foreign, 1_000, 101);
	t.is(box.told.at(-1)?.tenantId, ELSEWHERE.tenantId);
	t.is(box.alarms().unacknowledged(ALL, MANAGER).length, 2);
	t.is(box.alarms().activeAlerts(ELSEWHERE), 1);
	t.is(box.alarms().activeAlerts(), 3);
	t.throws(() => box.alarms().rule(box.told[0]?.ruleId ?? '', ELSEWHERE), { message: /does not exist/ });
	await t.throwsAsync(box.alarms().acknowledge(box.told[0]?.id ?? '', ELSEWHERE), { message: /does not exist/ });
	await t.throwsAsync(box.alarms().addRule(wanted({ deviceId: foreign.id }), MANAGER), { message: /^device_id: / });
});

test('what ends the watching ends the alert: another group, a deleted device, a rule that is off, changed or gone', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const rule = await box.alarms().addRule(wanted({ groupId: GROUP }), MANAGER);
	const [moved, deleted, third] = await Promise.all(
		['moved', 'deleted', 'third'].map((uid) => registered(box, uid, { groupId: GROUP })),
	);
	if (moved === undefined || deleted === undefined || third === undefined) throw new Error('not registered');
	const clearedOf = ({ id }: Device) =>
		box
			.alarms()
			.unacknowledged(ALL, MANAGER)
			.find(({ deviceId }) => deviceId === id)?.clearedAt !== null;
	for (const device of [moved, deleted, third]) read(box, device, 0, 50);
	t.is(box.told.length, 3);
	await box.devices.patch('moved', { groupId: null });
	await box.devices.remove('deleted');
	t.deepEqual([moved, deleted, third].map(clearedOf), [true, true, false]);
	read(box, moved, 1_000, 60);
	t.is(box.told.length, 3);
	await box.alarms().changeRule(rule.id, { name: 'another name' }, MANAGER);
	t.false(clearedOf(third), 'the same question under another name');
	await box.alarms().changeRule(rule.id, { isActive: false }, MANAGER);
	t.true(clearedOf(third));
	await box.alarms().changeRule(rule.id, { isActive: true }, MANAGER);
	read(box, third, 2_000, 50);
	t.false(clearedOf(third));
	await box.alarms().changeRule(rule.id, { threshold: 60 }, MANAGER);
	t.true(clearedOf(third));
	read(box, third, 3_000, 61);
	t.false(clearedOf(third));
	await box.alarms().removeRule(rule.id, MANAGER);
	t.true(clearedOf(third));
	read(box, third, 4_000, 70);
	t.is(box.told.length, 3, 'nobody acknowledged, so these were all one alert each');
	t.true(box.alarms().unacknowledged(ALL, MANAGER).every(isOpen));
});

test('lists are newest first and in pages, and rules are limited', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const meter = await registered(box, 'meter-1');
	for (let number = 0; number < 5; number += 1) {
		box.timer.advance(1_000);
		await box.alarms().addRule(wanted({ name: `rule ${number}`, threshold: number }), MANAGER);
	}
	t.deepEqual(
		box
			.alarms()
			.rules({ skip: 1, limit: 2 }, MANAGER)
			.map(({ name }) => name),
		['rule 3', 'rule 2'],
	);
	for (let value = 1; value <= 5; value += 1) {
		box.timer.advance(1_000);
		read(box, meter, value, value);
	}
	t.deepEqual(
		box
			.alarms()
			.unacknowledged({ skip: 1, limit: 2 }, MANAGER)
			.map(({ value }) => value),
		['4', '3'],
	);
});

test('a user sees, counts and acknowledges alerts of its own devices only, whatever it was granted', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const user = actorOfRole('user', 'aa000000-0000-4000-8000-000000000002');
	const [own, other] = [
		await registered(box, 'meter-1', { ownerId: user.userId }),
		await registered(box, 'meter-2', { ownerId: MANAGER.userId }),
	];
	await box.alarms().addRule(wanted(), MANAGER);
	read(box, own, 1_000, 43);
	read(box, other, 1_000, 43);
	t.deepEqual(
		box
			.alarms()
			.unacknowledged(ALL, user)
			.map(({ deviceId: id }) => id),
		[own.id],
	);
	t.is(box.alarms().activeAlerts(user), 1);
	const foreign = box
		.alarms()
		.unacknowledged(ALL, MANAGER)
		.find(({ deviceId: id }) => id === other.id);
	await t.throwsAsync(box.alarms().acknowledge(foreign?.id ?? '', user), { message: /does not exist/ });
});
