import { join } from 'node:path';

import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import { type Clock, epochMs } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { completenessRoutes } from '../../core/ledger/completeness-routes.ts';
import { createCompletenessService } from '../../core/ledger/completeness-service.ts';
import { addLedgerMetrics } from '../../core/ledger/ledger-metrics.ts';
import { openLedger } from '../../core/ledger/ledger-store.ts';
import { sealedReadingsOf } from '../../core/ledger/sealed-readings.ts';
import type { Metrics } from '../../core/system/metrics.ts';
import type { LaterLink } from '../link/later-link.ts';

export interface LedgerPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly telemetry: Pick<TelemetryPart, 'journal' | 'history' | 'devices' | 'deviceRepository'>;
	readonly link: Pick<LaterLink, 'isOnline'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Which samples of each gateway are here, which are lost, and what is missing. */
export async function openHubLedger({ data, telemetry, link, lifecycle, clock, log }: LedgerPartDeps) {
	const { journal, history, devices, deviceRepository } = telemetry;
	const file = lifecycle.own(
		'ledger',
		await openLedger({
			folder: join(data, 'ledger'),
			journal,
			sealed: sealedReadingsOf({ devices: () => [...deviceRepository.all()].map(({ id }) => id), history }),
			log,
		}),
	);
	const { ledger } = file;
	const completeness = createCompletenessService({
		history,
		ledger,
		originOf: (device) => device.gatewayId,
		// What a gateway that is away has read since is on its way.
		heardUntil: (gateway) => (link.isOnline(gateway) ? clock.now() : (ledger.newestAt(gateway) ?? epochMs(0))),
		countsInTransit: true,
		clock,
	});
	const routes: readonly HttpPart[] = [part(completenessRoutes, { devices, completeness, clock }, '/api/v1')];
	const all = () => ledger.origins().map((gateway) => ledger.completeness(gateway));
	return {
		file,
		ledger,
		routes,
		addMetrics: (metrics: Metrics): void =>
			addLedgerMetrics(metrics, {
				completeness: all,
				missingSamples: () => all().reduce((sum, { missingSamples }) => sum + missingSamples, 0),
			}),
	};
}

export type LedgerPart = Awaited<ReturnType<typeof openHubLedger>>;
