import { hostname } from 'node:os';
import { join } from 'node:path';

import type { Server } from '@hapi/hapi';

import { shownSettings } from '../config/shown-settings.ts';
import { brokerProbe } from '../core/box/box-components.ts';
import { addBoxMetrics } from '../core/box/box-metrics.ts';
import { openHttp } from '../core/box/http-part.ts';
import { addClockMetrics } from '../core/box/time-part.ts';
import { createLater } from '../core/kernel/later.ts';
import { createLifecycle, type Stoppable } from '../core/kernel/lifecycle.ts';
import { createRelay } from '../core/kernel/relay.ts';
import type { Broker } from '../core/mqtt/mqtt.ts';
import { createMetrics } from '../core/system/metrics.ts';
import { openBroker } from './broker/broker-part.ts';
import { openMqttAccounts } from './broker/mqtt-account-part.ts';
import { openBundles } from './bundle/bundle-part.ts';
import { openGatewayCommands } from './command/command-part.ts';
import { startConfiguration } from './configuration/configuration-part.ts';
import { openDiagnosis } from './diagnose/diagnose-part.ts';
import { type DriverPart, openDrivers } from './driver/driver-part.ts';
import { addGatewayMetrics, collectorCounts, gatewayComponents, uplinkProbe } from './gateway-status.ts';
import { type GatewayDeps, type Ground, openGround } from './ground-part.ts';
import { createRemoteCalls } from './remote/remote-calls.ts';
import { createDeviceUplink } from './sync/device-uplink.ts';
import { openRecords } from './sync/open-records.ts';
import { ownDocuments } from './sync/own-documents.ts';
import { openScans } from './scan/scan-part.ts';
import { identifySunspec } from './sunspec/sunspec-discovery.ts';
import { openSunspec } from './sunspec/sunspec-part.ts';
import type { Loss } from './telemetry-part.ts';
import { openTemplates } from './template/template-part.ts';
import { createTimeUplink } from './time/time-uplink.ts';
import { openOwnLedger } from './uplink/own-ledger.ts';
import type { Uplink } from './uplink/uplink.ts';
import { openRollupUplink } from './uplink/rollup-uplink.ts';
import { openUplink } from './uplink/uplink-part.ts';

export interface Gateway extends Stoppable {
	readonly httpPort: number;
	/** `null`: off; so is the next. */
	readonly httpsPort: number | null;
	readonly mqttPort: number;
	readonly mqttTlsPort: number | null;
	/** REST as it is mounted; calls can be injected. */
	readonly server: Server;
	/** Code for the first administrator; `null` once claimed. */
	readonly claimCode: string | null;
}

/** Parts that are made after others which need them; those ask for them when something happens, not while they are made. */
const createLaterParts = () => ({
	/** What the journal loses is told to the hub; it opens first, and may have no room. */
	losses: createRelay<Loss>(),
	/** Commands are delivered over it, and come over it. */
	broker: createLater<Pick<Broker, 'deliver'>>('the broker'),
	/** Commands are written to its lines; another configuration is looked at by it. */
	drivers: createLater<DriverPart>('the drivers'),
	/** Another configuration may say that the hub is elsewhere, and comes over it. */
	uplink: createLater<Uplink>('the uplink'),
	/** The hub's calls are put to it; it shows where the uplink stands. */
	server: createLater<Server>('the server'),
});

type LaterParts = ReturnType<typeof createLaterParts>;

/** The appliance: every part in start order. Stopping goes backwards, so nothing accepts what can no longer be kept. */
export async function composeGateway(deps: GatewayDeps): Promise<Gateway> {
	const lifecycle = createLifecycle(deps.log);
	try {
		const later = createLaterParts();
		const ground = await openGround(
			deps,
			{ lost: later.losses.tell, moved: (ranges) => later.uplink.find()?.moved(ranges) },
			lifecycle,
		);
		const field = await openField(deps, ground, later);
		return await serve(deps, ground, field, later);
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}
}

