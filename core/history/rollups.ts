import type { FileLayer } from '../journal/file-layer.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { type Aggregate, createAggregate } from './aggregate.ts';
import type { HourWatcher } from './device-hour.ts';
import type { Dropped, OverflowStep } from './overflow.ts';
import { openDirtyHours } from './rollup-dirty.ts';
import type { RollupPeriod } from './rollup-files.ts';
import type { CounterRuleOf } from './rollup-hour.ts';
import { DAY_MS, LEVEL_FACTS, type RollupLevel } from './rollup-level.ts';
import { createRollupMaker, type RollupMaker } from './rollup-maker.ts';
import { openReceivedHours } from './rollup-received.ts';
import type { GroupRollups, RollupRecord } from './rollup-record.ts';
import { createRollupSearch } from './rollup-search.ts';
import { openRollupStore, type RollupStore } from './rollup-store.ts';

export interface RollupOptions {
	readonly files: FileLayer;
	/** Folder of the rollups alone. */
	readonly folder: string;
	/** Hours, days and months that ended longer ago are dropped. */
	readonly rollupDays: number;
	/** Minutes that ended longer ago are dropped. */
	readonly minuteDays: number;
	readonly clock: Clock;
	readonly log: Logger;
	readonly setTimer: SetTimer;
	/** Told of what has come to its age, after it is gone. Must not throw. Default nothing. */
	readonly dropped?: (what: Dropped) => void;
}

/** What the rollups are made of. */
export interface RollupInput {
	readonly history: Pick<HistoryRepository, 'range' | 'column'>;
	/** First instants of the hours of a device with readings that no chunk holds yet. */
	readonly unsealedHours: (device: DeviceId) => ReadonlySet<number>;
	/** Readings of days before this are dropped. */
	readonly rawFrom: () => EpochMs;
	readonly ruleOf: CounterRuleOf;
	readonly devices: () => readonly DeviceId[];
}

/** Stops before the history does, while `Rollups` stops after it. */
export interface RunningRollups extends Stoppable {
	readonly aggregate: Aggregate;
	/** Sums up what is due now; resolves when it is done. */
	readonly run: () => Promise<void>;
	/** Takes hours that somebody else has summed up. */
	readonly receive: RollupMaker['receive'];
}

export interface Rollups extends Stoppable {
	/** For the history, which may seal before the rollups are begun. */
	readonly watcher: HourWatcher;
	/** Once, when the history is open. */
	readonly begin: (input: RollupInput) => RunningRollups;
	/** What can be given up for its space, in this order: minutes, then hours of points that are no counters. */
	readonly overflow: readonly OverflowStep[];
	/** An hour of a device as it is kept, for somebody who has fewer samples of it; `null` when nothing is. */
	readonly hourOf: (device: DeviceId, hourMs: number) => Promise<KeptHour | null>;
	/** Bytes of all files. */
	readonly bytes: () => number;
}

/** The sums of an hour: a point may have its minutes beside. */
export interface KeptHour {
	readonly hour: RollupRecord;
	/** `null` where no minutes are kept. */
	readonly minutes: RollupRecord | null;
}

/** Slots of a group as a record of their own, without points that have nothing in them; `null`: none has. */
function partOf(
	device: DeviceId,
	group: number,
	slots: readonly number[],
	rollups: GroupRollups | null,
): RollupRecord | null {
	const points = [...(rollups?.points ?? [])].flatMap(([name, { isCounter, slots: all }]) => {
		const own = slots.map((slot) => all[slot] ?? null);
		return own.some((slot) => slot !== null) ? [[name, { isCounter, slots: own }] as const] : [];
	});
	return points.length === 0 ? null : { device, group, slots, isWhole: false, points: new Map(points) };
}

async function keptHour(store: RollupStore, device: DeviceId, hourMs: number): Promise<KeptHour | null> {
	const day = LEVEL_FACTS.day.start(hourMs);
	const hours = await store.read('hour', { device, group: day }, null);
	const hour = partOf(device, day, [LEVEL_FACTS.hour.slotIndex(hourMs)], hours);
	if (hour === null) return null;
	const minutes = await store.read('minute', { device, group: hourMs }, null);
	const all = Array.from({ length: 60 }, (_, minute) => minute);
	return { hour, minutes: partOf(device, hourMs, all, minutes) };
}

