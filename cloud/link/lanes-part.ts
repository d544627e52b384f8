import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createFindReadings } from '../../core/ledger/find-readings.ts';
import { verdictOn } from '../../core/time/possible-time.ts';
import type { TimeKeeper } from '../../core/time/time-keeper.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { LedgerPart } from '../ingest/ledger-part.ts';
import { createAcknowledger } from './acknowledger.ts';
import type { LaterLink } from './later-link.ts';
import { createLinkLanes } from './link-lanes.ts';
import { resendRoutes } from './resend-routes.ts';

export interface LanesPartDeps {
	readonly ledger: Pick<LedgerPart, 'file'>;
	readonly telemetry: Pick<TelemetryPart, 'journal' | 'history' | 'telemetry' | 'deviceRepository'>;
	readonly gateways: Pick<GatewayRepository, 'all' | 'find'>;
	readonly link: Pick<LaterLink, 'send' | 'acknowledge' | 'isOnline'>;
	readonly time: Pick<TimeKeeper, 'trustedNow'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What gateways send, stored and acknowledged. */
export function openLanes({ ledger, telemetry, gateways, link, time, lifecycle, clock, log }: LanesPartDeps) {
	const acknowledger = lifecycle.own('acknowledger', createAcknowledger(link.acknowledge));
	const lanes = createLinkLanes({
		ledgerFile: ledger.file,
		journal: telemetry.journal,
		telemetry: telemetry.telemetry,
		deviceOf: (id) => telemetry.deviceRepository.find(id),
		verdictOn: (readAt) => verdictOn(readAt, time.trustedNow()),
		acknowledge: acknowledger.received,
		find: createFindReadings({
			devices: () => [...telemetry.deviceRepository.all()].map(({ id }) => id),
			history: telemetry.history,
			ledger: ledger.file.ledger,
		}),
		send: link.send,
		isOnline: link.isOnline,
		online: () => gateways.all().flatMap(({ id }) => (link.isOnline(id) ? [id] : [])),
		lifecycle,
		clock,
		log,
	});
	const routes: readonly HttpPart[] = [part(resendRoutes, { gateways, resend: lanes.resend }, '/api/v1')];
	return { ...lanes, lossNoted: acknowledger.lossNoted, routes };
}

export type LanesPart = ReturnType<typeof openLanes>;
