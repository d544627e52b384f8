import type { DeviceId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import { type DayHours, openDirtyLog } from './rollup-dirty-log.ts';
import { DAY_MS, HOUR_MS } from './rollup-level.ts';

/** Hours whose rollups somebody else has made of more samples than are here. Durable. */
export interface ReceivedHours extends Stoppable {
	/** @param hourMs first instant of the hour */
	has(device: DeviceId, hourMs: number): boolean;
	/** Durable when it resolves. */
	add(days: readonly DayHours[]): Promise<void>;
	/** Its own samples are all that there is to know of these hours. */
	remove(days: readonly DayHours[]): Promise<void>;
}

export interface ReceivedHoursDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly log: Logger;
}

/** Calls of `add` and `remove` come one after the other. */
export async function openReceivedHours({ files, folder, log }: ReceivedHoursDeps): Promise<ReceivedHours> {
	const devices = new Map<DeviceId, Map<number, number>>();

	const hoursOf = (device: DeviceId, day: number): number => devices.get(device)?.get(day) ?? 0;

	function put({ device, day, hours }: DayHours, isAdded: boolean): void {
		const days = devices.get(device) ?? new Map<number, number>();
		devices.set(device, days);
		const next = isAdded ? (days.get(day) ?? 0) | hours : (days.get(day) ?? 0) & ~hours;
		if (next === 0) days.delete(day);
		else days.set(day, next);
	}

	const opened = await openDirtyLog({
		files,
		folder,
		name: 'received.log',
		all: () => [...devices].flatMap(([device, days]) => [...days].map(([day, hours]) => ({ device, day, hours }))),
		found: put,
	});
	// Their rollups are there all the same, and stay: only parts of such an hour are answered from fewer samples.
	if (opened.damagedBytes > 0) log.error('received-hours-damaged', { folder, bytes: opened.damagedBytes });

	return {
		has: (device, hourMs) => {
			const day = Math.floor(hourMs / DAY_MS) * DAY_MS;
			return (hoursOf(device, day) & (1 << Math.floor((hourMs - day) / HOUR_MS))) !== 0;
		},
		async add(days) {
			if (days.length === 0) return;
			for (const day of days) put(day, true);
			await opened.log.add(days);
		},
		async remove(days) {
			const known = days.filter(({ device, day, hours }) => (hoursOf(device, day) & hours) !== 0);
			if (known.length === 0) return;
			for (const day of known) put(day, false);
			await opened.log.remove(known);
		},
		stop: () => opened.log.close(),
	};
}
