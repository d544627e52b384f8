import test from 'ava';
import fc from 'fast-check';

import { ALERT_INSTANTS, createAlertStamps, type StampMarks } from '../../core/alarm/alert-stamps.ts';
import { mergeAlerts, splitUnseen } from '../../core/alarm/alert-merge.ts';
import { createToldUntil } from '../../core/alarm/told-until.ts';
import type { Device } from '../../core/device/device.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { SettleInstant } from '../../core/time/settle.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { type AlarmBox, alarmBox } from '../fake/alarm-box.ts';
import { alertOf } from '../fake/alert.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

const MANAGER = actorOfRole('manager', 'aa000000-0000-4000-8000-000000000001');
const ALL = { skip: 0, limit: 200 };
const LATE_MS = 50 * 365 * 86_400_000;

const later = (at: EpochMs | null): EpochMs => epochMs((at ?? 0) + LATE_MS);

const unknown: SettleInstant = () => null;
const known: SettleInstant = ({ at }) => later(at);

async function meterOf(box: AlarmBox): Promise<Device> {
	const meter = await box.devices.register({ uid: deviceUid('meter-1'), name: 'Meter 1', deviceType: 'meter' });
	const { id: _id, ...rule } = alertRule();
	await box.alarms().addRule(rule, MANAGER);
	return meter;
}

const readingOf = ({ id }: Device, at: number, seq: number, temperature: number): Reading => ({
	...draftOf(id, at, { temperature }),
	origin: GATEWAY,
	epoch: 2,
	firstSeq: seq,
});

test('instants that were stamped without the time are moved when it becomes known, also after a restart, and once', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const meter = await meterOf(box);
	const now = box.clock.now() + 10_000;
	box.time.settle = unknown;
	box.time.nextSeq = 7;
	box.alarms().reading(readingOf(meter, now, 5, 45));
	box.alarms().reading(readingOf(meter, now + 1_000, 6, 20));
	const [raised] = box.alarms().unacknowledged(ALL, MANAGER);
	t.deepEqual(raised?.unsettled, {
		createdAt: { epoch: 2 - 1, seq: 7 },
		raisedAt: { epoch: 2, seq: 5 },
		clearedAt: { epoch: 2, seq: 6 },
	});
	const { after } = await box.alarms().acknowledge(raised?.id ?? '', MANAGER);
	t.truthy(after.unsettled?.acknowledgedAt);
	await box.restart();
	t.deepEqual(box.alarms().findAlert(after.id)?.unsettled, after.unsettled);

	box.time.settle = known;
	box.alarms().settle();
	const moved = box.alarms().findAlert(after.id);
	t.is(moved?.unsettled, undefined);
	for (const instant of ALERT_INSTANTS) t.is(moved?.[instant], later(after[instant]), instant);
	t.true((moved?.revision ?? 0) > after.revision);
	box.alarms().settle();
	t.is(box.alarms().findAlert(after.id), moved);
});

test('an instant whose time is known is that at once, and one that is moved says so when it is stamped', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const meter = await meterOf(box);
	box.time.settle = known;
	const at = box.clock.now() + 10_000;
	box.alarms().reading(readingOf(meter, at, 5, 45));
	const [alert] = box.alarms().unacknowledged(ALL, MANAGER);
	t.is(alert?.unsettled, undefined);
	t.is(alert?.raisedAt, epochMs(at + LATE_MS));
});

