import { join } from 'node:path';

import type { FileLayer } from '../journal/file-layer.ts';
import type { Clock, EpochMs } from '../kernel/clock.ts';
import { createGate } from '../kernel/gate.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createRangeSet, type RangeSet } from '../ledger/range-set.ts';
import type { DeviceHour } from './device-hour.ts';
import { type DayHours, openDirtyLog } from './rollup-dirty-log.ts';
import { DAY_MS, END_MS, FIRST_MS, HOUR_MS } from './rollup-level.ts';

const UNKNOWN_NAME = 'unknown-hours.json';
/** Days of devices that may be in the list, some 150 bytes each; beyond it whole days of all devices are noted. */
const MAX_DAYS = 100_000;
const ALL_HOURS = { first: FIRST_MS / HOUR_MS, last: END_MS / HOUR_MS };

interface DirtyDay {
	/** Bit n: the hour n. */
	hours: number;
	/** Hours whose readings are just being written. */
	inFlight: number;
	/** Hours touched since their summing up began. */
	again: number;
	/** Monotonic. */
	touchedMs: number;
}

/** Which hours' rollups must not be used, because their readings have changed since. Durable. */
export interface DirtyHours extends Stoppable {
	/** Readings of these hours are about to be written. Durable when it resolves. */
	touching(hours: readonly DeviceHour[]): Promise<void>;
	/** They are written. */
	touched(hours: readonly DeviceHour[]): void;
	/** Adds hours to the list, with nothing being written. Durable when it resolves. */
	add(days: readonly DayHours[]): Promise<void>;
	/** Summing up of these hours begins. */
	begin(days: readonly DayHours[]): void;
	/** It is done and durable; hours that were touched since stay in the list. */
	done(days: readonly DayHours[]): Promise<void>;
	/** Hours of a day in the list, as bits. */
	of(device: DeviceId, day: number): number;
	/** Whether any hour of a span is in the list. */
	isAny(device: DeviceId, from: number, to: number): boolean;
	/** Days with hours that can be summed up: none is being written, and nothing was for `quietMs`. */
	quiet(quietMs: number): Iterable<DayHours>;
	/** Days in the list. */
	size(): number;
	/** Hours (number since the Unix epoch) that may have readings nobody has summed up, or rollups that are too old. */
	readonly unknown: Pick<RangeSet, 'within' | 'ranges'>;
	/** Both durable when they resolve. */
	addUnknown(from: number, to: number): Promise<void>;
	removeUnknown(firstHour: number, lastHour: number): Promise<void>;
}

export interface DirtyHoursDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
}

const dayOf = (hour: EpochMs): number => Math.floor(hour / DAY_MS) * DAY_MS;
const bitOf = (hour: EpochMs): number => 1 << Math.floor((hour - dayOf(hour)) / HOUR_MS);

function readUnknown(text: string | null): readonly (readonly [number, number])[] | null {
	try {
		const ranges: unknown = JSON.parse(text ?? '');
		if (!Array.isArray(ranges)) return null;
		return ranges.map((range: unknown) => {
			const [first, last] = Array.isArray(range) ? range.map(Number) : [];
			if (first === undefined || last === undefined || !Number.isSafeInteger(first) || !Number.isSafeInteger(last))
				throw new RangeError('no range');
			return [first, last] as const;
		});
	} catch {
		return null;
	}
}

/** Days of hours, each day once. Instants that nothing is summed up for are left out. */
function byDay(hours: readonly DeviceHour[]): readonly DayHours[] {
	const devices = new Map<DeviceId, Map<number, number>>();
	for (const { device, hour } of hours) {
		if (hour < FIRST_MS || hour >= END_MS) continue;
		const days = devices.get(device) ?? new Map<number, number>();
		devices.set(device, days);
		days.set(dayOf(hour), (days.get(dayOf(hour)) ?? 0) | bitOf(hour));
	}
	return [...devices].flatMap(([device, days]) => [...days].map(([day, bits]) => ({ device, day, hours: bits })));
}

