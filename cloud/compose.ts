import { join } from 'node:path';

import type { Server } from '@hapi/hapi';

import { shownSettings } from '../config/shown-settings.ts';
import { openAlarms } from '../core/box/alarm-part.ts';
import { brokerProbe } from '../core/box/box-components.ts';
import { addBoxMetrics } from '../core/box/box-metrics.ts';
import { openHttp } from '../core/box/http-part.ts';
import { openLanTls } from '../core/box/lan-tls-part.ts';
import { addClockMetrics } from '../core/box/time-part.ts';
import type { Listening } from '../core/http/listen.ts';
import { part } from '../core/http/server.ts';
import { systemTimer } from '../core/journal/set-timer.ts';
import { createLater } from '../core/kernel/later.ts';
import { createLifecycle, type Stoppable } from '../core/kernel/lifecycle.ts';
import { createRelay } from '../core/kernel/relay.ts';
import type { StreamRange } from '../core/ledger/stream-range.ts';
import { ensureSound } from '../core/storage/ensure-sound.ts';
import { createMetrics } from '../core/system/metrics.ts';
import { openBundles } from './bundle/bundle-part.ts';
import { openHubCommands } from './command/command-part.ts';
import { openConfigurations } from './configuration/configuration-part.ts';
import { openEnrolmentCodes } from './enrolment/enrolment-code-store.ts';
import { createEnrolmentService } from './enrolment/enrolment-service.ts';
import { offerFirstCode } from './enrolment/first-code.ts';
import { openLinkTrust } from './enrolment/link-trust.ts';
import { watchFleet } from './fleet/fleet-part.ts';
import { openGatewayStore } from './fleet/gateway-store.ts';
import { type Ground, type HubDeps, openGround } from './ground-part.ts';
import { addHubMetrics, hubComponents } from './hub-status.ts';
import { openHubLedger } from './ingest/ledger-part.ts';
import { createGatewayRollups } from './link/gateway-rollups.ts';
import { openLanes } from './link/lanes-part.ts';
import { createLaterLink } from './link/later-link.ts';
import { openLink } from './link/link-part.ts';
import { createRemoteCalls } from './remote/remote-calls.ts';
import { remoteRoutes } from './remote/remote-routes.ts';
import { createDeviceDownlink } from './sync/device-downlink.ts';
import { openRecords } from './sync/open-records.ts';
import { createGatewayClockStore } from './time/gateway-clock-store.ts';
import { gatewayClockRoutes } from './time/gateway-clock-routes.ts';
import { openGatewayClocks } from './time/gateway-clocks.ts';

export interface Hub extends Stoppable {
	readonly httpPort: number;
	/** `null`: off. */
	readonly httpsPort: number | null;
	readonly linkPort: number;
	/** REST as it is mounted; calls can be injected. */
	readonly server: Server;
	/** Code for the first administrator; `null` once claimed. */
	readonly claimCode: string | null;
}

/** Parts that are made after others which need them; those ask for them when something happens, not while they are made. */
const createLaterParts = () => ({
	/** Samples that the journal loses are asked for again; it opens first, and may find out then. */
	losses: createRelay<StreamRange>(),
	/** What talks over the link is what it is made of. */
	link: createLaterLink(),
	/** A gateway that enrols is told the port; who may enrol is known before anybody can come. */
	listening: createLater<Listening>('the link listener'),
});

type LaterParts = ReturnType<typeof createLaterParts>;

/** The hub: every part in start order. Stopping goes backwards, so nothing accepts what can no longer be kept. */
export async function composeHub(deps: HubDeps): Promise<Hub> {
	const lifecycle = createLifecycle(deps.log);
	try {
		const later = createLaterParts();
		const ground = await openGround(deps, later.losses.tell, lifecycle);
		const fleet = await openFleet(deps, ground, later);
		const gate = await openGate(deps, ground, fleet, later);
		return await serve(deps, ground, fleet, gate);
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}
}

