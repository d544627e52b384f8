import { setImmediate as nextTurn } from 'node:timers/promises';

import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { EMPTY_ROLLUP, goodCount, mergeRollups, type Rollup } from './rollup.ts';
import type { PointRollups } from './rollup-codec.ts';
import type { DirtyHours } from './rollup-dirty.ts';
import type { DayHours } from './rollup-dirty-log.ts';
import { type CounterRuleOf, type HourRollups, sumUpHour } from './rollup-hour.ts';
import { DAY_MS, HOUR_MS, LEVEL_FACTS, type RollupLevel } from './rollup-level.ts';
import type { ReceivedHours } from './rollup-received.ts';
import type { GroupRollups } from './rollup-record.ts';
import type { RollupStore } from './rollup-store.ts';

/** An hour is summed up when it has been over for so long, and nothing came for it for so long. */
const SETTLED_AFTER_MS = 5 * 60_000;
const QUIET_MS = 2 * 60_000;
const TURN_EVERY_MS = 30_000;
/** Hours summed up before they are made durable together. */
const HOURS_PER_TURN = 48;
const MINUTES = Array.from({ length: 60 }, (_, minute) => minute);

export interface RollupMakerDeps {
	readonly history: Pick<HistoryRepository, 'range'>;
	readonly dirty: DirtyHours;
	readonly store: RollupStore;
	readonly received: ReceivedHours;
	readonly ruleOf: CounterRuleOf;
	/** Hours with readings that no chunk holds yet: they are summed up when they are sealed. */
	readonly unsealedHours: (device: DeviceId) => ReadonlySet<number>;
	readonly clock: Clock;
	readonly log: Logger;
	readonly setTimer: SetTimer;
}

/** Sums up hours whose readings have changed, in the background: from readings always, and days and months from hours. */
export interface RollupMaker extends Stoppable {
	/** Sums up what is due; resolves when nothing is any more. */
	run(): Promise<void>;
	/** Sums up every hour of a time that is in the list and not just being written, due or not. */
	settle(from: number, to: number): Promise<void>;
	/**
	 * Takes hours that somebody else has summed up: each where it is made of more samples than are known of here, and in the place of what is known.
	 * Durable when it resolves. Answers how many were taken.
	 */
	receive(hours: readonly ReceivedHour[]): Promise<number>;
	/** Calls back when nothing is due, again at once while it answers that it has more to do. */
	onIdle(task: () => Promise<boolean>): void;
}

/** An hour of a device as somebody else has summed it up. */
export interface ReceivedHour extends HourRollups {
	readonly device: DeviceId;
	/** First instant of the hour, UTC. */
	readonly hourMs: number;
}

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const bits = (hours: number): readonly number[] => HOURS.filter((hour) => (hours & (1 << hour)) !== 0);
const bitsOf = (hours: readonly number[]): number => hours.reduce((all, hour) => all | (1 << hour), 0);

/** Samples that were summed up in an hour of a day. */
function samplesIn(day: GroupRollups | null, hour: number): number {
	let samples = 0;
	for (const { slots } of day?.points.values() ?? []) {
		const rollup = slots[hour];
		if (rollup) samples += goodCount(rollup) + rollup.bad;
	}
	return samples;
}

/** The hours' rollups by point. */
function columnsOf(hours: readonly HourRollups[]): ReadonlyMap<string, PointRollups> {
	const points = new Map<string, { readonly isCounter: boolean; readonly slots: (Rollup | null)[] }>();
	for (const [index, { hour }] of hours.entries())
		for (const [name, { isCounter, rollup }] of hour) {
			const slots = points.get(name)?.slots ?? hours.map(() => null);
			points.set(name, { isCounter, slots });
			slots[index] = rollup;
		}
	return points;
}

