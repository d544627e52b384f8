import { auditMqtt } from '../../core/audit/audit-mqtt.ts';
import type { AuditLog } from '../../core/audit/audit.ts';
import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type Listening, listenWithRetry, NO_GRACE_MS } from '../../core/http/listen.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { HubLinkFeature } from '../../core/link/link-feature.ts';
import { createBroker } from '../../core/mqtt/broker.ts';
import { mqttServer } from '../../core/mqtt/mqtt-listener.ts';
import type { LinkTrust } from '../enrolment/link-trust.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { LedgerPart } from '../ingest/ledger-part.ts';
import { createHubLink, type HubLinkDeps, LINK_LIMITS } from './hub-link.ts';
import type { LanesPart } from './lanes-part.ts';

export interface LinkPartDeps {
	readonly settings: { readonly host: string; readonly port: number };
	readonly trust: Pick<LinkTrust, 'certificate' | 'certificates'>;
	readonly ledger: Pick<LedgerPart, 'file' | 'ledger'>;
	readonly lanes: LanesPart;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'deviceRepository'>;
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly audit: Pick<AuditLog, 'refused'>;
	/** Hears the word of a gateway on its device. */
	readonly healthSaid: HubLinkDeps['setHealth'];
	readonly features: readonly HubLinkFeature[];
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The hub's end of the link and its broker; gateways can come after `listen`. */
export async function openLink(deps: LinkPartDeps) {
	const { settings, trust, ledger, lanes, gateways, lifecycle, clock, log } = deps;
	const { devices, deviceRepository } = deps.telemetry;
	const link = createHubLink({
		certificates: trust.certificates,
		ingest: lanes.ingest,
		ledger: ledger.ledger,
		saveLedger: () => ledger.file.save(),
		adopt: async (device) => {
			// A gateway knows one tenant only, its own; here it is that of whoever enrolled it.
			const tenantId = device.gatewayId === null ? device.tenantId : gateways.find(device.gatewayId)?.tenantId;
			await devices.adopt({ ...device, tenantId: tenantId ?? device.tenantId });
		},
		ownerOf: (id) => deviceRepository.find(id)?.gatewayId ?? null,
		setHealth: deps.healthSaid,
		lossNoted: lanes.lossNoted,
		takeHistory: (...block) => lanes.takeHistory(...block),
		boots: lanes.boots,
		features: deps.features,
		clock,
		log,
	});
	const broker = await createBroker({
		log,
		clock,
		limits: LINK_LIMITS,
		onRefused: auditMqtt(deps.audit),
		...link.policy,
	});
	link.attach(broker);
	return {
		link,
		broker,
		async listen(): Promise<Listening> {
			const { current, onChange } = trust.certificate;
			// With the authority in it: gateways have to show their certificates.
			const tls = { ...current(), onChange };
			const listening = await listenWithRetry({
				name: 'link',
				listener: mqttServer({ ...broker, log, tls }),
				host: settings.host,
				port: settings.port,
				log,
				graceMs: NO_GRACE_MS,
			});
			lifecycle.own('link listener', listening);
			// Stops before its listener: it finishes what it has begun and ends its connections, for which the listener would wait.
			lifecycle.own('link broker', broker);
			return listening;
		},
	};
}
