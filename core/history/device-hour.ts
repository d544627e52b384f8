import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { StreamRange } from '../ledger/stream-range.ts';

/** One device's one hour: the unit in which history is sealed and summed up. */
export interface DeviceHour {
	readonly device: DeviceId;
	/** Start of the hour, UTC. */
	readonly hour: EpochMs;
}

/** Hears which hours of the sealed history change, so that sums over them can be made anew. */
export interface HourWatcher {
	/** Before readings of these hours are written. What it notes is durable when it resolves: the next start then knows of it. */
	readonly touching: (hours: readonly DeviceHour[]) => Promise<void>;
	/** They are written, or writing has failed and nothing of it counts. Must not throw. */
	readonly touched: (hours: readonly DeviceHour[]) => void;
	/** All readings of a UTC day are about to be dropped. Answers whether they may: `false` keeps them for now. Must not reject. */
	readonly dropping?: (day: EpochMs, contents: DayContents) => Promise<boolean>;
}

/** Which numbers of an hour of a day were read. */
export interface HourNumbers {
	/** Start of the hour, UTC. */
	readonly hour: EpochMs;
	readonly ranges: readonly StreamRange[];
}

/** A day before it is dropped. */
export interface DayContents {
	readonly devices: () => Promise<readonly DeviceId[]>;
	/** The numbers of the boots that are asked for, hour by hour: the identities of their readings are read. */
	readonly numbers: (isWanted: (origin: GatewayId, epoch: number) => boolean) => Promise<readonly HourNumbers[]>;
}
