import type { Page, Window } from '../kernel/page.ts';
import type { DeviceId, TenantId } from '../kernel/id.ts';
import type { AnalysisResult, AnalysisType } from './analytics.ts';

/** What the index knows of a result without loading it. */
export interface ResultFacts {
	readonly type: string;
	readonly device: DeviceId;
	readonly tenantId: TenantId;
}

/** Kept analyses: the newest ones, up to a number. */
export interface AnalyticsRepository {
	/** Durable when it resolves; the oldest give way. */
	add(results: readonly AnalysisResult[]): Promise<void>;
	/** Newest first. */
	page(type: AnalysisType, window: Window, filter: (facts: ResultFacts) => boolean): Promise<Page<AnalysisResult>>;
}
