import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import { EVENT_TYPES, type Reading } from '../telemetry/reading.ts';
import { type Comparable, comparable, holds } from './alert-condition.ts';
import type { AlertRule } from './alert-rule.ts';
import type { Signal } from './alert.ts';

/** What the engine looks at in a reading. */
export type EngineReading = Pick<Reading, 'device' | 'readAt' | 'telemetryType' | 'points' | 'values' | 'qualities'>;

export interface AlertEngineDeps {
	/** Those of the given rules that apply to a device; `null` while the device is not known. */
	readonly applying: (rules: readonly AlertRule[], device: DeviceId) => readonly AlertRule[] | null;
	/** When the alert of this rule on this device was raised, while its condition holds; `null` otherwise. */
	readonly raisedSince: (rule: AlertRule, device: DeviceId) => EpochMs | null;
	/** A condition came to hold, for as long as the rule asks. Must not throw or wait. */
	readonly raised: (signal: Signal) => void;
	/** A condition whose alert was raised holds no longer. */
	readonly cleared: (signal: Signal) => void;
	readonly now: () => EpochMs;
}

/** A rule on a device. Changed in place: it is looked at for each sample. */
interface Watch {
	readonly rule: AlertRule;
	readonly durationMs: number;
	phase: 'clear' | 'pending' | 'raised';
	/** While pending: when the first of the samples that hold was read. */
	since: number;
	/** While pending: whether a gap in the samples has begun the duration anew. */
	isBegunAnew: boolean;
}

/** The rules of one metric on one device. */
interface Watched {
	/** Of the rules it was made from; see `generation`. */
	generation: number;
	/** When the newest sample was read; -Infinity before the first. */
	lastAt: number;
	watches: readonly Watch[];
}

/** A sample this far ahead of the clock was stamped by a clock that was wrong: what is older than it is not late. */
const FUTURE_MS = 60_000;

/** Takes a sample that holds; true when the alert is to be raised now. @param gapMs since the sample before it */
function isRaisedBy(watch: Watch, at: number, gapMs: number): boolean {
	if (watch.phase === 'raised') return false;
	const isGap = watch.phase === 'pending' && !watch.isBegunAnew && gapMs > watch.durationMs;
	if (watch.phase === 'clear' || isGap) {
		watch.phase = 'pending';
		watch.since = at;
		watch.isBegunAnew = isGap;
	}
	if (at - watch.since < watch.durationMs) return false;
	watch.phase = 'raised';
	return true;
}

/** Takes a sample that does not hold; true when that clears an alert. */
function isClearedBy(watch: Watch): boolean {
	const wasRaised = watch.phase === 'raised';
	watch.phase = 'clear';
	watch.isBegunAnew = false;
	return wasRaised;
}

/** The value at this place of a reading; `null` when it is no sample. */
const valueAt = ({ values, qualities }: EngineReading, index: number): Comparable | null =>
	qualities !== null && qualities[index] !== 'good' ? null : comparable(values[index] ?? null);

function byMetricOf(rules: readonly AlertRule[]): ReadonlyMap<string, readonly AlertRule[]> {
	const byMetric = new Map<string, AlertRule[]>();
	for (const rule of rules) {
		const same = byMetric.get(rule.metric);
		if (same === undefined) byMetric.set(rule.metric, [rule]);
		else same.push(rule);
	}
	return byMetric;
}

/**
 * HOT: compares samples with the rules of their metric, on the way of each reading. Time is that of the samples, never the wall clock:
 *
 * - A sample that is not newer than the newest of its metric changes nothing, so repeated and late ones do not.
 * - A value of another quality than good, or one that cannot be compared, is no sample.
 * - A duration needs samples: one that comes later than the whole duration after the one before it proves nothing of the time between, and
 *   begins the duration anew, once. Where samples are always further apart than the duration, the third in a row that holds raises the alert.
 */