/** What the hub knows of its gateways and has for them: clocks, commands, alarms, the ledger, who they are, configurations, records. */
async function openFleet({ settings }: HubDeps, ground: Ground, { link, listening }: LaterParts) {
	const { base, time, templates, node, audit, accounts, telemetry } = ground;
	const { data, lifecycle, clock, log } = base;
	const { devices, deviceRepository } = telemetry;
	const clocks = await openGatewayClocks({
		store: createGatewayClockStore({ folder: join(data, 'gateway-clocks'), log }),
		send: link.send,
		trustedNow: time.trustedNow,
		now: () => clock.now(),
		log,
	});
	const commands = await openHubCommands({ ...base, telemetry, templates, link });
	const box = { node, gatewayId: null, hasHub: () => false };
	const alarmPart = await openAlarms({ ...base, ...box, time, telemetry, accounts, audit });
	const ledger = await openHubLedger({ ...base, telemetry, link });
	await ensureSound(join(data, 'gateways'), log);
	const gateways = lifecycle.own('gateways', await openGatewayStore(join(data, 'gateways')));
	const publicNames = settings.link.publicHost === '' ? [] : [settings.link.publicHost];
	const lanTls = await openLanTls({ ...base, isLocal: false, moreNames: publicNames });
	const trust = await openLinkTrust({ ...base, gateways, publicNames });
	const lanes = openLanes({ ...base, ledger, telemetry, gateways, link, time });
	const enrolment = createEnrolmentService({
		gateways,
		codes: await openEnrolmentCodes(join(data, 'enrolment-codes.json'), log),
		certificates: trust.certificates,
		answer: () => ({
			linkHost: settings.link.publicHost,
			linkPort: listening.find()?.state().port ?? settings.link.port,
			caPem: trust.authority.caPem,
		}),
		disconnect: link.disconnect,
		clock,
		log,
	});
	const configurations = await openConfigurations({
		...base,
		settings: settings.configuration,
		templates,
		gateways,
		link,
	});
	const records = lifecycle.own(
		'record downlink',
		openRecords({
			node,
			...alarmPart,
			...commands.part,
			gateways,
			devices: deviceRepository,
			send: link.send,
			clock,
			log,
		}),
	);
	devices.listen(records.device);
	const { setHealth } = devices;
	const known = createDeviceDownlink({ devices: deviceRepository, setHealth, send: link.send, clock });
	devices.listen(known.device);
	const { minFreeBytes } = settings.journal;
	const bundles = await openBundles({ ...base, gateways, trust, ledger, lanes, link, minFreeBytes });
	const calls = createRemoteCalls({ send: link.send, setTimer: systemTimer });
	return {
		clocks,
		commands,
		alarmPart,
		ledger,
		gateways,
		lanTls,
		trust,
		lanes,
		enrolment,
		configurations,
		records,
		known,
		bundles,
		calls,
	};
}

type Fleet = Awaited<ReturnType<typeof openFleet>>;

/** The link: from here on gateways can come. */
async function openGate({ settings }: HubDeps, ground: Ground, fleet: Fleet, later: LaterParts) {
	const { base, audit, telemetry } = ground;
	const { gateways, trust, ledger, lanes, bundles, enrolment } = fleet;
	const opened = await openLink({
		...base,
		settings: settings.link,
		trust,
		ledger,
		lanes,
		telemetry,
		gateways,
		audit,
		healthSaid: fleet.known.healthSaid,
		features: [
			fleet.records,
			fleet.known,
			fleet.clocks.feature,
			lanes.feature,
			createGatewayRollups({ receive: telemetry.receiveRollups, ...lanes.checks, log: base.log }),
			fleet.commands.feature,
			fleet.configurations.feature,
			fleet.calls.feature,
			bundles.feature,
		],
	});
	const { link, broker } = opened;
	later.link.set(link);
	later.losses.attach((ranges) => void lanes.resend.lostHere(ranges));
	const bundleRoutes = await bundles.receive((...message) => link.take(...message));
	const listening = await opened.listen();
	later.listening.set(listening);
	const watched = watchFleet({ ...base, gateways, enrolment, link, ledger, telemetry });
	await offerFirstCode({ ...base, gateways, enrolment });
	const routes = [
		part(gatewayClockRoutes, { gateways, clocks: fleet.clocks }, '/api/v1'),
		...bundleRoutes,
		part(remoteRoutes, { gateways, calls: fleet.calls }, '/api/v1'),
		...watched.routes,
		...lanes.routes,
		...ledger.routes,
		...fleet.configurations.routes,
	];
	return { link, broker, state: () => listening.state(), routes };
}

type Gate = Awaited<ReturnType<typeof openGate>>;

/** REST, realtime and pages. */
async function serve(deps: HubDeps, ground: Ground, fleet: Fleet, gate: Gate): Promise<Hub> {
	const { base, time, storage, telemetry, claimCode } = ground;
	const { gateways, ledger, lanes } = fleet;
	const { settings } = deps;
	const { journal, history } = telemetry;
	const metrics = createMetrics();
	let isStarted = false;
	const http = await openHttp({
		...ground,
		...base,
		...fleet.alarmPart,
		...settings.http,
		role: 'hub',
		version: deps.version,
		https: settings.https.enabled ? settings.https : null,
		lanTls: fleet.lanTls,
		web: deps.web,
		commands: fleet.commands.part,
		components: hubComponents({ journal: () => journal.stats(), link: gate.state }),
		mqtt: brokerProbe(gate.state, gate.broker),
		uplink: brokerProbe(gate.state, gate.broker),
		pipelines: () => ({ running: 0, stopped: 0, error: 0 }),
		settings: shownSettings('hub', settings),
		metrics,
		isStarted: () => isStarted,
		more: gate.routes,
	});
	storage.addMetrics(metrics);
	addBoxMetrics(metrics, {
		journal: () => journal.stats(),
		history: () => history.stats(),
		samples: telemetry.telemetry.acceptedSamples,
		realtime: () => http.realtime.connections(),
	});
	addClockMetrics(metrics, time.status);
	addHubMetrics(metrics, {
		gateways: () => gateways.all(),
		presence: (id) => gate.link.presence(id),
		completeness: ledger.ledger.completeness,
		blocks: lanes.ingest.counts,
	});
	ledger.addMetrics(metrics);
	isStarted = true;
	return {
		httpPort: http.listening.state().port,
		httpsPort: http.https?.state().port ?? null,
		linkPort: gate.state().port,
		server: http.server,
		claimCode: claimCode.current(),
		stop: () => base.lifecycle.stop(),
	};
}
