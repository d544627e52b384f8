import Joi from 'joi';

import { type EpochMs, epochMs } from '../kernel/clock.ts';
import { DEVICE_UID_PATTERN } from '../device/device-schema.ts';
import { type CursorQuery, cursorQuery } from '../http/paging.ts';
import { type GatewayId, gatewayId, isUuid } from '../kernel/id.ts';
import type { HistoryQuery } from './history-repository.ts';
import { isWithinBounds } from './json-bounds.ts';
import { type JsonValue, QUALITIES, type Reading } from './reading.ts';
import { SERIES_METHODS, type SeriesMethod } from './series.ts';
import { parseEndTimestamp, parseTimestamp } from './timestamp-input.ts';

/** Most points of one record from outside. */
export const MAX_POINTS_PER_RECORD = 500;
const RECORD_BOUNDS = { depth: 8, nodes: 5_000 };
const MAX_KEY_LENGTH = 128;
export const MAX_TIMESTAMP_LENGTH = 40;
export const MAX_TYPE_LENGTH = 100;

/** Most time of one series query: ten years. */
export const MAX_SERIES_MS = 3_660 * 86_400_000;
const MAX_SERIES_POINTS = 5;

export type Metrics = Readonly<Record<string, JsonValue>>;

export const telemetryParams = Joi.object({ device_id: Joi.string().pattern(DEVICE_UID_PATTERN).required() });

const timestampBy = (parse: (text: string) => EpochMs | null) =>
	Joi.string()
		.max(MAX_TIMESTAMP_LENGTH)
		.custom(
			(value: string, helpers) => parse(value) ?? helpers.message({ custom: '{{#label}} must be an ISO 8601 time' }),
		);

/** A text of contract rule R4, validated into an instant. */
export const timestamp = timestampBy(parseTimestamp);

/** The end of a range: a date alone is the whole day. */
export const endTimestamp = timestampBy(parseEndTimestamp);

export const telemetryType = Joi.string().min(1).max(MAX_TYPE_LENGTH);

const isKey = (key: string): boolean => key.length > 0 && key.length <= MAX_KEY_LENGTH && key !== '__proto__';

const isStructure = (value: JsonValue): boolean => typeof value === 'object' && value !== null;

/** The first rule that metrics break, as a sentence after their name; `null` when they are fine. */
export function metricsFault(metrics: Metrics): string | null {
	const keys = Object.keys(metrics);
	if (keys.length === 0) return 'needs at least one metric';
	if (keys.length > MAX_POINTS_PER_RECORD) return `has ${keys.length} metrics; ${MAX_POINTS_PER_RECORD} are allowed`;
	if (!keys.every(isKey)) return `has a name that is empty or longer than ${MAX_KEY_LENGTH} characters`;
	// A flat record of that many metrics is within all bounds.
	if (Object.values(metrics).some(isStructure) && !isWithinBounds(metrics, RECORD_BOUNDS))
		return `is deeper than ${RECORD_BOUNDS.depth} levels or has more than ${RECORD_BOUNDS.nodes} values`;
	return null;
}

const metrics = Joi.object().custom((value: Metrics, helpers) => {
	const fault = metricsFault(value);
	return fault === null ? value : helpers.message({ custom: `{{#label}} ${fault}` });
});

export interface TelemetryBody {
	readonly telemetry_type: string;
	readonly payload: Metrics;
	readonly recorded_at?: EpochMs;
}

export const telemetryCreate = Joi.object({
	telemetry_type: telemetryType.required(),
	payload: metrics.required(),
	recorded_at: timestamp,
}).options({ stripUnknown: true });

/** Where a list of records goes on. */
export type RecordPosition = NonNullable<HistoryQuery['after']>;

export type TelemetryListQuery = CursorQuery<RecordPosition>;

/** Opaque cursor after this record. */
export const toRecordCursor = ({ readAt, origin, epoch, firstSeq }: Reading): string =>
	Buffer.from([readAt, origin, epoch, firstSeq].join(':')).toString('base64url');

function fromRecordCursor(cursor: string): (RecordPosition & { readonly origin: GatewayId }) | null {
	const [at = '', origin = '', epoch = '', firstSeq = ''] = Buffer.from(cursor, 'base64url').toString().split(':');
	if (!isUuid(origin) || ![at, epoch, firstSeq].every((part) => /^\d{1,15}$/.test(part))) return null;
	return {
		readAt: epochMs(Number(at)),
		origin: gatewayId(origin),
		epoch: Number(epoch),
		firstSeq: Number(firstSeq),
	};
}

export const telemetryListQuery = Joi.object(cursorQuery(fromRecordCursor));

/** Names of points, separated by commas; each once. */
export const pointNames = (most: number) =>
	Joi.string()
		.max(most * (MAX_KEY_LENGTH + 1))
		.custom((value: string, helpers) => {
			const points = [...new Set(value.split(','))];
			return points.length <= most && points.every(isKey)
				? points
				: helpers.message({ custom: `{{#label}} takes 1 to ${most} names, separated by commas` });
		});

export interface SeriesRequest {
	readonly points: readonly string[];
	readonly from?: EpochMs;
	readonly to?: EpochMs;
	readonly max_points: number;
	readonly method: SeriesMethod;
}

export const seriesQuery = Joi.object({
	points: pointNames(MAX_SERIES_POINTS).required(),
	from: timestamp,
	to: endTimestamp,
	max_points: Joi.number().integer().min(10).max(5_000).default(1_000),
	method: Joi.valid(...SERIES_METHODS).default('minmax'),
});

const quality = Joi.valid(...QUALITIES);
const anyValue = Joi.any();
const instant = () => Joi.string().isoDate();

/** A telemetry record as it is answered. */
export const recordAnswer = Joi.object({
	id: Joi.string().guid().required(),
	telemetry_type: Joi.string().required(),
	payload: Joi.object().unknown().required(),
	recorded_at: instant().required(),
	quality: Joi.object().pattern(Joi.string(), quality),
}).label('TelemetryRecord');

/** The latest values of a device by point. */
export const latestAnswer = Joi.object({
	device_id: Joi.string().guid().required(),
	device_uid: Joi.string().required(),
	values: Joi.object()
		.pattern(
			Joi.string(),
			Joi.object({
				value: anyValue.required(),
				quality: quality.required(),
				read_at: instant().required(),
				age_ms: Joi.number().required(),
				stale_after_ms: Joi.number().allow(null).required(),
				unit: Joi.string(),
			}).label('LatestValue'),
		)
		.required(),
}).label('LatestValues');

/** A thinned series of each point: instants, values, and qualities where they are not all good. */
export const seriesAnswer = Joi.object({
	from: instant().required(),
	to: instant().required(),
	points: Joi.object()
		.pattern(
			Joi.string(),
			Joi.object({
				t: Joi.array().items(Joi.number()).required(),
				v: Joi.array().items(Joi.number().allow(null)).required(),
				q: Joi.array().items(quality),
			}),
		)
		.required(),
}).label('Series');
