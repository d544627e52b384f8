import Joi from 'joi';

import { DEVICE_UID_PATTERN } from '../device/device-schema.ts';
import type { Device } from '../device/device.ts';
import { type EpochMs, toIso } from '../kernel/clock.ts';
import { endTimestamp, timestamp } from '../telemetry/telemetry-schema.ts';
import type { AnalysisResult, IntervalSeries, StatusAnalysis, TrendAnalysis } from './analytics.ts';
import { INTERVAL } from './interval.ts';

/** The span as it is asked for. */
export interface SpanQuery {
	readonly start?: EpochMs;
	readonly end?: EpochMs;
}

export interface TrendQuery extends SpanQuery {
	readonly metric?: string;
}

export interface IntervalQuery {
	readonly start: EpochMs;
	readonly end: EpochMs;
	readonly interval: string;
}

export interface ResultsQuery {
	readonly analysis_type: string;
	readonly device_id?: string;
	readonly skip: number;
	readonly limit: number;
}

const reference = Joi.string().pattern(DEVICE_UID_PATTERN);
const span = { start: timestamp, end: endTimestamp };

export const analyticsParams = Joi.object({ device_id: reference.required() });
export const spanQuery = Joi.object(span);
/** No name is as good as none given. */
export const trendQuery = Joi.object({ ...span, metric: Joi.string().empty('').max(128) });
export const intervalQuery = Joi.object({
	start: timestamp.required(),
	end: endTimestamp.required(),
	interval: Joi.string().pattern(INTERVAL).default('1h'),
});
export const resultsQuery = Joi.object({
	analysis_type: Joi.string().min(1).max(100).required(),
	device_id: reference,
	skip: Joi.number().integer().min(0).max(1_000_000).default(0),
	limit: Joi.number().integer().min(1).max(200).default(20),
});

const deviceOf = ({ id, uid }: Device) => ({ device_id: id, device_uid: uid });

/** A metric with the name of the record's own field gives way to it. */
export function seriesView(device: Device, { metrics, records }: IntervalSeries) {
	const named = metrics.filter((metric) => metric !== 'timestamp');
	return {
		...deviceOf(device),
		records: records.map(({ at, means }) =>
			Object.fromEntries([
				['timestamp', toIso(at)],
				...named.map((metric): readonly [string, number | null] => [metric, means.get(metric) ?? null]),
			]),
		),
		count: records.length,
	};
}

const statusPart = ({ totalEvents, statusCounts, uptimeRatio }: StatusAnalysis) => ({
	total_events: totalEvents,
	status_counts: statusCounts,
	uptime_ratio: uptimeRatio,
});

const trendPart = ({ count, mean, std, min, max, slope, trend }: TrendAnalysis) => ({
	count,
	mean,
	std,
	min,
	max,
	slope,
	trend,
});

export const statusView = (device: Device, status: StatusAnalysis) => ({ ...deviceOf(device), ...statusPart(status) });

export const trendView = (device: Device, metric: string | null, trend: TrendAnalysis) => ({
	...deviceOf(device),
	metric,
	...trendPart(trend),
});

/** Both parts of a report, or the one that a part is. */
function resultPart({ type, status, trends }: AnalysisResult): object {
	if (type === 'report')
		return { status: status === null ? null : statusPart(status), trends: trends === null ? null : trendPart(trends) };
	if (status !== null) return statusPart(status);
	return trends === null ? {} : trendPart(trends);
}

export const reportView = (report: AnalysisResult) => ({
	report_id: report.id,
	device_id: report.device,
	device_uid: report.deviceUid,
	...resultPart(report),
	created_at: toIso(report.createdAt),
});

export const resultView = (result: AnalysisResult) => ({
	id: result.id,
	analysis_type: result.type,
	device_id: result.device,
	device_uid: result.deviceUid,
	result: resultPart(result),
	created_at: toIso(result.createdAt),
});

/** Sums and means go beyond 2^53. */
const wideNumber = () => Joi.number().unsafe().allow(null);
const nullableNumber = wideNumber().required();
const count = Joi.number().integer().min(0).required();
const uuid = Joi.string().guid().required();
const device = { device_id: uuid, device_uid: Joi.string().required() };
const instant = Joi.string().isoDate().required();

const statusKeys = {
	total_events: count,
	status_counts: Joi.object().pattern(Joi.string(), Joi.number().integer().min(0)).required(),
	uptime_ratio: Joi.number().min(0).max(1).allow(null).required(),
};

const trendKeys = {
	count,
	mean: nullableNumber,
	std: nullableNumber,
	min: nullableNumber,
	max: nullableNumber,
	slope: nullableNumber,
	trend: Joi.valid('increasing', 'decreasing', 'stable', null).required(),
};

/** Every other property of a record is a metric; JSON Schema holds the rule against `timestamp` too, unless told otherwise. */
const METRIC = /^(?!timestamp$)/;

export const seriesAnswer = Joi.object({
	...device,
	records: Joi.array()
		.items(Joi.object({ timestamp: instant }).pattern(METRIC, wideNumber()))
		.required(),
	count,
});
export const statusAnswer = Joi.object({ ...device, ...statusKeys });
export const trendAnswer = Joi.object({ ...device, metric: Joi.string().allow(null).required(), ...trendKeys });
export const reportAnswer = Joi.object({
	report_id: uuid,
	...device,
	status: Joi.object(statusKeys).required(),
	trends: Joi.object(trendKeys).required(),
	created_at: instant,
});
export const resultsAnswer = Joi.array().items(
	Joi.object({
		id: uuid,
		analysis_type: Joi.string().required(),
		...device,
		result: Joi.object().unknown().required(),
		created_at: instant,
	}),
);