export function createAlertEngine({ applying, raisedSince, raised, cleared, now }: AlertEngineDeps) {
	let rulesByMetric: ReadonlyMap<string, readonly AlertRule[]> = new Map();
	const devices = new Map<DeviceId, Map<string, Watched>>();
	/** Counts up when the rules change: what was made of older ones is made anew at its next sample. */
	let generation = 1;

	/** What is pending goes on when its rule is the same; whether an alert stands is not the engine's to remember, it outlives a restart. */
	function watchOf(rule: AlertRule, device: DeviceId, before: readonly Watch[]): Watch {
		const pending = before.find((watch) => watch.rule === rule && watch.phase === 'pending');
		if (pending !== undefined) return pending;
		const phase = raisedSince(rule, device) === null ? 'clear' : 'raised';
		return {
			rule,
			durationMs: rule.durationSeconds * 1_000,
			phase,
			since: Number.NEGATIVE_INFINITY,
			isBegunAnew: false,
		};
	}

	/** Makes or renews the watches of a metric; `null` while the device is not known. */
	function renew(device: DeviceId, metric: string, rules: readonly AlertRule[]): Watched | null {
		const own = applying(rules, device);
		if (own === null) return null;
		let byMetric = devices.get(device);
		if (byMetric === undefined) devices.set(device, (byMetric = new Map()));
		const before = byMetric.get(metric);
		const lastAt =
			before?.lastAt ?? Math.max(...own.map((rule) => raisedSince(rule, device) ?? Number.NEGATIVE_INFINITY));
		const watches = own.map((rule) => watchOf(rule, device, before?.watches ?? []));
		const watched: Watched = { generation, lastAt, watches };
		byMetric.set(metric, watched);
		return watched;
	}

	function watchedOf(device: DeviceId, metric: string, rules: readonly AlertRule[]): Watched | null {
		const known = devices.get(device)?.get(metric);
		return known?.generation === generation ? known : renew(device, metric, rules);
	}

	function isOld(at: EpochMs, lastAt: number): boolean {
		if (at > lastAt) return false;
		return at === lastAt || lastAt <= now() + FUTURE_MS;
	}

	function sample(watched: Watched, device: DeviceId, value: Comparable, at: EpochMs): void {
		const { lastAt, watches } = watched;
		if (isOld(at, lastAt)) return;
		watched.lastAt = at;
		for (const one of watches) {
			// After a clock that was wrong there is no telling since when.
			if (at < lastAt) one.since = at;
			if (holds(one.rule, value, one.phase === 'raised')) {
				if (isRaisedBy(one, at, at - lastAt)) raised({ rule: one.rule, deviceId: device, value, at });
			} else if (isClearedBy(one)) cleared({ rule: one.rule, deviceId: device, value, at });
		}
	}

	return {
		reading: (reading: EngineReading): void => {
			const { device, readAt, telemetryType, points } = reading;
			if (rulesByMetric.size === 0 || EVENT_TYPES.has(telemetryType)) return;
			for (let index = 0; index < points.length; index += 1) {
				const metric = points[index] ?? '';
				const rules = rulesByMetric.get(metric);
				if (rules === undefined) continue;
				const value = valueAt(reading, index);
				const watched = value === null ? null : watchedOf(device, metric, rules);
				if (value !== null && watched !== null) sample(watched, device, value, readAt);
			}
		},
		/** The rules of this box from now on. */
		setRules: (rules: readonly AlertRule[]): void => {
			generation += 1;
			rulesByMetric = byMetricOf(rules.filter(({ isActive }) => isActive));
			for (const byMetric of devices.values())
				for (const metric of byMetric.keys()) if (!rulesByMetric.has(metric)) byMetric.delete(metric);
		},
		/** Another rule may apply to the device now. */
		deviceChanged: (device: DeviceId): void => {
			for (const watched of devices.get(device)?.values() ?? []) watched.generation = 0;
		},
		/** The device is gone. */
		forget: (device: DeviceId): void => void devices.delete(device),
	};
}
