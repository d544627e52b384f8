import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Reading } from './reading.ts';

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

/** Everything that was ever accepted and is still kept: unsealed readings and sealed chunks look the same. */
export interface HistoryRepository {
	range(query: HistoryQuery): Promise<readonly Reading[]>;
}