export function createRollupMaker(deps: RollupMakerDeps): RollupMaker {
	const { history, dirty, store, received, ruleOf, unsealedHours, clock, log, setTimer } = deps;
	/** Days with hours that cannot be summed up; tried again after the next start. */
	const givenUp = new Map<string, number>();
	let cancelTimer: (() => void) | null = null;
	let running: Promise<void> | null = null;
	let idleTask: (() => Promise<boolean>) | null = null;
	const stopping = new AbortController();
	/** Two at a time would each take the other's hours for done. */
	const gate = createGate({ what: 'summing up', parallel: 1, waiting: 100 });

	const isOver = (level: RollupLevel, group: number): boolean => LEVEL_FACTS[level].groupEnd(group) <= clock.now();

	function dueOf({ device, day, hours }: DayHours): DayHours | null {
		const unsealed = unsealedHours(device);
		const lost = givenUp.get(`${device}${day}`) ?? 0;
		const due = bits(hours & ~lost).filter((hour) => {
			const hourMs = day + hour * HOUR_MS;
			return hourMs + HOUR_MS + SETTLED_AFTER_MS <= clock.now() && !unsealed.has(hourMs);
		});
		return due.length === 0 ? null : { device, day, hours: bitsOf(due) };
	}

	/** The first days that are due, oldest note first, with so many hours together. */
	function nextDays(): readonly DayHours[] {
		const days: DayHours[] = [];
		let hours = 0;
		for (const entry of dirty.quiet(QUIET_MS)) {
			const due = dueOf(entry);
			if (due === null) continue;
			days.push(due);
			hours += bits(due.hours).length;
			if (hours >= HOURS_PER_TURN) break;
		}
		return days;
	}

	async function writeMinutes(device: DeviceId, hourMs: number, { minutes }: HourRollups): Promise<void> {
		const key = { device, group: hourMs };
		if (minutes === null && (await store.read('minute', key, new Set())) === null) return;
		await store.write('minute', { ...key, slots: MINUTES, points: minutes ?? new Map() }, true);
	}

	/** Hours whose readings are not all there any more keep the rollups that they have. */
	async function writeHours(device: DeviceId, day: number, hours: readonly number[]): Promise<void> {
		const before = await store.read('hour', { device, group: day }, null);
		const slots: number[] = [];
		const sums: HourRollups[] = [];
		for (const hour of hours) {
			const hourMs = day + hour * HOUR_MS;
			const sum = await sumUpHour(history, device, hourMs, ruleOf);
			if (sum === null) throw new RangeError('more points than can be summed up');
			if (sum.samples < samplesIn(before, hour)) {
				log.warn('rollups-not-renewed', {
					device,
					hour: hourMs,
					samples: sum.samples,
					before: samplesIn(before, hour),
				});
				continue;
			}
			await writeMinutes(device, hourMs, sum);
			slots.push(hour);
			sums.push(sum);
		}
		if (slots.length === 0) return;
		await store.write('hour', { device, group: day, slots, points: columnsOf(sums) }, isOver('hour', day));
		await received.remove([{ device, day, hours: bitsOf(slots) }]);
	}

	/** Samples that are known of an hour here, summed up or not. */
	async function samplesHere(device: DeviceId, hourMs: number, day: number, hour: number): Promise<number> {
		const summedUp = samplesIn(await store.read('hour', { device, group: day }, null), hour);
		const isSure = (dirty.of(device, day) & (1 << hour)) === 0 && !unsealedHours(device).has(hourMs);
		if (isSure) return summedUp;
		const sum = await sumUpHour(history, device, hourMs, ruleOf);
		return sum === null ? Number.POSITIVE_INFINITY : Math.max(summedUp, sum.samples);
	}

	/** Answers the day and hour that was taken; `null` where more is known here, or only counters are kept. */
	async function takeHour(other: ReceivedHour): Promise<DayHours | null> {
		const { device, hourMs, samples } = other;
		const day = LEVEL_FACTS.day.start(hourMs);
		const hour = LEVEL_FACTS.hour.slotIndex(hourMs);
		if (store.isThinned(day) || (await samplesHere(device, hourMs, day, hour)) >= samples) return null;
		await writeMinutes(device, hourMs, other);
		const draft = { device, group: day, slots: [hour], points: columnsOf([other]) };
		await store.write('hour', draft, isOver('hour', day));
		return { device, day, hours: 1 << hour };
	}

	async function takeHours(hours: readonly ReceivedHour[]): Promise<number> {
		const taken: DayHours[] = [];
		for (const hour of hours) {
			const one = await takeHour(hour);
			if (one !== null) taken.push(one);
			await nextTurn();
		}
		const days = new Map(taken.map((one) => [`${one.device}${one.day}`, one]));
		for (const { device, day } of days.values()) await writeSum('day', 'hour', device, day);
		const months = new Map(taken.map((one) => [`${one.device}${LEVEL_FACTS.month.start(one.day)}`, one]));
		for (const { device, day } of months.values()) await writeSum('month', 'day', device, LEVEL_FACTS.month.start(day));
		await store.sync();
		await received.add(taken);
		return taken.length;
	}

	/** Sums up a slot of a level from all slots of the level below. */
	async function writeSum(level: 'day' | 'month', from: 'hour' | 'day', device: DeviceId, atMs: number): Promise<void> {
		const parts = await store.read(from, { device, group: atMs }, null);
		const points = new Map<string, PointRollups>();
		for (const [name, { isCounter, slots }] of parts?.points ?? []) {
			const rule = ruleOf(device, name);
			let sum = EMPTY_ROLLUP;
			for (const slot of slots) if (slot !== null) sum = mergeRollups(sum, slot, rule);
			points.set(name, { isCounter, slots: [sum] });
		}
		const facts = LEVEL_FACTS[level];
		const group = facts.groupStart(atMs);
		await store.write(level, { device, group, slots: [facts.slotIndex(atMs)], points }, isOver(level, group));
	}

	/** Answers what was summed up. */
	async function sumUpDay(entry: DayHours): Promise<DayHours> {
		const { device, day, hours } = entry;
		if (store.isThinned(day)) {
			log.warn('rollups-not-renewed', { device, day, reason: 'only counters are left of its hours' });
			return entry;
		}
		try {
			await writeHours(device, day, bits(hours));
			await writeSum('day', 'hour', device, day);
			return entry;
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
			givenUp.set(`${device}${day}`, hours);
			log.warn('rollups-given-up', { device, day, reason: error.message });
			return { ...entry, hours: 0 };
		}
	}

	async function sumUp(days: readonly DayHours[]): Promise<void> {
		dirty.begin(days);
		const done: DayHours[] = [];
		const months = new Map<string, { readonly device: DeviceId; readonly monthMs: number }>();
		for (const entry of days) {
			done.push(await sumUpDay(entry));
			const monthMs = LEVEL_FACTS.month.start(entry.day);
			months.set(`${entry.device}${monthMs}`, { device: entry.device, monthMs });
			await nextTurn();
		}
		for (const { device, monthMs } of months.values()) await writeSum('month', 'day', device, monthMs);
		await store.sync();
		await dirty.done(done);
	}

	async function runAll(): Promise<void> {
		let hasMore = true;
		while (hasMore && !stopping.signal.aborted) {
			const days = nextDays();
			if (days.length > 0) await gate.run(() => sumUp(days));
			else hasMore = (await idleTask?.()) === true;
		}
	}

	function run(): Promise<void> {
		running ??= runAll()
			.catch((error: unknown) => log.error('rollups-failed', { reason: messageOf(error) }))
			.finally(() => {
				running = null;
			});
		return running;
	}

	function tick(): void {
		void run();
		if (!stopping.signal.aborted) cancelTimer = setTimer(tick, TURN_EVERY_MS);
	}

	cancelTimer = setTimer(tick, TURN_EVERY_MS);
	return {
		run,
		async settle(from, to) {
			const days = [...dirty.quiet(0)].filter(({ day }) => day < to && day + DAY_MS > from);
			for (const day of days) await gate.run(() => sumUp([day]));
		},
		receive: (hours) => gate.run(() => takeHours(hours)),
		onIdle(task) {
			idleTask = task;
		},
		async stop() {
			stopping.abort();
			cancelTimer?.();
			await running;
		},
	};
}
