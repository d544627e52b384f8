import Joi from 'joi';

import type { EpochMs } from '../kernel/clock.ts';
import { endTimestamp, pointNames, timestamp } from '../telemetry/telemetry-schema.ts';
import { BUCKET } from './aggregate-calendar.ts';
import { AGGREGATE_FUNCTIONS, type AggregateFunction } from './aggregate-function.ts';
import { isTimeZone } from './aggregate-zone.ts';

/** Most points of one question. */
const MAX_POINTS = 20;
const DEFAULT_FUNCTIONS: readonly AggregateFunction[] = ['count', 'min', 'max', 'mean'];

export interface AggregateRequest {
	readonly points: readonly string[];
	readonly from?: EpochMs;
	readonly to?: EpochMs;
	readonly bucket: string;
	readonly tz: string;
	readonly functions: readonly AggregateFunction[];
}

const isFunction = (name: string): name is AggregateFunction => AGGREGATE_FUNCTIONS.some((known) => known === name);

const functionNames = Joi.string()
	.max(200)
	.custom((value: string, helpers) => {
		const names = [...new Set(value.split(','))];
		return names.every(isFunction)
			? names
			: helpers.message({ custom: `{{#label}} takes some of ${AGGREGATE_FUNCTIONS.join(', ')}, separated by commas` });
	});

const timeZone = Joi.string()
	.max(64)
	.custom((value: string, helpers) =>
		isTimeZone(value)
			? value
			: helpers.message({ custom: '{{#label}} must be an IANA time zone, e.g. Europe/Istanbul' }),
	);

export const aggregateQuery = Joi.object({
	points: pointNames(MAX_POINTS).required(),
	from: timestamp,
	to: endTimestamp,
	bucket: Joi.string()
		.pattern(BUCKET)
		.default('1h')
		.messages({ 'string.pattern.base': '{{#label}} must be a number of s, m, h, d, w, M or y, e.g. 15m, 1d or 1M' }),
	tz: timeZone.default('UTC'),
	functions: functionNames.default(DEFAULT_FUNCTIONS),
});

const instant = () => Joi.string().isoDate();
const column = Joi.array().items(Joi.any());

/** Aggregates by point and function: parallel arrays, one entry for each bucket. */
export const aggregateAnswer = Joi.object({
	device_id: Joi.string().guid().required(),
	device_uid: Joi.string().required(),
	from: instant().required(),
	to: instant().required(),
	bucket: Joi.string().required(),
	tz: Joi.string().required(),
	exact: Joi.boolean().required(),
	starts: Joi.array().items(instant()).required(),
	points: Joi.object()
		.pattern(Joi.string(), Joi.object(Object.fromEntries(AGGREGATE_FUNCTIONS.map((name) => [name, column]))))
		.required(),
}).label('Aggregate');
