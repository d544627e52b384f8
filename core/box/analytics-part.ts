import { join } from 'node:path';

import { type AnalyticsService, createAnalyticsService } from '../analytics/analytics-service.ts';
import { createAnalyticsStore, type ResultDocument } from '../analytics/analytics-store.ts';
import { createReadingScan } from '../analytics/reading-scan.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import { openDatabase } from '../storage/pouch.ts';
import type { TelemetryPart } from './telemetry-part.ts';

/** Analyses of the history, and the reports made of them: the same on gateway and hub. */
export async function openAnalytics({
	data,
	telemetry: { devices, telemetry, aggregate },
	lifecycle,
	clock,
	log,
}: {
	readonly data: string;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'telemetry' | 'aggregate'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}): Promise<AnalyticsService> {
	const folder = join(data, 'analytics');
	await ensureSound(folder, log);
	const database = openDatabase<ResultDocument>(folder);
	lifecycle.own('analytics documents', { stop: () => database.close() });
	return createAnalyticsService({
		devices,
		scan: createReadingScan({ telemetry, clock }),
		aggregate,
		results: await createAnalyticsStore(database),
		clock,
	});
}
