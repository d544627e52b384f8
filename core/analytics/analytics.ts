import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, DeviceUid, TenantId } from '../kernel/id.ts';

/** A span of time: `from` is in it, `to` is not. */
export interface Span {
	readonly from: EpochMs;
	readonly to: EpochMs;
}

/** How often a device said, or was found, to be in each state. */
export interface StatusAnalysis {
	readonly totalEvents: number;
	/** States that occurred, with their number. */
	readonly statusCounts: Readonly<Record<string, number>>;
	/** Share of `online`, to 4 digits; `null` without events. */
	readonly uptimeRatio: number | null;
}

export type TrendDirection = 'increasing' | 'decreasing' | 'stable';

/** Numbers of one metric. All but `count` are `null` without samples. */
export interface TrendAnalysis {
	readonly count: number;
	readonly mean: number | null;
	/** Standard deviation of the population: the samples are all there are, not a choice of them. */
	readonly std: number | null;
	readonly min: number | null;
	readonly max: number | null;
	/** Least squares, per hour; `null` for fewer than two instants. */
	readonly slope: number | null;
	readonly trend: TrendDirection | null;
}

/** One interval: its first instant, and the mean of each metric of the series (`null`: no sample of it in this interval). */
export interface IntervalRecord {
	readonly at: EpochMs;
	readonly means: ReadonlyMap<string, number>;
}

/** Records in order of time, of intervals with data only. */
export interface IntervalSeries {
	readonly metrics: readonly string[];
	readonly records: readonly IntervalRecord[];
}

export type AnalysisType = 'report' | 'status' | 'trends';

/** An analysis as it is kept. */
export interface AnalysisResult {
	/** A UUID. */
	readonly id: string;
	readonly type: AnalysisType;
	readonly device: DeviceId;
	readonly deviceUid: DeviceUid;
	readonly tenantId: TenantId;
	readonly createdAt: EpochMs;
	readonly status: StatusAnalysis | null;
	readonly trends: TrendAnalysis | null;
}
