import type { Server } from '@hapi/hapi';
import { pointFacts } from '../config/template/template.ts';
import { KeyObject } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { HubSettings } from '../config/hub-settings.ts';
import type { AdministratorSettings } from '../config/read-settings.ts';
import { parseTemplate, readTemplates } from '../config/template/template-schema.ts';
import { shownSettings } from '../config/shown-settings.ts';
import { auditMqtt } from '../core/audit/audit-mqtt.ts';
import { bundleKeyMessage } from '../core/bundle/bundle-messages.ts';
import { openAudit } from '../core/box/audit-part.ts';
import { openAlarms } from '../core/box/alarm-part.ts';
import { addBoxMetrics } from '../core/box/box-metrics.ts';
import { openCommands } from '../core/box/command-part.ts';
import { brokerProbe } from '../core/box/box-components.ts';
import { openHttp } from '../core/box/http-part.ts';
import { openIdentity } from '../core/box/identity-part.ts';
import { openLanTls } from '../core/box/lan-tls-part.ts';
import { openStorage } from '../core/box/storage-part.ts';
import { openTelemetry } from '../core/box/telemetry-part.ts';
import { addClockMetrics, openTime } from '../core/box/time-part.ts';
import { listenWithRetry, type Listening, NO_GRACE_MS } from '../core/http/listen.ts';
import { part } from '../core/http/server.ts';
import type { WebFolder } from '../core/http/static-web.ts';
import { type Clock, epochMs } from '../core/kernel/clock.ts';
import { systemTimer } from '../core/journal/set-timer.ts';
import { type GatewayId, gatewayId, newGatewayId } from '../core/kernel/id.ts';
import { createLifecycle, type Stoppable } from '../core/kernel/lifecycle.ts';
import type { Logger } from '../core/kernel/log.ts';
import { isEnrolmentCode, LINK_SERVER_NAME } from '../core/link/enrolment.ts';
import { linkMessage } from '../core/link/link-messages.ts';
import { createCompletenessService } from '../core/ledger/completeness-service.ts';
import { completenessRoutes } from '../core/ledger/completeness-routes.ts';
import { addLedgerMetrics } from '../core/ledger/ledger-metrics.ts';
import { createFindReadings } from '../core/ledger/find-readings.ts';
import { sealedReadingsOf } from '../core/ledger/sealed-readings.ts';
import type { StreamRange } from '../core/ledger/stream-range.ts';
import { createBroker } from '../core/mqtt/broker.ts';
import { mqttServer } from '../core/mqtt/mqtt-listener.ts';
import { type ConfigDown, configMessage } from '../core/link/config-messages.ts';
import { openAuthority } from '../core/pki/authority-store.ts';
import { hostNames } from '../core/pki/host-names.ts';
import { openServerCertificate } from '../core/pki/server-certificate.ts';
import { ensureSound } from '../core/storage/ensure-sound.ts';
import { openSettingsStore } from '../core/storage/settings-store.ts';
import { writeFileDurably } from '../core/storage/json-file.ts';
import type { PointFactsOf } from '../core/telemetry/point-facts.ts';
import { createMetrics } from '../core/system/metrics.ts';
import { verdictOn } from '../core/time/possible-time.ts';
import type { SystemTime } from '../core/time/system-time.ts';
import { createBundleImport } from './bundle/bundle-import.ts';
import { openBundleKey } from './bundle/bundle-key-store.ts';
import { bundleRoutes } from './bundle/bundle-routes.ts';
import { openBundleUploads } from './bundle/bundle-uploads.ts';
import { openEnrolmentCodes } from './enrolment/enrolment-code-store.ts';
import { awaitedUntil, createGatewayCommands } from './command/gateway-commands.ts';
import { assertGatewayTakes } from './command/draft-check.ts';
import { createConfigurationLink } from './configuration/configuration-link.ts';
import { gatewayConfigurationRoutes } from './configuration/configuration-routes.ts';
import { createGatewayConfigurations } from './configuration/gateway-configurations.ts';
import { openRevisionStore } from './configuration/revision-store.ts';
import { createEnrolmentService } from './enrolment/enrolment-service.ts';
import { createGatewayCertificates } from './enrolment/gateway-certificates.ts';
import { isLetIn } from './fleet/gateway-record.ts';
import { gatewayRoutes } from './fleet/gateway-routes.ts';
import { createOfflineWatch } from './fleet/offline-watch.ts';
import { openGatewayStore } from './fleet/gateway-store.ts';
import { addHubMetrics, hubComponents } from './hub-status.ts';
import { openLedger } from '../core/ledger/ledger-store.ts';
import { createRemoteCalls } from './remote/remote-calls.ts';
import { remoteRoutes } from './remote/remote-routes.ts';
import { createAcknowledger } from './link/acknowledger.ts';
import { openRecords } from './sync/open-records.ts';
import { createHubLink, LINK_LIMITS } from './link/hub-link.ts';
import { createGatewayClockStore } from './time/gateway-clock-store.ts';
import { gatewayClockRoutes } from './time/gateway-clock-routes.ts';
import { openGatewayClocks } from './time/gateway-clocks.ts';
import { createLinkLanes } from './link/link-lanes.ts';
import { resendRoutes } from './link/resend-routes.ts';

