import { epochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import type { DirtyHours } from './rollup-dirty.ts';
import type { DayHours } from './rollup-dirty-log.ts';
import { DAY_MS, END_MS, HOUR_MS } from './rollup-level.ts';

/** Hours looked for at a time. */
const STEPS_PER_TURN = 200;
/** While so many days wait to be summed up, no more are looked for. */
const MAX_WAITING_DAYS = 2_000;

export interface RollupSearchDeps {
	readonly history: Pick<HistoryRepository, 'range'>;
	readonly dirty: DirtyHours;
	readonly devices: () => readonly DeviceId[];
	readonly log: Logger;
}

interface Search {
	readonly first: number;
	readonly last: number;
	readonly devices: readonly DeviceId[];
	device: number;
	/** Everything of the device from here on was found. */
	before: number;
}

/**
 * Finds the hours with readings in times of which it is not known what was summed up: of a history that is older than its rollups, and of
 * files that were damaged. Answers whether there is more to look for.
 */
export function createRollupSearch({ history, dirty, devices, log }: RollupSearchDeps): () => Promise<boolean> {
	let search: Search | null = null;

	function current(): Search | null {
		const range = dirty.unknown.ranges().at(-1);
		if (range === undefined) return (search = null);
		if (search?.first !== range.first || search.last !== range.last)
			search = { ...range, devices: devices(), device: 0, before: Math.min(END_MS, (range.last + 1) * HOUR_MS) };
		return search;
	}

	/** The newest hour with readings before the place the search has come to. */
	async function step(at: Search, device: DeviceId): Promise<DayHours | null> {
		const from = at.first * HOUR_MS;
		if (from >= at.before) return null;
		const [reading] = await history.range({
			device,
			from: epochMs(from),
			to: epochMs(at.before),
			order: 'newest-first',
			limit: 1,
		});
		if (reading === undefined) return null;
		const day = Math.floor(reading.readAt / DAY_MS) * DAY_MS;
		const hour = Math.floor((reading.readAt - day) / HOUR_MS);
		at.before = day + hour * HOUR_MS;
		return { device, day, hours: 1 << hour };
	}

	return async () => {
		const at = current();
		if (at === null || dirty.size() > MAX_WAITING_DAYS) return false;
		const found: DayHours[] = [];
		for (let steps = 0; steps < STEPS_PER_TURN; steps += 1) {
			const device = at.devices[at.device];
			if (device === undefined) break;
			const next = await step(at, device);
			if (next !== null) found.push(next);
			else {
				at.device += 1;
				at.before = Math.min(END_MS, (at.last + 1) * HOUR_MS);
			}
		}
		if (found.length > 0) await dirty.add(found);
		if (at.device < at.devices.length) return true;
		await dirty.removeUnknown(at.first, at.last);
		search = null;
		log.info('rollups-searched', { devices: at.devices.length });
		return dirty.unknown.ranges().length > 0;
	};
}
