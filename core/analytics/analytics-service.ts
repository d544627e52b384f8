import { randomUUID } from 'node:crypto';

import { maySee } from '../device/device-access.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { type Actor, isInTenantOf } from '../identity/role.ts';
import { type Clock, type EpochMs, epochMs, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { Page, Window } from '../kernel/page.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { Aggregate } from '../history/aggregate.ts';
import type { AnalysisResult, AnalysisType, IntervalSeries, Span, StatusAnalysis } from './analytics.ts';
import type { AnalyticsRepository, ResultFacts } from './analytics-repository.ts';
import { intervalAggregates } from './interval-aggregates.ts';
import type { Interval } from './interval.ts';
import { createIntervalMeans } from './interval-means.ts';
import { eachNumber, type ReadingScan } from './reading-scan.ts';
import { createStatusCount } from './status-count.ts';
import { createTrendScan, type MetricTrend } from './trend-scan.ts';

const DAY_MS = 86_400_000;
/** Shorter intervals are not summed up. */
const MINUTE_MS = 60_000;

/** Most intervals between start and end. */
export const MAX_INTERVALS = 10_000;

/** Analyses at a time, and most that wait. */
const PARALLEL = 2;
const MAX_WAITING = 8;

export interface AnalyticsServiceDeps {
	readonly devices: Pick<DeviceService, 'get' | 'find'>;
	readonly scan: ReadingScan;
	/** What intervals of a minute and more are composed from; `null`: samples only. */
	readonly aggregate: Aggregate | null;
	readonly results: AnalyticsRepository;
	readonly clock: Clock;
}

/** Whose data is analysed, of which time, and for whom. */
export interface AnalysisRequest {
	/** Id or address of the device. */
	readonly reference: string;
	readonly actor: Actor;
	/** Default: 24 hours before the end. */
	readonly start?: EpochMs | undefined;
	/** Exclusive; default: now. */
	readonly end?: EpochMs | undefined;
	/** False as soon as nobody waits for the outcome. */
	readonly isWanted: () => boolean;
}

type Analysed<T> = T & { readonly device: Device };

const TYPES: readonly AnalysisType[] = ['report', 'status', 'trends'];

/** What the history of a device tells; read when it is asked for, and kept only as a report. */
export function createAnalyticsService({ devices, scan, aggregate, results, clock }: AnalyticsServiceDeps) {
	const gate = createGate({ what: 'analyses', parallel: PARALLEL, waiting: MAX_WAITING });

	/** @throws Fault `rule-violation` */
	function spanOf({ start, end }: Pick<AnalysisRequest, 'start' | 'end'>): Span {
		const now = clock.now();
		const from = start ?? epochMs((end ?? now) - DAY_MS);
		// What was stored in this very moment counts too.
		const to = end ?? epochMs(now + 1);
		if (from >= to) throw new Fault('rule-violation', `end must be later than start (${toIso(from)})`);
		return { from, to };
	}

	/** @throws Fault `not-found`, `rule-violation`, `unavailable` when too many analyses wait */
	async function read(request: AnalysisRequest, visit: (reading: Reading) => void): Promise<Device> {
		const device = devices.get(request.reference, request.actor);
		const span = spanOf(request);
		await gate.run(() => scan(device.id, span, visit, request.isWanted));
		return device;
	}

	/** Means per interval. @throws Fault also `rule-violation` for too many intervals */
	async function telemetry(
		request: AnalysisRequest,
		interval: Interval,
	): Promise<Analysed<{ readonly series: IntervalSeries }>> {
		const { from, to } = spanOf(request);
		const intervals = Math.ceil((to - from) / interval.stepMs);
		if (intervals > MAX_INTERVALS)
			throw new Fault(
				'rule-violation',
				`start and end are ${intervals} intervals apart; ${MAX_INTERVALS} are allowed, so choose a longer interval`,
			);
		if (aggregate !== null && interval.stepMs >= MINUTE_MS) {
			const device = devices.get(request.reference, request.actor);
			const query = { device: device.id, from, to, interval, isWanted: request.isWanted };
			return { device, series: await gate.run(() => intervalAggregates(aggregate, query)) };
		}
		const means = createIntervalMeans(interval);
		const device = await read(request, (reading) => eachNumber(reading, (...sample) => means.add(...sample)));
		return { device, series: means.series() };
	}

	async function status(request: AnalysisRequest): Promise<Analysed<{ readonly status: StatusAnalysis }>> {
		const count = createStatusCount();
		const device = await read(request, (reading) => count.add(reading));
		return { device, status: count.analysis() };
	}

	/** @param metric `null`: the one with most samples */
	async function trends(request: AnalysisRequest, metric: string | null): Promise<Analysed<MetricTrend>> {
		const trend = createTrendScan(metric);
		const device = await read(request, (reading) => trend.add(reading));
		return { device, ...trend.result() };
	}

	/** Status and trend in one reading of the history, stored together and each for itself. */
	async function report(request: AnalysisRequest, metric: string | null): Promise<AnalysisResult> {
		const count = createStatusCount();
		const scanned = createTrendScan(metric);
		const device = await read(request, (reading) => {
			count.add(reading);
			scanned.add(reading);
		});
		const whole = {
			device: device.id,
			deviceUid: device.uid,
			tenantId: device.tenantId,
			createdAt: clock.now(),
			status: count.analysis(),
			trends: scanned.result().trend,
		};
		const kept: AnalysisResult = { ...whole, id: randomUUID(), type: 'report' };
		await results.add([
			kept,
			{ ...whole, id: randomUUID(), type: 'status', trends: null },
			{ ...whole, id: randomUUID(), type: 'trends', status: null },
		]);
		return kept;
	}

	/** Devices whose results the caller sees: those of its tenant; a `user` those that it owns. */
	function isVisible(actor: Actor, { device, tenantId }: ResultFacts): boolean {
		if (!isInTenantOf(actor, { tenantId })) return false;
		if (actor.role !== 'user') return true;
		const found = devices.find(device);
		return found !== null && maySee(actor, found);
	}

	/** Stored results, newest first; an unknown type or device matches nothing. */
	async function stored(
		type: string,
		reference: string | null,
		window: Window,
		actor: Actor,
	): Promise<Page<AnalysisResult>> {
		const known = TYPES.find((one) => one === type);
		if (known === undefined) return { items: [], total: 0 };
		const device = reference === null ? null : (devices.find(reference, actor)?.id ?? reference);
		return results.page(
			known,
			window,
			(facts) => (device === null || facts.device === device) && isVisible(actor, facts),
		);
	}

	return { telemetry, status, trends, report, stored };
}

export type AnalyticsService = ReturnType<typeof createAnalyticsService>;
