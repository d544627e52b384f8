import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { EnrolmentService } from '../enrolment/enrolment-service.ts';
import type { LedgerPart } from '../ingest/ledger-part.ts';
import type { HubLink } from '../link/hub-link.ts';
import type { GatewayRepository } from './gateway-record.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { createOfflineWatch } from './offline-watch.ts';

export interface FleetPartDeps {
	readonly gateways: GatewayRepository;
	readonly enrolment: EnrolmentService;
	readonly link: Pick<HubLink, 'presence'>;
	readonly ledger: Pick<LedgerPart, 'ledger'>;
	readonly telemetry: Pick<TelemetryPart, 'devices'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
}

/** The gateways as people see them; devices of one that is away are not reached. To be opened when gateways can come. */
export function watchFleet(deps: FleetPartDeps): { readonly routes: readonly HttpPart[] } {
	const { gateways, enrolment, link, lifecycle, clock } = deps;
	const { devices } = deps.telemetry;
	const { ledger } = deps.ledger;
	lifecycle.own(
		'offline watch',
		createOfflineWatch({
			gateways: () => gateways.all(),
			isOnline: (id) => link.presence(id).online,
			devicesOf: (id) => devices.all().flatMap((device) => (device.gatewayId === id ? [device.id] : [])),
			setHealth: devices.setHealth,
			clock,
		}),
	);
	function deviceCounts(): ReadonlyMap<GatewayId, number> {
		const counts = new Map<GatewayId, number>();
		for (const { gatewayId: owner } of devices.all())
			if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1);
		return counts;
	}
	const { presence } = link;
	return { routes: [part(gatewayRoutes, { gateways, enrolment, presence, ledger, deviceCounts, clock }, '/api/v1')] };
}