export interface HubDeps {
	readonly settings: HubSettings;
	/** Folder of everything durable. */
	readonly data: string;
	/** Folders of device templates; for units and texts. */
	readonly templateFolders: readonly string[];
	readonly web: WebFolder | null;
	readonly administrator: AdministratorSettings | null;
	readonly version: string;
	/** The clock of the machine. */
	readonly clock: Clock;
	/** What the machine knows of its clock; it is asked where this is missing. */
	readonly systemTime?: SystemTime;
	readonly log: Logger;
}

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

/** The hub: every part in start order. Stopping goes backwards, so nothing accepts what can no longer be kept. */
export async function composeHub(deps: HubDeps): Promise<Hub> {
	const { settings, data, version, log } = deps;
	const lifecycle = createLifecycle(log);
	try {
		return await compose();
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}

	async function compose(): Promise<Hub> {
		let isStarted = false;
		const time = await openTime({ data, wall: deps.clock, system: deps.systemTime, lifecycle, log });
		const { clock } = time;
		const loaded = await Promise.all(deps.templateFolders.map((folder) => readTemplates(folder)));
		const templates = new Map(loaded.flatMap((folder) => Array.from(folder.templates)));
		const hubStore = await openSettingsStore<{ hubId: string | null }>({
			path: join(data, 'hub.json'),
			defaults: { hubId: null },
			log,
		});
		const hubId = hubStore.get().hubId ?? (await hubStore.update(() => ({ hubId: newGatewayId() }))).hubId;
		const storage = await openStorage({
			data,
			journal: settings.journal,
			card: settings.card,
			lifecycle,
			clock,
			log,
		});
		const audit = await openAudit({ data, files: storage.files('audit'), lifecycle, clock, log });
		const { accounts, tokens, identity, claimCode } = await openIdentity({
			data,
			...settings.identity,
			administrator: deps.administrator,
			lifecycle,
			clock,
			log,
		});
		const ownId = gatewayId(hubId ?? newGatewayId());
		time.identify(ownId);
		const pointFactsOf: PointFactsOf = (template, point) => pointFacts(templates.get(template), point);
		// A journal that opens may find out before anybody can be asked.
		const lostEarly: StreamRange[] = [];
		let lostHere = (ranges: readonly StreamRange[]): void => void lostEarly.push(...ranges);
		const telemetryPart = await openTelemetry({
			data,
			journal: settings.journal,
			files: storage.files,
			holders: ['ledger'],
			givesUpHeld: false,
			history: { ...settings.history, settle: time.settle },
			origin: ownId,
			gatewayId: null,
			templates,
			pointFactsOf,
			accounts,
			onLoss: (_loss, ranges) => lostHere(ranges),
			lost: () => undefined,
			lifecycle,
			clock,
			log,
		});
		const { journal, devices, deviceRepository, telemetry } = telemetryPart;
		// What has waited for its time may be sealed.
		time.listen(() => telemetryPart.history.kick());
		await time.begin({
			epoch: journal.epoch,
			lastSeq: telemetry.lastSeq,
			oldestEpoch: () => journal.held().find((held) => held.origin === ownId)?.epoch ?? journal.epoch,
			hasHub: () => false,
		});
		const gatewayClocks = await openGatewayClocks({
			store: createGatewayClockStore({ folder: join(data, 'gateway-clocks'), log }),
			send: (...message) => link.send(...message),
			trustedNow: time.trustedNow,
			now: () => clock.now(),
			log,
		});
		const commandPart = await openCommands({
			data,
			devices,
			assertFits: (device, draft) => assertGatewayTakes(device, draft, templates),
			awaitedUntil,
			lifecycle,
			clock,
			log,
		});
		const gatewayCommands = lifecycle.own(
			'commands of gateways',
			createGatewayCommands({
				commands: commandPart.commands,
				deviceOf: (id) => deviceRepository.find(id),
				send: (gateway, message) => link.send(gateway, 'command', linkMessage('command', message)),
				isOnline: (gateway) => link.presence(gateway).online,
				listeners: commandPart.responses,
				clock,
				log,
			}),
		);
		commandPart.commands.listen(gatewayCommands.command);
		const box = { node: ownId, gatewayId: null, hasHub: () => false };
		const common = { telemetry: telemetryPart, accounts, audit, lifecycle, clock, log };
		const alarmPart = await openAlarms({ data, ...box, ...common });
		const ledgerFile = lifecycle.own(
			'ledger',
			await openLedger({
				folder: join(data, 'ledger'),
				journal,
				sealed: sealedReadingsOf({
					devices: () => [...deviceRepository.all()].map(({ id }) => id),
					history: telemetryPart.history,
				}),
				log,
			}),
		);
		const { ledger } = ledgerFile;
		await ensureSound(join(data, 'gateways'), log);
		const gateways = lifecycle.own('gateways', await openGatewayStore(join(data, 'gateways')));
		const publicNames = settings.link.publicHost === '' ? [] : [settings.link.publicHost];
		const lanTls = await openLanTls({ data, isLocal: false, moreNames: publicNames, lifecycle, clock, log });
		const linkAuthority = await openAuthority({
			folder: data,
			name: 'link',
			commonName: 'Drawbridge link authority',
			isLocal: false,
			log,
		});
		const linkCertificate = lifecycle.own(
			'link certificate',
			await openServerCertificate({
				authority: linkAuthority,
				commonName: 'Drawbridge hub',
				names: () => [LINK_SERVER_NAME, ...hostNames(), ...publicNames],
				validity: 'always',
				clock,
				log,
			}),
		);
		const certificates = createGatewayCertificates({ gateways, authority: linkAuthority, clock, log });

		const acknowledger = createAcknowledger((gateway, ack) => link.acknowledge(gateway, ack));
		lifecycle.own('acknowledger', acknowledger);
		const lanes = createLinkLanes({
			ledgerFile,
			journal,
			telemetry,
			deviceOf: (id) => deviceRepository.find(id),
			verdictOn: (readAt) => verdictOn(readAt, time.trustedNow()),
			acknowledge: acknowledger.received,
			find: createFindReadings({
				devices: () => [...deviceRepository.all()].map(({ id }) => id),
				history: telemetryPart.history,
				ledger,
			}),
			send: (...message) => link.send(...message),
			isOnline: (gateway) => link.presence(gateway).online,
			online: () => gateways.all().flatMap(({ id }) => (link.presence(id).online ? [id] : [])),
			lifecycle,
			clock,
			log,
		});
		const { ingest, resend } = lanes;
		let linkListening: Listening | null = null;
		const enrolment = createEnrolmentService({
			gateways,
			codes: await openEnrolmentCodes(join(data, 'enrolment-codes.json'), log),
			certificates,
			answer: () => ({
				linkHost: settings.link.publicHost,
				linkPort: linkListening?.state().port ?? settings.link.port,
				caPem: linkAuthority.caPem,
			}),
			disconnect: (gateway, why) => link.disconnect(gateway, why),
			clock,
			log,
		});
		const revisions = lifecycle.own('configurations', await openRevisionStore(join(data, 'configuration'), log));
		const sendConfig = (gateway: GatewayId, message: ConfigDown): boolean =>
			link.send(gateway, 'config', configMessage(message));
		const configurations = createGatewayConfigurations({
			repository: revisions,
			send: sendConfig,
			parseTemplate,
			clock,
		});
		const recordDownlink = lifecycle.own(
			'record downlink',
			openRecords({
				node: ownId,
				...alarmPart,
				gateways,
				devices: deviceRepository,
				send: (...message) => link.send(...message),
				clock,
				log,
			}),
		);
		devices.listen(recordDownlink.device);
		const bundleKey = await openBundleKey(join(data, 'bundle.key'), log);
		const remoteCalls = createRemoteCalls({
			send: (...message) => link.send(...message),
			setTimer: systemTimer,
		});
		const link = createHubLink({
			certificates,
			ingest,
			ledger,
			saveLedger: () => ledgerFile.save(),
			adopt: async (device) => {
				// A gateway knows one tenant only, its own; here it is that of whoever enrolled it.
				const tenantId = device.gatewayId === null ? device.tenantId : gateways.find(device.gatewayId)?.tenantId;
				await devices.adopt({ ...device, tenantId: tenantId ?? device.tenantId });
			},
			ownerOf: (id) => deviceRepository.find(id)?.gatewayId ?? null,
			setHealth: devices.setHealth,
			lossNoted: acknowledger.lossNoted,
			takeHistory: (...block) => lanes.takeHistory(...block),
			boots: lanes.boots,
			features: [
				recordDownlink,
				gatewayClocks.feature,
				lanes.feature,
				gatewayCommands.feature,
				createConfigurationLink({ configurations, repository: revisions, send: sendConfig, clock, log }),
				remoteCalls.feature,
				{
					hears: {},
					begin: (gateway) => void link.send(gateway, 'bundle', bundleKeyMessage(bundleKey.publicKey)),
				},
			],
			clock,
			log,
		});
		const broker = await createBroker({ log, clock, limits: LINK_LIMITS, onRefused: auditMqtt(audit), ...link.policy });
		link.attach(broker);
		lostHere = (ranges) => void resend.lostHere(ranges);
		lostHere(lostEarly);
		const uploads = lifecycle.own(
			'bundle uploads',
			await openBundleUploads({
				folder: join(data, 'bundles'),
				importBundle: createBundleImport({
					gateways,
					caPem: linkAuthority.caPem,
					signingKey: KeyObject.from(linkAuthority.key),
					privateKey: bundleKey.privateKey,
					ingest: (gateway, block) => ingest.ingest(gateway, 'backfill', block),
					take: (...message) => link.take(...message),
					held: (gateway) => ({ received: ledger.receivedFrom(gateway, 0), losses: ledger.lostOf(gateway) }),
					clock,
					log,
				}),
				minFreeBytes: settings.journal.minFreeBytes,
				clock,
				log,
			}),
		);
		// With the authority in it: gateways have to show their certificates.
		const tls = { ...linkCertificate.current(), onChange: linkCertificate.onChange };
		linkListening = lifecycle.own(
			'link listener',
			await listenWithRetry({
				name: 'link',
				listener: mqttServer({ ...broker, log, tls }),
				host: settings.link.host,
				port: settings.link.port,
				log,
				graceMs: NO_GRACE_MS,
			}),
		);
		// Stops before its listener: it finishes what it has begun and ends its connections, for which the listener would wait.
		lifecycle.own('link broker', broker);
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
		await offerFirstCode();

		const completeness = createCompletenessService({
			history: telemetryPart.history,
			ledger,
			originOf: (device) => device.gatewayId,
			// What a gateway that is away has read since is on its way.
			heardUntil: (gateway) => (link.presence(gateway).online ? clock.now() : (ledger.newestAt(gateway) ?? epochMs(0))),
			countsInTransit: true,
			clock,
		});
		const metrics = createMetrics();
		const listening = linkListening;
		const linkState = () => listening.state();
		const http = await openHttp({
			role: 'hub',
			time,
			version,
			data,
			...settings.http,
			https: settings.https.enabled ? settings.https : null,
			lanTls,
			web: deps.web,
			audit,
			storage,
			accounts,
			identity,
			tokens,
			telemetry: telemetryPart,
			commands: commandPart,
			...alarmPart,
			pointFactsOf,
			components: hubComponents({ journal: () => journal.stats(), link: linkState }),
			mqtt: brokerProbe(linkState, broker),
			uplink: brokerProbe(linkState, broker),
			pipelines: () => ({ running: 0, stopped: 0, error: 0 }),
			settings: shownSettings('hub', settings),
			metrics,
			isStarted: () => isStarted,
			more: [
				part(gatewayClockRoutes, { gateways, clocks: gatewayClocks }, '/api/v1'),
				part(bundleRoutes, { uploads }, '/api/v1'),
				part(remoteRoutes, { gateways, calls: remoteCalls }, '/api/v1'),
				part(
					gatewayRoutes,
					{
						gateways,
						enrolment,
						presence: (id) => link.presence(id),
						ledger,
						deviceCounts,
						clock,
					},
					'/api/v1',
				),
				part(resendRoutes, { gateways, resend }, '/api/v1'),
				part(completenessRoutes, { devices, completeness, clock }, '/api/v1'),
				part(
					gatewayConfigurationRoutes,
					{
						gateways,
						configurations,
						isOnline: (id) => link.presence(id).online,
						trialSeconds: settings.configuration.trialSeconds,
					},
					'/api/v1',
				),
			],
			lifecycle,
			clock,
			log,
		});
		storage.addMetrics(metrics);
		addBoxMetrics(metrics, {
			journal: () => journal.stats(),
			history: () => telemetryPart.history.stats(),
			samples: telemetry.acceptedSamples,
			realtime: () => http.realtime.connections(),
		});
		addClockMetrics(metrics, time.status);
		addHubMetrics(metrics, {
			gateways: () => gateways.all(),
			presence: (id) => link.presence(id),
			completeness: ledger.completeness,
			blocks: ingest.counts,
		});
		const ledgers = () => ledger.origins().map((gateway) => ledger.completeness(gateway));
		addLedgerMetrics(metrics, {
			completeness: ledgers,
			missingSamples: () => ledgers().reduce((sum, { missingSamples }) => sum + missingSamples, 0),
		});
		isStarted = true;
		return {
			httpPort: http.listening.state().port,
			httpsPort: http.https?.state().port ?? null,
			linkPort: linkState().port,
			server: http.server,
			claimCode: claimCode.current(),
			stop: () => lifecycle.stop(),
		};

		function deviceCounts(): ReadonlyMap<GatewayId, number> {
			const counts = new Map<GatewayId, number>();
			for (const { gatewayId: owner } of devices.all())
				if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1);
			return counts;
		}

		/** A hub without gateways leaves a code in its data folder: whoever reads it has the machine in hand. */
		async function offerFirstCode(): Promise<void> {
			const path = join(data, 'enrolment-code');
			if (gateways.all().some(isLetIn)) {
				await rm(path, { force: true });
				return;
			}
			const offered = await readFile(path, 'utf8').catch(() => '');
			if (isEnrolmentCode(offered) && (await enrolment.isOpen(offered))) return;
			const { code } = await enrolment.openCode();
			await writeFileDurably(path, `${code}\n`);
		}
	}
}
