import type { Plugin, Request } from '@hapi/hapi';

import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { actorOf, anyUser } from '../http/access.ts';
import { described } from '../http/describe.ts';
import { type Clock, type EpochMs, epochMs, toIso } from '../kernel/clock.ts';
import { fieldFault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import { telemetryParams } from '../telemetry/telemetry-schema.ts';
import type { Aggregate } from './aggregate.ts';
import { bucketEdges } from './aggregate-calendar.ts';
import { columnsOf } from './aggregate-function.ts';
import { aggregateAnswer, aggregateQuery, type AggregateRequest } from './aggregate-schema.ts';
import type { CounterRuleOf } from './rollup-hour.ts';
import { DAY_MS } from './rollup-level.ts';

/** Most buckets of one answer, and most entries of one function: buckets times points. */
const MAX_BUCKETS = 10_000;
const MAX_ENTRIES = 50_000;
const MAX_SPAN_DAYS = 40 * 366;
/** Questions that are answered at once, and that wait. */
const AT_ONCE = 4;
const WAITING = 64;
/** How far back the value before the first bucket is looked for. */
const LOOK_BACK_MS = DAY_MS;

export interface AggregateRoutesDeps {
	readonly devices: Pick<DeviceService, 'get'>;
	readonly aggregate: Aggregate;
	readonly ruleOf: CounterRuleOf;
	readonly clock: Clock;
}

type Wire = Request<{ Params: { device_id: string }; Query: AggregateRequest }>;

interface Span {
	readonly from: EpochMs;
	readonly to: EpochMs;
}

/** By default the last day. @throws Fault `rule-violation` */
function spanOf({ from, to }: AggregateRequest, now: EpochMs): Span {
	const end = to ?? now;
	const start = from ?? epochMs(end - DAY_MS);
	if (start >= end) throw fieldFault('rule-violation', 'to', `must be later than from (${toIso(start)})`);
	if (end - start > MAX_SPAN_DAYS * DAY_MS)
		throw fieldFault('rule-violation', 'from', 'is more than 40 years before to');
	return { from: start, to: end };
}

/** @throws Fault `rule-violation` for an answer that would be too large */
function edgesOf({ bucket, tz, points }: AggregateRequest, { from, to }: Span): readonly number[] {
	const edges = bucketEdges({ from, to, bucket, timeZone: tz, maxBuckets: MAX_BUCKETS });
	const entries = (edges.length - 1) * points.length;
	if (entries > MAX_ENTRIES)
		throw fieldFault(
			'rule-violation',
			'bucket',
			`${edges.length - 1} buckets of ${points.length} points are more than ${MAX_ENTRIES} entries; choose a longer one`,
		);
	return edges;
}

/** Aggregates of a device's points over buckets of time. */
export const aggregateRoutes: Plugin<AggregateRoutesDeps> = {
	name: 'aggregate-routes',
	register(server, { devices, aggregate, ruleOf, clock }) {
		const gate = createGate({ what: 'aggregates', parallel: AT_ONCE, waiting: WAITING });

		async function read(request: Wire, device: Device, span: Span, edges: readonly number[]) {
			const { points, functions, bucket, tz } = request.query;
			// The bucket before the first one tells where counters stood.
			const hasBefore = functions.includes('increase');
			const { buckets, isExact } = await aggregate({
				device: device.id,
				points: new Set(points),
				edges: hasBefore ? [span.from - LOOK_BACK_MS, ...edges] : edges,
				isWanted: () => request.active(),
			});
			const before = hasBefore ? buckets[0] : undefined;
			const asked = hasBefore ? buckets.slice(1) : buckets;
			const columns = points.map((point) => {
				const rollups = asked.map((each) => each.get(point) ?? null);
				return [point, columnsOf(rollups, before?.get(point) ?? null, functions, ruleOf(device.id, point))] as const;
			});
			return {
				device_id: device.id,
				device_uid: device.uid,
				from: toIso(span.from),
				to: toIso(span.to),
				bucket,
				tz,
				exact: isExact,
				starts: edges.slice(0, -1).map((edge) => toIso(epochMs(edge))),
				points: Object.fromEntries(columns),
			};
		}

		server.route({
			method: 'GET',
			path: '/devices/{device_id}/aggregate',
			options: {
				...described(anyUser, {
					operationId: 'getAggregate',
					tag: 'Telemetry',
					summary: 'Points over buckets of time: count, min, max, mean, energy and more',
					answers: { 200: aggregateAnswer },
				}),
				validate: { params: telemetryParams, query: aggregateQuery },
				handler(request: Wire) {
					const device = devices.get(request.params.device_id, actorOf(request));
					const span = spanOf(request.query, clock.now());
					const edges = edgesOf(request.query, span);
					return gate.run(() => read(request, device, span, edges));
				},
			},
		});
	},
};
