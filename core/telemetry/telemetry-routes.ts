import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { mayWriteTelemetry } from '../device/device-access.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import type { Aggregate } from '../history/aggregate.ts';
import { actorOf, anyUser, ownerOr } from '../http/access.ts';
import { withCursorHeaders } from '../http/cursor-headers.ts';
import { described } from '../http/describe.ts';
import { cutAtLimit } from '../http/paging.ts';
import { type Clock, type EpochMs, epochMs, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { HistoryRepository } from './history-repository.ts';
import { createSeriesSource } from './series-source.ts';
import {
	latestAnswer,
	MAX_SERIES_MS,
	recordAnswer,
	seriesAnswer,
	type SeriesRequest,
	seriesQuery,
	type TelemetryBody,
	telemetryCreate,
	type TelemetryListQuery,
	telemetryListQuery,
	telemetryParams,
	toRecordCursor,
} from './telemetry-schema.ts';
import { type PointFactsOf, shownBy } from './point-facts.ts';
import type { TelemetryService } from './telemetry-service.ts';
import { latestView, recordView } from './telemetry-view.ts';
import { isPlausibleInstant } from './timestamp-input.ts';

export interface TelemetryRoutesDeps {
	readonly devices: Pick<DeviceService, 'get'>;
	readonly telemetry: Pick<TelemetryService, 'accept' | 'latest' | 'range'>;
	readonly pointFactsOf: PointFactsOf;
	/** What long charts are drawn from; `null`: samples only. */
	readonly charts: { readonly column: HistoryRepository['column']; readonly aggregate: Aggregate } | null;
	readonly clock: Clock;
}

type Wire<Q, P = unknown> = Request<{ Params: { device_id: string }; Query: Q; Payload: P }>;

const BEGINNING = epochMs(0);
const END = epochMs(8_640_000_000_000_000);
const HOUR_MS = 3_600_000;
/** Charts that are read at once, and that wait: a month of history keeps the disk busy for a while. */
const SERIES_AT_ONCE = 4;
const SERIES_WAITING = 64;

/** The span of a series query; by default the last hour. @throws Fault `rule-violation` */
function spanOf({ from, to }: SeriesRequest, now: EpochMs): { readonly from: EpochMs; readonly to: EpochMs } {
	const end = to ?? now;
	const start = from ?? epochMs(end - HOUR_MS);
	if (start >= end) throw new Fault('rule-violation', `to must be later than from (${toIso(start)})`);
	if (end - start > MAX_SERIES_MS) throw new Fault('rule-violation', 'from and to are more than 3660 days apart');
	return { from: start, to: end };
}

const api = (operationId: string, summary: string) => ({ operationId, tag: 'Telemetry', summary });

/** Telemetry of one device: records (reference 002), latest values, and series for charts. */
export const telemetryRoutes: Plugin<TelemetryRoutesDeps> = {
	name: 'telemetry-routes',
	register(server, { devices, telemetry, pointFactsOf, charts, clock }) {
		const deviceOf = (request: Pick<Wire<unknown>, 'auth' | 'params'>): Device =>
			devices.get(request.params.device_id, actorOf(request));

		async function list(request: Wire<TelemetryListQuery>, h: ResponseToolkit) {
			const { limit, cursor } = request.query;
			const found = await telemetry.range({
				device: deviceOf(request).id,
				from: BEGINNING,
				to: END,
				order: 'newest-first',
				limit: limit + 1,
				...(cursor === undefined ? {} : { after: cursor }),
			});
			const { items, next } = cutAtLimit(found, limit, toRecordCursor);
			return withCursorHeaders(h.response(items.map(recordView)), request, limit, next);
		}

		async function create(request: Wire<unknown, TelemetryBody>, h: ResponseToolkit) {
			const device = deviceOf(request);
			if (!mayWriteTelemetry(actorOf(request), device))
				throw new Fault('forbidden', `you may not write telemetry of device ${device.uid}`);
			const { telemetry_type: type, payload, recorded_at: readAt = clock.now() } = request.payload;
			if (!isPlausibleInstant(readAt, clock.now()))
				throw new Fault('rule-violation', `recorded_at: ${toIso(readAt)} is more than a day ahead, or before 1970`);
			const reading = await telemetry.accept(
				{
					device: device.id,
					readAt,
					telemetryType: type,
					points: Object.keys(payload),
					values: Object.values(payload),
					qualities: null,
				},
				'prompt',
			);
			return h.response(recordView(reading)).code(201);
		}

		function latest(request: Wire<unknown>) {
			const device = deviceOf(request);
			const shownOf = shownBy(device, pointFactsOf);
			const now = clock.now();
			const values = [...(telemetry.latest(device.id) ?? [])].map(([point, value]) => [
				point,
				latestView(value, shownOf(point), now),
			]);
			return { device_id: device.id, device_uid: device.uid, values: Object.fromEntries(values) };
		}

		const gate = createGate({ what: 'charts', parallel: SERIES_AT_ONCE, waiting: SERIES_WAITING });

		const source = createSeriesSource({
			history: { range: (query) => telemetry.range(query), ...(charts === null ? {} : { column: charts.column }) },
			aggregate: charts?.aggregate ?? null,
			clock,
		});

		async function readSeries(request: Wire<SeriesRequest>, device: Device) {
			const { from, to } = spanOf(request.query, clock.now());
			const { points, max_points: maxPoints, method } = request.query;
			const collected = await source({
				device: device.id,
				points,
				from,
				to,
				maxPoints,
				method,
				// A chart that was scrolled away is not worth reading a month for.
				isWanted: () => request.active(),
			});
			return { from: toIso(from), to: toIso(to), points: Object.fromEntries(collected) };
		}

		function series(request: Wire<SeriesRequest>) {
			const device = deviceOf(request);
			return gate.run(() => readSeries(request, device));
		}

		const base = '/devices/{device_id}';
		const params = telemetryParams;
		server.route({
			method: 'GET',
			path: `${base}/telemetry`,
			options: {
				...described(anyUser, {
					...api('listTelemetry', 'Records of a device, newest first'),
					answers: { 200: Joi.array().items(recordAnswer) },
				}),
				validate: { params, query: telemetryListQuery },
				handler: list,
			},
		});
		const byWriter = ownerOr('telemetry:write');
		const writing = described(
			{ ...byWriter, app: { ...byWriter.app, audit: false } },
			{ ...api('createTelemetry', 'Write a record of a device'), answers: { 201: recordAnswer } },
		);
		server.route({
			method: 'POST',
			path: `${base}/telemetry`,
			options: { ...writing, validate: { params, payload: telemetryCreate }, handler: create },
		});
		server.route({
			method: 'GET',
			path: `${base}/latest`,
			options: {
				...described(anyUser, {
					...api('getLatestValues', 'The newest value of every point of a device'),
					answers: { 200: latestAnswer },
				}),
				validate: { params },
				handler: latest,
			},
		});
		server.route({
			method: 'GET',
			path: `${base}/series`,
			options: {
				...described(anyUser, {
					...api('getSeries', 'Points over time, thinned for a chart'),
					answers: { 200: seriesAnswer },
				}),
				validate: { params, query: seriesQuery },
				handler: series,
			},
		});
	},
};
