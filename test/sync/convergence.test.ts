import test from 'ava';
import fc from 'fast-check';

import { mergeAlerts, splitUnseen } from '../../core/alarm/alert-merge.ts';
import { mergeRules } from '../../core/alarm/alert-rule-merge.ts';
import type { AlertRule } from '../../core/alarm/alert-rule.ts';
import type { Alert } from '../../core/alarm/alert.ts';
import { edited, editOf, mergeDevice } from '../../core/device/device-edits.ts';
import type { Device } from '../../core/device/device.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import {
	areConcurrent,
	canonicalText,
	isOverruled,
	joinVersions,
	nextVersion,
	NO_VERSION,
	revisionOf,
	type Version,
} from '../../core/sync/version.ts';
import { alertOf } from '../fake/alert.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { deviceOf, GATEWAY, HUB } from '../fake/device-box.ts';

const BOXES = [GATEWAY, HUB] as const;

/** What happens to a record that two boxes have: a change at one of them, or that one hears a state of the other, however old it is. */
type Step =
	| { readonly kind: 'change'; readonly at: 0 | 1; readonly value: number }
	| { readonly kind: 'hear'; readonly at: 0 | 1; readonly age: number };

const box = fc.constantFrom<0 | 1>(0, 1);
const steps = fc.array(
	fc.oneof(
		fc.record({ kind: fc.constant('change' as const), at: box, value: fc.nat(20) }),
		fc.record({ kind: fc.constant('hear' as const), at: box, age: fc.nat(6) }),
	),
	{ maxLength: 40 },
);

/** Plays the steps and then lets both hear the other's last word. Answers the two states. */
function play<T>(
	start: T,
	story: readonly Step[],
	change: (state: T, at: 0 | 1, value: number) => T,
	merge: (mine: T, theirs: T, at: 0 | 1) => T,
): readonly [T, T] {
	const histories: readonly [T[], T[]] = [[start], [start]];
	const last = (at: 0 | 1): T => histories[at].at(-1) ?? start;
	for (const step of story) {
		const other = step.at === 0 ? 1 : 0;
		const next =
			step.kind === 'change'
				? change(last(step.at), step.at, step.value)
				: merge(last(step.at), histories[other].at(-1 - step.age) ?? start, step.at);
		histories[step.at].push(next);
	}
	// The link is up again: each hears until nothing is new.
	for (let round = 0; round < 3; round += 1)
		for (const at of [0, 1] as const) histories[at].push(merge(last(at), last(at === 0 ? 1 : 0), at));
	return [last(0), last(1)];
}

const RULE = alertRule({ version: { [GATEWAY]: 1 } });

const changeRule = (rule: AlertRule, at: 0 | 1, value: number): AlertRule => {
	const version = nextVersion(rule.version, BOXES[at]);
	const deletedAt = value === 0 ? epochMs(1) : null;
	return { ...rule, threshold: value, deletedAt, version, revision: revisionOf(version) };
};

test('a rule is the same on both sides after any story of changes, cuts and repetitions', (t) => {
	const property = fc.property(steps, (story) => {
		const [gateway, hub] = play(RULE, story, changeRule, (mine, theirs) => mergeRules(mine, theirs).rule);
		return canonicalText(gateway) === canonicalText(hub);
	});
	t.notThrows(() => fc.assert(property, { numRuns: 2_000 }));
});

