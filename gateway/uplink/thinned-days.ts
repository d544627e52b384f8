import type { DayContents, HourWatcher } from '../../core/history/device-hour.ts';
import type { Dropped } from '../../core/history/overflow.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createRangeSet, type EpochRanges, type RangeSet } from '../../core/ledger/range-set.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';
import type { EpochRange } from './not-journalled.ts';
import type { UplinkStore } from './uplink-store.ts';

/** A day that was dropped here with samples that the hub lacked. */
export interface ThinnedDay {
	/** Tells entries apart: what comes late makes a day anew, which goes as well. */
	readonly id: number;
	/** Start of the UTC day. */
	readonly day: EpochMs;
	/** Bit n: samples of the hour n were among them. */
	readonly hours: number;
	/** Those of which the hub was not told yet that they will not come. */
	readonly ranges: readonly EpochRange[];
	/** Devices that the day had readings of. */
	readonly devices: readonly DeviceId[];
	/** It is dropped; before, a power cut may leave it where it is. */
	readonly isGone: boolean;
	/** The hub has the sums. */
	readonly isTold: boolean;
}

/** Ten years of days. */
const MAX_DAYS = 4_000;
const HOUR_MS = 3_600_000;

export interface HubWord {
	readonly isThere: () => boolean;
	/** Of boots before this one the hub needs nothing. */
	readonly settledBelow: () => number;
	readonly acked: () => readonly EpochRanges[];
}

export const hubWord = (store: Pick<UplinkStore, 'enrolment' | 'settledBelow' | 'acked'>): HubWord => ({
	isThere: () => store.enrolment() !== null,
	settledBelow: store.settledBelow,
	acked: store.acked,
});

export interface ThinnedDaysDeps {
	readonly path: string;
	readonly gatewayId: GatewayId;
	/** The hub's last word, from the settings; there may be no link yet. */
	readonly hub: HubWord;
	readonly log: Logger;
}

/** Days that went before the hub had all of their samples: noted on disk before they go, so that they are declared and their sums are sent. */
export async function openThinnedDays({ path, gatewayId, hub, log }: ThinnedDaysDeps) {
	const settings = await openSettingsStore<{ readonly days: readonly ThinnedDay[] }>({
		path,
		defaults: { days: [] },
		log,
	});
	let days = settings.get().days;
	let heard: (() => void) | null = null;

	/** On a full disk it is written when the day has gone, or with the next change. */
	async function save(): Promise<void> {
		await settings
			.update(() => ({ days }))
			.catch((error: unknown) => log.warn('thinned-days-not-saved', { path, reason: messageOf(error) }));
	}

	function ackedSets(): ReadonlyMap<number, RangeSet> {
		return new Map(hub.acked().map(({ epoch, ranges }) => [epoch, createRangeSet(ranges)]));
	}

	async function dropping(day: EpochMs, contents: DayContents): Promise<void> {
		if (!hub.isThere()) return;
		const below = hub.settledBelow();
		const found = await contents.numbers((origin, epoch) => origin === gatewayId && epoch >= below);
		const acked = ackedSets();
		let hours = 0;
		const ranges: EpochRange[] = [];
		for (const { hour, ranges: numbers } of found)
			for (const { epoch, first, last } of numbers)
				for (const part of acked.get(epoch)?.missing(first, last) ?? [{ first, last }]) {
					hours |= 1 << Math.floor((hour - day) / HOUR_MS);
					ranges.push({ epoch, first: part.first, last: part.last });
				}
		if (ranges.length === 0) return;
		const id = 1 + days.reduce((highest, one) => Math.max(highest, one.id), 0);
		const noted = { id, day, hours, ranges, devices: await contents.devices(), isGone: false, isTold: false };
		days = [...days.filter((one) => one.isGone || one.day !== day), noted].slice(-MAX_DAYS);
		await save();
	}

	const watcher: HourWatcher = {
		touching: async () => undefined,
		touched: () => undefined,
		async dropping(day, contents) {
			await dropping(day, contents).catch((error: unknown) =>
				log.error('thinned-day-not-noted', { day, reason: messageOf(error) }),
			);
			return true;
		},
	};

	return {
		watcher,
		/** Told of what the history has let go. */
		dropped({ level, day }: Dropped): void {
			if (level !== 'raw' || !days.some((one) => one.day === day && !one.isGone)) return;
			days = days.map((one) => (one.day === day && !one.isGone ? { ...one, isGone: true } : one));
			heard?.();
		},
		days: () => days,
		/** Settles what the last start left: a day that was noted and is still there will be noted again. */
		async settle(oldestDay: EpochMs | null): Promise<void> {
			if (days.every(({ isGone }) => isGone)) return;
			days = days.flatMap((one) => {
				if (one.isGone) return one;
				return oldestDay !== null && oldestDay <= one.day ? [] : { ...one, isGone: true };
			});
			await save();
		},
		/** Called whenever a day that was noted has gone. */
		onDropped(hears: () => void): void {
			heard = hears;
		},
		/** Changes an entry. One of which the hub knows everything is forgotten. */
		async change({ id }: ThinnedDay, change: Partial<Pick<ThinnedDay, 'ranges' | 'isTold'>>): Promise<void> {
			const at = days.findIndex((one) => one.id === id);
			const before = days[at];
			if (before === undefined) return;
			const changed = { ...before, ...change };
			days = days.toSpliced(at, 1, ...(changed.isTold && changed.ranges.length === 0 ? [] : [changed]));
			await save();
		},
	};
}

export type ThinnedDays = Awaited<ReturnType<typeof openThinnedDays>>;