export async function openDirtyHours({ files, folder, clock, log }: DirtyHoursDeps): Promise<DirtyHours> {
	const devices = new Map<DeviceId, Map<number, DirtyDay>>();
	const unknown = createRangeSet();
	const gate = createGate({ what: 'notes of changed hours', parallel: 1, waiting: 100_000 });
	let size = 0;

	const find = (device: DeviceId, day: number): DirtyDay | undefined => devices.get(device)?.get(day);

	function enter({ device, day, hours }: DayHours): DirtyDay {
		const days = devices.get(device) ?? new Map<number, DirtyDay>();
		devices.set(device, days);
		let entry = days.get(day);
		if (entry === undefined) {
			days.set(day, (entry = { hours: 0, inFlight: 0, again: 0, touchedMs: clock.monotonicMs() }));
			size += 1;
		}
		entry.hours |= hours;
		return entry;
	}

	function leave({ device, day, hours }: DayHours): void {
		const days = devices.get(device);
		const entry = days?.get(day);
		if (days === undefined || entry === undefined) return;
		entry.hours &= ~hours;
		if (entry.hours !== 0 || entry.inFlight !== 0) return;
		days.delete(day);
		size -= 1;
		if (days.size === 0) devices.delete(device);
	}

	const all = (): readonly DayHours[] =>
		[...devices].flatMap(([device, days]) => [...days].map(([day, { hours }]) => ({ device, day, hours })));

	const saveUnknown = (): Promise<void> =>
		files.writeText(
			join(folder, UNKNOWN_NAME),
			`${JSON.stringify(unknown.ranges().map(({ first, last }) => [first, last]))}\n`,
		);

	const known = readUnknown(await files.readText(join(folder, UNKNOWN_NAME)));
	const opened = await openDirtyLog({
		files,
		folder,
		name: 'dirty.log',
		all,
		found: (entry, isAdded) => void (isAdded ? enter(entry) : leave(entry)),
	});
	for (const [first, last] of known ?? []) unknown.add(first, last);
	if (known === null || opened.isNew || opened.damagedBytes > 0) {
		if (known !== null || !opened.isNew) log.error('rollup-notes-damaged', { bytes: opened.damagedBytes });
		unknown.add(ALL_HOURS.first, ALL_HOURS.last);
		await saveUnknown();
	}

	/** Beyond the limit only the time is noted, not the device. */
	async function noted(days: readonly DayHours[]): Promise<readonly DayHours[]> {
		const fresh = days.filter(({ device, day }) => find(device, day) === undefined).length;
		if (size + fresh <= MAX_DAYS) return days;
		const listed = days.filter(({ device, day }) => find(device, day) !== undefined);
		for (const { device, day } of days) {
			if (find(device, day) === undefined) unknown.add(day / HOUR_MS, day / HOUR_MS + 23);
		}
		await saveUnknown();
		return listed;
	}

	async function mark(days: readonly DayHours[], isWriting: boolean): Promise<void> {
		const marked = await noted(days);
		const fresh = marked.filter(({ device, day, hours }) => ((find(device, day)?.hours ?? 0) & hours) !== hours);
		if (fresh.length > 0) await opened.log.add(fresh);
		for (const day of marked) {
			const entry = enter(day);
			entry.again |= day.hours;
			if (isWriting) entry.inFlight |= day.hours;
			entry.touchedMs = clock.monotonicMs();
		}
	}

	return {
		touching: (hours) => gate.run(() => mark(byDay(hours), true)),
		touched(hours) {
			for (const { device, day, hours: bits } of byDay(hours)) {
				const entry = find(device, day);
				if (entry === undefined) continue;
				entry.inFlight &= ~bits;
				entry.touchedMs = clock.monotonicMs();
			}
		},
		add: (days) => gate.run(() => mark(days, false)),
		begin(days) {
			for (const { device, day, hours } of days) {
				const entry = find(device, day);
				if (entry !== undefined) entry.again &= ~hours;
			}
		},
		done: (days) =>
			gate.run(async () => {
				const clean = days.map(({ device, day, hours }) => {
					const entry = find(device, day);
					return { device, day, hours: hours & ~((entry?.again ?? 0) | (entry?.inFlight ?? 0)) };
				});
				for (const day of clean) leave(day);
				await opened.log.remove(clean.filter(({ hours }) => hours !== 0));
			}),
		of: (device, day) => find(device, day)?.hours ?? 0,
		isAny(device, from, to) {
			const days = devices.get(device);
			if (days === undefined) return false;
			for (const [day, { hours }] of days) {
				if (day >= to || day + DAY_MS <= from) continue;
				const first = Math.max(0, Math.floor((from - day) / HOUR_MS));
				const last = Math.min(24, Math.ceil((to - day) / HOUR_MS));
				if ((hours & (((1 << (last - first)) - 1) << first)) !== 0) return true;
			}
			return false;
		},
		*quiet(quietMs) {
			const now = clock.monotonicMs();
			for (const [device, days] of devices)
				for (const [day, { hours, inFlight, touchedMs }] of days)
					if (now - touchedMs >= quietMs && (hours & ~inFlight) !== 0) yield { device, day, hours: hours & ~inFlight };
		},
		size: () => size,
		unknown,
		addUnknown: (from, to) =>
			gate.run(async () => {
				unknown.add(Math.floor(from / HOUR_MS), Math.ceil(to / HOUR_MS) - 1);
				await saveUnknown();
			}),
		removeUnknown: (firstHour, lastHour) =>
			gate.run(async () => {
				unknown.remove(firstHour, lastHour);
				await saveUnknown();
			}),
		stop: () => gate.run(() => opened.log.close()),
	};
}