test('a change that knew of the other always counts, whatever the clocks say, and takes a higher revision', (t) => {
	const property = fc.property(steps, box, fc.integer({ min: 1, max: 99 }), (story, at, value) => {
		const states = play(RULE, story, changeRule, (mine, theirs) => mergeRules(mine, theirs).rule);
		const changed = changeRule(states[at], at, value);
		const { rule, loser } = mergeRules(states[at === 0 ? 1 : 0], changed);
		return rule.threshold === value && loser === null && rule.revision > states[at].revision;
	});
	t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test('of two changes that knew nothing of each other one is named as the loser, on both sides the same', (t) => {
	const one = changeRule(RULE, 0, 7);
	const other = changeRule(RULE, 1, 8);
	const [here, there] = [mergeRules(one, other), mergeRules(other, one)];
	t.is(here.rule.threshold, there.rule.threshold);
	t.is(here.loser?.threshold, there.loser?.threshold);
	t.not(here.loser?.threshold, here.rule.threshold);
	t.is(mergeRules(here.rule, one).rule, here.rule, 'repeated, it is nothing new');
});

const NOTHING = () => ({ mine: 0, theirs: 0 });

test('versions are joined in any order and any grouping', (t) => {
	const version = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(5));
	const property = fc.property(version, version, version, (one: Version, two: Version, three: Version) => {
		const left = joinVersions(joinVersions(one, two), three);
		const right = joinVersions(one, joinVersions(three, two));
		const isAntisymmetric = !(isOverruled(one, two, NOTHING) && isOverruled(two, one, NOTHING));
		return canonicalText(left) === canonicalText(right) && isAntisymmetric && !areConcurrent(left, one);
	});
	t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test('a writer that is the ninth lets the oldest be forgotten', (t) => {
	let version = NO_VERSION;
	for (let writer = 0; writer < 12; writer += 1) version = nextVersion(version, `box-${writer}`);
	t.is(Object.keys(version).length, 8);
	t.is(version['box-11'], 12);
	t.is(version['box-0'], undefined);
});

/** The gateway raises and clears, either side acknowledges. */
function changeAlert(alert: Alert, at: 0 | 1, value: number): Alert {
	const revision = alert.revision + 1;
	if (value > 12 && alert.acknowledgedAt === null)
		return {
			...alert,
			acknowledgedAt: epochMs(value),
			acknowledgedBy: `user-${at}`,
			acknowledgedOccurrences: alert.occurrences,
		};
	if (at === 1) return alert;
	if (alert.clearedAt === null) return { ...alert, clearedAt: epochMs(1_000 + value), revision };
	if (alert.acknowledgedAt !== null) return alert;
	return { ...alert, clearedAt: null, occurrences: alert.occurrences + 1, raisedAt: epochMs(2_000), revision };
}

test('an alert is the same on both sides after any story, and an acknowledgement is never lost', (t) => {
	const property = fc.property(steps, (story) => {
		let acknowledged = false;
		const [gateway, hub] = play(
			alertOf(1),
			story,
			(alert, at, value) => {
				const changed = changeAlert(alert, at, value);
				acknowledged ||= changed.acknowledgedAt !== null;
				return changed;
			},
			mergeAlerts,
		);
		return canonicalText(gateway) === canonicalText(hub) && (gateway.acknowledgedAt !== null) === acknowledged;
	});
	t.notThrows(() => fc.assert(property, { numRuns: 2_000 }));
});

test('the earlier of two acknowledgements counts, and of equal ones the same on both sides', (t) => {
	const early = { ...alertOf(1), acknowledgedAt: epochMs(5), acknowledgedBy: 'a', acknowledgedOccurrences: 1 };
	const late = { ...alertOf(1), acknowledgedAt: epochMs(9), acknowledgedBy: 'b', acknowledgedOccurrences: 1 };
	t.is(mergeAlerts(early, late).acknowledgedBy, 'a');
	t.is(mergeAlerts(late, early).acknowledgedBy, 'a');
	const same = { ...late, acknowledgedAt: epochMs(5) };
	t.is(mergeAlerts(early, same).acknowledgedBy, mergeAlerts(same, early).acknowledgedBy);
});

test('an alert that came again before its acknowledgement arrived ends, and what nobody has seen is one of its own', (t) => {
	const again = { ...alertOf(1), occurrences: 3, raisedAt: epochMs(50), revision: 5 };
	const acknowledged = { ...alertOf(1), acknowledgedAt: epochMs(9), acknowledgedBy: 'b', acknowledgedOccurrences: 1 };
	const merged = mergeAlerts(again, acknowledged);
	const split = splitUnseen(merged, { id: 'unseen', createdAt: epochMs(60) });
	t.like(split?.[0], { occurrences: 1, clearedAt: epochMs(50), acknowledgedBy: 'b', revision: 6 });
	t.like(split?.[1], { id: 'unseen', occurrences: 2, clearedAt: null, acknowledgedAt: null });
	t.is(splitUnseen({ ...merged, occurrences: 1 }, { id: 'unseen', createdAt: epochMs(60) }), null);
});

const FIELDS = ['name', 'deviceType', 'groupId'] as const;

function changeDevice(device: Device, at: 0 | 1, value: number): Device {
	const field = FIELDS[value % FIELDS.length] ?? 'name';
	return { ...edited(device, { [field]: `${value}` }, BOXES[at], at === 1), revision: device.revision + 1 };
}

const shown = ({ name, deviceType, groupId, edits }: Device) => ({ name, deviceType, groupId, edits });

test('the shared fields of a device are the same on both sides after any story', (t) => {
	const property = fc.property(steps, (story) => {
		const [gateway, hub] = play(deviceOf(1, 'meter-1'), story, changeDevice, (mine, theirs, at) =>
			// The gateway's word counts: at the hub it is the document that arrives.
			at === 0 ? mergeDevice(mine, editOf(theirs)) : mergeDevice(theirs, editOf(mine)),
		);
		return canonicalText(shown(gateway)) === canonicalText(shown(hub));
	});
	t.notThrows(() => fc.assert(property, { numRuns: 2_000 }));
});