/** Sums over minutes, hours, days and months of every point, and the queries that are answered from them (docs/history.md). */
export async function openRollups(options: RollupOptions): Promise<Rollups> {
	const { files, folder, clock, log, setTimer } = options;
	const dirty = await openDirtyHours({ files, folder, clock, log });
	const received = await openReceivedHours({ files, folder, log });
	const store = await openRollupStore({ files, folder, log, onDamage: (from, to) => dirty.addUnknown(from, to) });
	const keptDays: Readonly<Record<RollupLevel, number>> = {
		minute: options.minuteDays,
		hour: options.rollupDays,
		day: options.rollupDays,
		month: options.rollupDays,
	};

	let settle: RollupMaker['settle'] | null = null;

	/** Gives up a period, or all of it but its counters. */
	async function letGo(period: RollupPeriod, reason: Dropped['reason'], isWhole: boolean): Promise<Dropped> {
		const { level, from, to } = period;
		const before = store.bytes(level);
		await (isWhole ? store.drop(period) : store.thin(period));
		return {
			level,
			day: epochMs(from),
			until: epochMs(to),
			bytes: before - store.bytes(level),
			readings: null,
			samples: null,
			reason,
		};
	}

	async function expire(): Promise<void> {
		const periods = store.periods();
		// A clock that is far ahead must not empty the store.
		const now = Math.min(clock.now(), periods.at(-1)?.to ?? 0);
		for (const period of periods) {
			if (period.isThinned || period.to + keptDays[period.level] * DAY_MS >= now) continue;
			log.info('rollups-expired', { level: period.level, period: period.period });
			// What counters have counted is kept for good.
			const what = await letGo(period, 'retention', period.level === 'minute');
			options.dropped?.(what);
		}
	}

	const oldest = (level: RollupLevel): RollupPeriod | undefined =>
		store.periods().find((period) => period.level === level && !period.isThinned && period.to <= clock.now());

	const step = (level: 'minute' | 'hour'): OverflowStep => ({
		name: `${level}-rollups`,
		bytes: () => store.bytes(level),
		async dropOldest(): Promise<Dropped | null> {
			const period = oldest(level);
			return period === undefined ? null : letGo(period, 'thinned', level === 'minute');
		},
	});

	return {
		watcher: {
			touching: (hours) => dirty.touching(hours),
			touched: (hours) => dirty.touched(hours),
			async dropping(day) {
				// While the box starts nothing is summed up: what waits stays for a moment.
				if (settle === null) return [...dirty.quiet(0)].every((waiting) => waiting.day !== day);
				try {
					await settle(day, day + DAY_MS);
					return true;
				} catch (error) {
					log.error('rollups-not-settled', { day, reason: messageOf(error) });
					return false;
				}
			},
		},
		begin({ history, unsealedHours, rawFrom, ruleOf, devices }) {
			const maker = createRollupMaker({
				history,
				dirty,
				store,
				received,
				ruleOf,
				unsealedHours,
				clock,
				log,
				setTimer,
			});
			const search = createRollupSearch({ history, dirty, devices, log });
			settle = (from, to) => maker.settle(from, to);
			maker.onIdle(async () => {
				await expire();
				return search();
			});
			return {
				aggregate: createAggregate({ history, store, dirty, received, unsealedHours, rawFrom, ruleOf, clock }),
				run: () => maker.run(),
				receive: (hours) => maker.receive(hours),
				stop: () => maker.stop(),
			};
		},
		overflow: [step('minute'), step('hour')],
		hourOf: (device, hourMs) => keptHour(store, device, hourMs),
		bytes: () => store.periods().reduce((sum, { bytes }) => sum + bytes, 0),
		async stop() {
			await store.stop();
			await dirty.stop();
			await received.stop();
		},
	};
}