/** What reaches devices and the hub: commands, configuration, the broker, the uplink, and what polls. */
async function openField({ version, sunspecFolder, log }: GatewayDeps, ground: Ground, later: LaterParts) {
	const { base, time, opened, store, gatewayId, audit, lanTls, telemetry, thinned, alarmPart, serialPorts } = ground;
	const { ports } = serialPorts;
	const { data, lifecycle, clock } = base;
	const { settings, templates, mistakes } = opened;
	const { journal, history, devices, deviceRepository, listeners } = telemetry;
	const commands = await openGatewayCommands({
		...base,
		devices,
		templates,
		deliver: (...message) => later.broker.get().deliver(...message),
		bus: (line) => later.drivers.get().busInUse(line),
	});
	const mqttAccounts = await openMqttAccounts({ ...base, devices });
	const configuration = await startConfiguration({
		...base,
		opened,
		gatewayId,
		devices,
		deviceRepository,
		listeners,
		rearranged: () => later.drivers.find()?.rearranged() ?? Promise.resolve(),
		linkMoved: () => later.uplink.find()?.relink() ?? Promise.resolve(),
		loginsOf: mqttAccounts.accounts.device.changed,
		hubCa: () => store.enrolment()?.caPem ?? null,
	});
	const local = await openBroker({ ...base, settings, lanTls, telemetry, mqttAccounts, commands, audit });
	later.broker.set(local.broker);
	const parts = { ...alarmPart, ...commands.part };
	const records = lifecycle.own('record uplink', openRecords({ node: gatewayId, ...parts, devices, log }));
	const documents = ownDocuments(devices, deviceRepository);
	const deviceUplink = lifecycle.own('device uplink', createDeviceUplink({ ...documents, log }));
	devices.listen(deviceUplink.device);
	const ledger = await openOwnLedger({
		...base,
		folder: join(data, 'ledger'),
		gatewayId,
		journal,
		history,
		devices,
		deviceIds: () => [...deviceRepository.all()].map(({ id }) => id),
	});
	const bundles = await openBundles({ ...base, gatewayId, journal, settle: time.settle, store });
	const rollups = openRollupUplink({ ...base, ...telemetry, thinned, gatewayId, lost: later.losses.tell });
	const up = openUplink({
		...base,
		gatewayId,
		store,
		telemetry,
		ledger,
		reachedAt: () => opened.now().uplink,
		name: () => opened.now().site.name || hostname(),
		version,
		backfillBytesPerSecond: settings.uplink.backfillBytesPerSecond,
		enrolment: settings.uplink,
		journalMaxBytes: settings.journal.maxBytes,
		settle: time.settle,
		// In the order in which they begin a session.
		features: [
			records,
			deviceUplink,
			rollups,
			createTimeUplink({ keeper: time, clock, log }),
			commands.feature,
			configuration.feature,
			...bundles.features,
			createRemoteCalls({ server: later.server.find, isAllowed: settings.uplink.remoteCalls, log }),
		],
	});
	later.uplink.set(up.uplink);
	later.losses.attach((losses) => losses.forEach(({ range, reason }) => up.uplink.lost(range, reason)));
	const fieldTlsFolder = join(data, 'field-tls');
	const drivers = openDrivers({ ...base, templates, ports, fieldTlsFolder, telemetry });
	later.drivers.set(drivers);
	const diagnosis = openDiagnosis({
		...base,
		drivers,
		telemetry,
		templates,
		mistakes,
		time,
		gateway: () => ({
			id: gatewayId,
			site: opened.now().site.name,
			hostname: hostname(),
			version,
			isEnrolled: store.enrolment() !== null,
		}),
		credential: () => store.enrolment()?.own ?? null,
	});
	const scans = await openScans({
		...base,
		templates,
		devices: () => devices.all(),
		bus: drivers.bus,
		lineNamed: drivers.lineNamed,
		createLine: drivers.createLine,
		ports,
		discoverSunspec: identifySunspec,
	});
	const siteTemplates = openTemplates({ opened, devices, drivers, log });
	const sunspec = openSunspec({ folder: sunspecFolder, lines: scans.lines });
	const routes = [
		...mqttAccounts.routes,
		...bundles.routes(up.uplink),
		...drivers.routes,
		...diagnosis.routes,
		...scans.routes,
		...sunspec.routes,
		...siteTemplates.routes,
		...serialPorts.routes,
		...configuration.routes,
		...up.routes,
	];
	return { commands, configuration, local, ledger, up, drivers, diagnosis, scans, routes };
}

type Field = Awaited<ReturnType<typeof openField>>;

/** REST, realtime and pages; then devices are read, and what an earlier life of this process has left is taken up. */
async function serve(deps: GatewayDeps, ground: Ground, field: Field, later: LaterParts): Promise<Gateway> {
	const { base, time, opened, storage, telemetry, alarmPart, claimCode } = ground;
	const { commands, configuration, local, ledger, up, drivers, diagnosis, scans } = field;
	const { settings, mistakes } = opened;
	const { journal, history } = telemetry;
	const { broker, mqtt, mqttTls } = local;
	const metrics = createMetrics();
	let isStarted = false;
	const http = await openHttp({
		...ground,
		...base,
		...alarmPart,
		...settings.http,
		role: 'gateway',
		version: deps.version,
		https: settings.https.enabled ? settings.https : null,
		web: deps.web,
		commands: commands.part,
		components: gatewayComponents({
			journal: () => journal.stats(),
			mqtt: () => mqtt.state(),
			uplink: up.status,
			lines: drivers.lines,
			templateMistakes: mistakes.length,
		}),
		mqtt: brokerProbe(() => mqtt.state(), broker),
		uplink: uplinkProbe(up.status, () => up.uplink.roundTripMs()),
		pipelines: () => collectorCounts(drivers.lines()),
		settings: shownSettings('gateway', settings),
		metrics,
		isStarted: () => isStarted,
		deviceNotice: (device, isNamed) => drivers.notice(device, isNamed),
		more: field.routes,
	});
	later.server.set(http.server);
	scans.announce(http.realtime);
	storage.addMetrics(metrics);
	addBoxMetrics(metrics, {
		journal: () => journal.stats(),
		history: () => history.stats(),
		samples: telemetry.telemetry.acceptedSamples,
		realtime: () => http.realtime.connections(),
	});
	addClockMetrics(metrics, time.status);
	ledger.addMetrics(metrics, up.uplink.owedRanges);
	addGatewayMetrics(metrics, { uplink: up.status, broker: () => broker.stats(), lines: drivers.lines });
	diagnosis.addMetrics(metrics);
	await drivers.begin();
	configuration.resume();
	commands.resume();
	up.start();
	isStarted = true;
	return {
		httpPort: http.listening.state().port,
		httpsPort: http.https?.state().port ?? null,
		mqttPort: mqtt.state().port,
		mqttTlsPort: mqttTls?.state().port ?? null,
		server: http.server,
		claimCode: claimCode.current(),
		stop: () => base.lifecycle.stop(),
	};
}
