import { setImmediate as nextTurn } from 'node:timers/promises';

import type { FileJournal } from '../journal/file-journal.ts';
import { epochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { SettleTime } from '../time/settle.ts';
import { hourOf } from './chunk-card.ts';
import { chunkGroups } from './chunk-groups.ts';
import type { DayFile } from './day-file.ts';
import type { DayFolder } from './day-folder.ts';
import type { DeviceHour, HourWatcher } from './device-hour.ts';
import type { HistoryWindow } from './history-window.ts';
import type { Dropped } from './overflow.ts';
import { compareReadings } from './reading-order.ts';

/** Where it is kept how far sealing has come. */
export interface SealMark {
	/** The last segment whose readings are all in chunks; 0 for none. */
	read(): Promise<number>;
	/** Durable when it resolves. */
	write(segment: number): Promise<void>;
}

export interface SealerDeps {
	readonly journal: Pick<FileJournal, 'read' | 'hold'>;
	readonly window: HistoryWindow;
	readonly days: DayFolder;
	readonly mark: SealMark;
	readonly settle: SettleTime | null;
	readonly watchers: readonly HourWatcher[];
	/** A day is about to be written: who is busy with it lets go. */
	readonly wanted: (day: DayFile) => Promise<void>;
	readonly dropped: (what: Dropped) => void;
	readonly log: Logger;
}

/** One device's readings of one segment, oldest first, and the hours they are of. */
interface DeviceReadings {
	readonly device: DeviceId;
	readonly readings: readonly Reading[];
}

/** Readings that came after the end of their day. */
type Late = Omit<Dropped, 'level' | 'day' | 'until'>;

/** Sums are made of hours from 1970 to 2099; readings of other dates are kept, and no sum has them. */
const LAST_HOUR_MS = Date.UTC(2100, 0, 1);

/** `null`: the time of one of them is not known yet. */
function settledBy(settle: SettleTime, readings: readonly Reading[]): readonly Reading[] | null {
	const settled: Reading[] = [];
	let isMoved = false;
	for (const reading of readings) {
		const other = settle(reading);
		if (other === null) return null;
		isMoved ||= other !== reading;
		settled.push(other);
	}
	return isMoved ? settled.toSorted(compareReadings) : readings;
}

/** Turns one closed journal segment after the other into chunks. */
export function createSealer(deps: SealerDeps) {
	const { journal, window, days, mark, settle, watchers, wanted, dropped, log } = deps;

	async function fromJournal(segment: number): Promise<ReadonlyMap<DeviceId, readonly Reading[]>> {
		const devices = new Map<DeviceId, Reading[]>();
		for await (const { at, readings } of journal.read({ segment, offset: 0 })) {
			if (at.segment !== segment) break;
			for (const reading of readings) {
				const list = devices.get(reading.device);
				if (list === undefined) devices.set(reading.device, [reading]);
				else list.push(reading);
			}
			await nextTurn();
		}
		for (const list of devices.values()) list.sort(compareReadings);
		return devices;
	}

	/** `null` while the time of a reading is not known. */
	async function readingsOf(segment: number): Promise<readonly DeviceReadings[] | null> {
		const found: DeviceReadings[] = [];
		for (const [device, readings] of window.bySegment(segment) ?? (await fromJournal(segment))) {
			const settled = settle === null ? readings : settledBy(settle, readings);
			if (settled === null) return null;
			found.push({ device, readings: settled });
			await nextTurn();
		}
		return found;
	}

	function hoursOf(devices: readonly DeviceReadings[]): readonly DeviceHour[] {
		return devices.flatMap(({ device, readings }) =>
			[...new Set(readings.map(({ readAt }) => hourOf(readAt)))]
				.filter((hour) => hour >= 0 && hour < LAST_HOUR_MS && days.fileFor(hour) !== null)
				.map((hour) => ({ device, hour: epochMs(hour) })),
		);
	}

	async function append(devices: readonly DeviceReadings[], touched: Set<DayFile>): Promise<Late> {
		const late = { bytes: 0, readings: 0, samples: 0, reason: 'retention' as const };
		for (const { readings } of devices) {
			for (const group of chunkGroups(readings)) {
				const [first] = group.readings;
				const file = days.fileFor(group.hour);
				if (first === undefined) continue;
				if (file === null) {
					late.readings += group.readings.length;
					late.samples += group.readings.length * first.points.length;
					continue;
				}
				if (!touched.has(file)) await wanted(file);
				touched.add(file);
				await file.append(group.readings, first);
				// The bus and the API get their turn between two chunks.
				await nextTurn();
			}
		}
		return late;
	}

	async function write(devices: readonly DeviceReadings[]): Promise<Late> {
		const touched = new Set<DayFile>();
		try {
			const late = await append(devices, touched);
			for (const file of touched) await file.commit();
			return late;
		} catch (error) {
			for (const file of touched) file.rollBack();
			throw error;
		} finally {
			for (const file of touched) days.touch(file);
		}
	}

	/**
	 * Seals one segment: watchers note its hours, chunks are durable, watchers hear of it (also when writing fails), then the mark, then the journal and the memory
	 * are let go. Interrupted anywhere, the next attempt finds the chunks that are there and adds the others.
	 * @returns `false` while the time of a reading is not known: it stays in the journal
	 */
	async function seal(segment: number): Promise<boolean> {
		const devices = await readingsOf(segment);
		if (devices === null) return false;
		const hours = hoursOf(devices);
		for (const watcher of watchers) await watcher.touching(hours);
		const late = await write(devices).finally(() => {
			for (const watcher of watchers) watcher.touched(hours);
		});
		await mark.write(segment);
		journal.hold('sealer', { segment: segment + 1, offset: 0 });
		window.release(segment);
		if (late.readings !== 0) {
			log.warn('history-readings-expired', { readings: late.readings });
			dropped({ level: 'raw', day: null, until: null, ...late });
		}
		return true;
	}

	return { seal };
}
