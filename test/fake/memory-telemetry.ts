import { type EpochMs, epochMs, systemClock } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { DeclaredLoss } from '../../core/ledger/stream-range.ts';
import type { HistoryQuery } from '../../core/telemetry/history-repository.ts';
import { createLatestValues } from '../../core/telemetry/latest-values.ts';
import type { Quality, Reading, ReadingDraft, SampleValue } from '../../core/telemetry/reading.ts';
import {
	createTelemetryService,
	type ReadingListener,
	type TelemetryService,
} from '../../core/telemetry/telemetry-service.ts';
import { GATEWAY } from './device-box.ts';

type Position = { readonly readAt: number; readonly origin: string; readonly epoch: number; readonly firstSeq: number };

const compare = (a: Position, b: Position): number =>
	a.readAt - b.readAt || a.origin.localeCompare(b.origin) || a.epoch - b.epoch || a.firstSeq - b.firstSeq;

export interface MemoryTelemetry {
	readonly telemetry: TelemetryService;
	readonly readings: readonly Reading[];
	/** Queries the history has answered. */
	readonly queries: readonly HistoryQuery[];
	/** Ranges that were declared lost, with their reason. */
	readonly losses: readonly DeclaredLoss[];
	/** What an append waits for; by default nothing. */
	barrier: Promise<void>;
}

/** The real telemetry service over a journal and a history in memory. */
export function memoryTelemetry(
	listeners: readonly ReadingListener[] = [],
	lateListeners: readonly ReadingListener[] = [],
): MemoryTelemetry {
	const readings: Reading[] = [];
	const queries: HistoryQuery[] = [];
	const losses: DeclaredLoss[] = [];
	const memory: { barrier: Promise<void> } = { barrier: Promise.resolve() };
	const telemetry = createTelemetryService({
		origin: GATEWAY,
		journal: {
			epoch: 1,
			append: async (added) => {
				await memory.barrier;
				readings.push(...added);
			},
		},
		history: {
			range: async (query) => {
				queries.push(query);
				const { device, from, to, order, limit, after } = query;
				const sign = order === 'oldest-first' ? 1 : -1;
				return readings
					.filter((reading) => reading.device === device && reading.readAt >= from && reading.readAt < to)
					.toSorted((a, b) => sign * compare(a, b))
					.filter((reading) => after === undefined || sign * compare(reading, after) > 0)
					.slice(0, limit);
			},
		},
		latest: createLatestValues({ clock: systemClock }),
		listeners,
		lateListeners,
		lost: (range, reason) => void losses.push({ ...range, reason }),
	});
	return Object.assign(memory, { telemetry, readings, queries, losses });
}

export const draftOf = (
	device: DeviceId,
	readAt: EpochMs | number,
	values: Readonly<Record<string, SampleValue>>,
	qualities: readonly Quality[] | null = null,
): ReadingDraft => ({
	device,
	readAt: epochMs(readAt),
	telemetryType: 'default',
	points: Object.keys(values),
	values: Object.values(values),
	qualities,
});