test('whatever is stamped and settled in whatever order, each instant is moved exactly once, by its own era', (t) => {
	const mark = fc.record({ epoch: fc.integer({ min: 1, max: 3 }), seq: fc.nat(9) });
	const steps = fc.array(
		fc.oneof(
			fc.record({ instant: fc.constantFrom('raisedAt' as const, 'clearedAt' as const), at: fc.nat(99), mark }),
			fc.record({ known: fc.integer({ min: 1, max: 3 }) }),
		),
		{ maxLength: 20 },
	);
	const property = fc.property(steps, (story) => {
		const knownEpochs = new Set<number>();
		const settle: SettleInstant = ({ epoch, at }) => (knownEpochs.has(epoch) ? epochMs(at + epoch * 1_000) : null);
		const stamps = createAlertStamps({ settle, next: () => ({ epoch: 1, seq: 1 }) });
		let alert = alertOf(1);
		const last = new Map<string, number>();
		for (const step of story) {
			if ('known' in step) knownEpochs.add(step.known);
			else {
				const marks: StampMarks = { [step.instant]: step.mark };
				alert = stamps.stamped({ ...alert, [step.instant]: epochMs(step.at) }, marks);
				last.set(step.instant, step.at + step.mark.epoch * 1_000);
			}
			alert = stamps.settled(alert);
		}
		for (const epoch of [1, 2, 3]) knownEpochs.add(epoch);
		alert = stamps.settled(alert);
		const isMoved = [...last].every(([instant, at]) =>
			Object.entries(alert).some(([k, v]) => k === instant && v === at),
		);
		return isMoved && alert.unsettled === undefined;
	});
	t.notThrows(() => fc.assert(property, { numRuns: 1_000 }));
});

test('a reading that is compared once more is told apart by its place while its time is not known', (t) => {
	const rule = alertRule({ createdAt: epochMs(1_000_000) });
	const signal = (at: number) => ({ rule, deviceId: alertOf(1).deviceId, value: 1, at: epochMs(at) });
	const alert = alertOf(1, { ruleId: rule.id, raisedAt: epochMs(50), unsettled: { raisedAt: { epoch: 2, seq: 5 } } });
	const settled = alertOf(2, { ruleId: rule.id, raisedAt: epochMs(2_000_000) });
	const told = createToldUntil([settled, alert], { settle: unknown }, () => epochMs(100));
	t.true(told(signal(50), { epoch: 2, seq: 5 }));
	t.true(told(signal(99), { epoch: 1, seq: 9 }));
	t.false(told(signal(10), { epoch: 2, seq: 6 }));
	const afterKnown = createToldUntil([settled], { settle: unknown }, () => epochMs(100));
	t.false(afterKnown(signal(50), { epoch: 3, seq: 1 }), 'a boot without the time comes after what has one');
	const never = createToldUntil([], { settle: unknown }, () => epochMs(100));
	t.false(never(signal(50), { epoch: 3, seq: 1 }), 'the rule was made before the clock lost its time');
	const asKnown = createToldUntil([settled], { settle: ({ at }) => at }, () => epochMs(100));
	t.true(asKnown(signal(2_000_000), { epoch: 3, seq: 1 }));
	t.false(asKnown(signal(2_000_001), { epoch: 3, seq: 1 }));
});

test('an acknowledgement of an unknown instant gives way, and the marks of what another box has said go with it', (t) => {
	const marks = { raisedAt: { epoch: 2, seq: 5 }, acknowledgedAt: { epoch: 2, seq: 9 } };
	const mine = alertOf(1, {
		acknowledgedAt: epochMs(1),
		acknowledgedBy: 'a',
		acknowledgedEmail: 'a@x',
		unsettled: marks,
	});
	const theirs = alertOf(1, { acknowledgedAt: epochMs(9), acknowledgedBy: 'b', acknowledgedEmail: 'b@x' });
	const merged = mergeAlerts(mine, theirs);
	t.like(merged, { acknowledgedBy: 'b', acknowledgedEmail: 'b@x', unsettled: { raisedAt: marks.raisedAt } });
	t.is(merged.unsettled?.acknowledgedAt, undefined);
	const counted = { ...merged, occurrences: 3, acknowledgedOccurrences: 1 };
	const [ended, unseen] = splitUnseen(counted, { id: 'unseen', createdAt: epochMs(60) }) ?? [];
	t.deepEqual(ended?.unsettled?.clearedAt, marks.raisedAt, 'it ended when it was raised anew');
	t.is(unseen?.acknowledgedEmail, null);
	t.deepEqual(unseen?.unsettled, { raisedAt: marks.raisedAt });
});
