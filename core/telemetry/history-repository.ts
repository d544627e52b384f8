import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Reading, SampleValue } from './reading.ts';

export interface HistoryQuery {
	readonly device: DeviceId;
	/** Inclusive. */
	readonly from: EpochMs;
	/** Exclusive. */
	readonly to: EpochMs;
	readonly order: 'oldest-first' | 'newest-first';
	/** Most readings answered; at least 1. Ties of `readAt` are ordered by (origin, epoch, firstSeq). */
	readonly limit: number;
	/** Readings to leave out: those up to and including this one in the given order (for cursors). */
	readonly after?: {
		readonly readAt: EpochMs;
		readonly origin: string;
		readonly epoch: number;
		readonly firstSeq: number;
	};
}

export interface ColumnQuery {
	readonly device: DeviceId;
	readonly point: string;
	/** Inclusive. */
	readonly from: EpochMs;
	/** Exclusive. */
	readonly to: EpochMs;
	/** Only readings of this type; otherwise of all types but those of events. */
	readonly telemetryType?: string;
	/** About how many samples are answered at most, at least 1; the day in which it is reached is answered whole. Default 1 000 000. */
	readonly limit?: number;
}

/** One point's samples, oldest first, each once; ties of the instant by (origin, epoch, firstSeq). Parallel arrays. */
export interface PointColumn {
	/** Instants in ms since the Unix epoch. */
	readonly times: Float64Array;
	/** A typed array when every value is a number. */
	readonly values: Float64Array | readonly SampleValue[];
	/** Index into `QUALITIES` of each; `null` when all are good. */
	readonly qualities: Uint8Array | null;
	/** The column is complete before this instant: `to` of the query, or the `from` to go on with where the limit was reached. */
	readonly until: EpochMs;
}

/** Everything that was ever accepted and is still kept: unsealed readings and sealed chunks look the same. */
export interface HistoryRepository {
	range(query: HistoryQuery): Promise<readonly Reading[]>;
	/** Decodes nothing but the one point. */
	column(query: ColumnQuery): Promise<PointColumn>;
}
