import type { Server } from '@hapi/hapi';
import { pointFacts } from '../config/template/template.ts';
import { hostname } from 'node:os';
import { join } from 'node:path';

import type { GatewaySettings } from '../config/gateway-settings.ts';
import type { AdministratorSettings } from '../config/read-settings.ts';
import { shownSettings } from '../config/shown-settings.ts';
import { auditMqtt } from '../core/audit/audit-mqtt.ts';
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
import { part } from '../core/http/server.ts';
import type { WebFolder } from '../core/http/static-web.ts';
import { systemTimer } from '../core/journal/set-timer.ts';
import { encodeBlock } from '../core/journal/block-codec.ts';
import type { Clock } from '../core/kernel/clock.ts';
import { messageOf } from '../core/kernel/fault.ts';
import { type DeviceId, deviceUid } from '../core/kernel/id.ts';
import { createLifecycle, type Stoppable } from '../core/kernel/lifecycle.ts';
import type { Logger } from '../core/kernel/log.ts';
import { countOf } from '../core/ledger/range-set.ts';
import type { LossReason, StreamRange } from '../core/ledger/stream-range.ts';
import { DEFAULT_MQTT_LIMITS } from '../core/mqtt/mqtt-limits.ts';
import type { PointFactsOf } from '../core/telemetry/point-facts.ts';
import { createMetrics } from '../core/system/metrics.ts';
import type { SystemTime } from '../core/time/system-time.ts';
import { createBundleExport } from './bundle/bundle-export.ts';
import { bundleRoutes } from './bundle/bundle-routes.ts';
import { openHubBundleKey } from './bundle/hub-bundle-key.ts';
import { openBrokerListeners } from './broker/broker-listeners.ts';
import { createDeviceTopics } from './broker/device-topics.ts';
import { createKnocking } from './broker/knocking.ts';
import { knockingRoutes } from './broker/knocking-routes.ts';
import { createLocalBroker } from './broker/local-broker.ts';
import { mqttAccountRoutes } from './broker/mqtt-account-routes.ts';
import { createMqttAccountService } from './broker/mqtt-account-service.ts';
import { createMqttAccountStore } from './broker/mqtt-account-store.ts';
import { createTelemetryPublisher } from './broker/telemetry-publisher.ts';
import { createDeviceResponses } from './command/device-responses.ts';
import { assertDeviceTakes, createGatewayDelivery } from './command/gateway-delivery.ts';
import { createCommandLink } from './command/command-link.ts';
import { createHubCommands } from './command/hub-commands.ts';
import { createModbusDelivery } from './command/modbus-delivery.ts';
import { createMqttDelivery } from './command/mqtt-delivery.ts';
import { configurationRoutes } from './configuration/configuration-routes.ts';
import { openConfiguration } from './configuration/open-configuration.ts';
import { lineRoutes } from './driver/line-routes.ts';
import { openModbusDriver } from './driver/modbus/open-modbus-driver.ts';
import { templateRoutes } from './driver/template-routes.ts';
import { addGatewayMetrics, collectorCounts, gatewayComponents, uplinkProbe } from './gateway-status.ts';
import { openRecords } from './sync/open-records.ts';
import { createTimeUplink } from './time/time-uplink.ts';
import { createRemoteCalls } from './remote/remote-calls.ts';
import { createUplink, type Uplink, type UplinkStatus } from './uplink/uplink.ts';
import { createUplinkStarter } from './uplink/uplink-starter.ts';
import { uplinkRoutes } from './uplink/uplink-routes.ts';
import { openOwnLedger } from './uplink/own-ledger.ts';
import { openUplinkStore } from './uplink/uplink-store.ts';

export interface GatewayDeps {
	readonly settings: GatewaySettings;
	/** Folder of everything durable. */
	readonly data: string;
	/** Folders of device templates; later ones win. */
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

const LOSS_REASONS: Readonly<Record<string, LossReason>> = { quota: 'journal-quota', 'disk-full': 'disk-full' };

/** The appliance: every part in start order. Stopping goes backwards, so nothing accepts what can no longer be kept. */
export async function composeGateway(deps: GatewayDeps): Promise<Gateway> {
	const { data, version, log } = deps;
	const lifecycle = createLifecycle(log);
	try {
		return await compose();
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}

	async function compose(): Promise<Gateway> {
		let isStarted = false;
		const time = await openTime({ data, wall: deps.clock, system: deps.systemTime, lifecycle, log });
		const { clock } = time;
		let isPolling = false;
		let uplink: Uplink | null = null;
		/** What the journal lost before there was an uplink to tell: it opens first, and may have no room. */
		const untold: (readonly [StreamRange, LossReason])[] = [];
		const lost = (range: StreamRange, reason: LossReason): void => {
			if (uplink === null) untold.push([range, reason]);
			else uplink.lost(range, reason);
		};
		let rest: Server | null = null;
		const opened = await openConfiguration({ ...deps, data, log });
		const { settings, templates, mistakes } = opened;
		const nameOf = (): string => opened.now().site.name || hostname();
		const uplinkStore = await openUplinkStore({ path: join(data, 'uplink.json'), log });
		const gatewayId = uplinkStore.gatewayId();
		const hasHub = (): boolean => uplinkStore.enrolment() !== null;
		const base = { data, lifecycle, clock, log };
		time.identify(gatewayId);
		const storage = await openStorage({ ...base, journal: settings.journal, card: settings.card });
		const audit = await openAudit({ ...base, files: storage.files('audit') });
		const { accounts, tokens, identity, claimCode } = await openIdentity({
			...base,
			...settings.identity,
			administrator: deps.administrator,
		});
		const lanTls = await openLanTls({ data, isLocal: true, moreNames: [], lifecycle, clock, log });
		const pointFactsOf: PointFactsOf = (template, point) => pointFacts(templates.get(template), point);
		const telemetryPart = await openTelemetry({
			data,
			journal: settings.journal,
			files: storage.files,
			holders: uplinkStore.enrolment() === null ? [] : ['uplink'],
			givesUpHeld: true,
			history: { ...settings.history, settle: time.settle },
			origin: gatewayId,
			gatewayId,
			templates,
			pointFactsOf,
			accounts,
			onLoss: ({ reason }, ranges) => {
				for (const range of ranges) lost(range, LOSS_REASONS[reason] ?? 'journal-damaged');
			},
			onMoved: (ranges) => uplink?.moved(ranges),
			lost,
			lifecycle,
			clock,
			log,
		});
		const { journal, devices, deviceRepository, listeners, telemetry } = telemetryPart;
		// What has waited for its time may be sealed.
		time.listen(() => telemetryPart.history.kick());
		await time.begin({
			epoch: journal.epoch,
			lastSeq: telemetry.lastSeq,
			oldestEpoch: () => journal.held()[0]?.epoch ?? journal.epoch,
			hasHub,
		});
		const box = { node: gatewayId, gatewayId, hasHub };
		const alarmPart = await openAlarms({ ...base, ...box, telemetry: telemetryPart, accounts, audit });
		if (opened.isOfFile)
			await devices.declare(settings.devices.map((device) => ({ ...device, uid: deviceUid(device.uid) })));

		const commandPart = await openCommands({
			data,
			devices,
			assertFits: (device, draft) => assertDeviceTakes(device, draft, templates),
			lifecycle,
			clock,
			log,
		});
		const { commands } = commandPart;
		const common = { commands, devices, clock, setTimer: systemTimer, log };
		const deliveries = {
			mqtt: lifecycle.own(
				'MQTT delivery',
				createMqttDelivery({ ...common, deliver: (...message) => broker.deliver(...message) }),
			),
			modbus: lifecycle.own(
				'Modbus delivery',
				createModbusDelivery({
					...common,
					template: (key) => templates.get(key) ?? null,
					bus: (line) => driver.bus(line),
				}),
			),
		};
		await deliveries.modbus.recover();
		const delivery = createGatewayDelivery({ devices, deliveries });
		commands.listen(delivery);
		const commandLink = createCommandLink();
		const hubCommands = createHubCommands({
			...common,
			report: commandLink.report,
		});
		commands.listen(hubCommands.command);
		commandPart.responses.push(hubCommands.response);

		const mqttAccountStore = await createMqttAccountStore(join(data, 'mqtt-accounts.json'), log);
		const mqttAccounts = createMqttAccountService({
			accounts: mqttAccountStore,
			devices,
			clock,
			log,
		});
		const knocking = createKnocking({
			clock,
			isKnown: (login) => mqttAccountStore.find(login) !== null || devices.find(login) !== null,
		});
		const configuration = lifecycle.own(
			'configuration',
			opened.start({
				devices,
				deviceRepository,
				// What polls looks at the devices as they are when the start is over.
				rearranged: () => (isPolling ? applyDevices() : Promise.resolve()),
				linkMoved: () => uplink?.relink() ?? Promise.resolve(),
				loginsOf: mqttAccounts.device.changed,
				hubCa: () => uplinkStore.enrolment()?.caPem ?? null,
				clock,
				setTimer: systemTimer,
				log,
			}),
		);
		devices.listen(configuration.device);
		listeners.push(configuration.reading);
		await configuration.recover();
		const topics = createDeviceTopics({
			devices,
			telemetry,
			clock,
			log,
			onResponse: createDeviceResponses({ commands, listeners: commandPart.responses, log }),
		});
		devices.listen(topics.device);
		const broker = await createLocalBroker({
			accounts: mqttAccounts,
			topics,
			onWrongLogin: (login) => knocking.refused(login),
			onRefused: auditMqtt(audit),
			onSubscribed: delivery.subscribed,
			limits: DEFAULT_MQTT_LIMITS,
			clock,
			log,
		});
		devices.listen(broker.device);
		const publisher = createTelemetryPublisher({ broker, devices });
		listeners.push(publisher.reading);
		devices.listen(publisher.device);
		const { mqtt, mqttTls } = await openBrokerListeners({ broker, settings, lanTls, lifecycle, log });
		// Stops before its listeners: it finishes what it has begun and ends its connections, for which they would wait.
		lifecycle.own('broker', broker);

		const recordUplink = lifecycle.own('record uplink', openRecords({ node: gatewayId, ...alarmPart, devices, log }));
		const own = await openOwnLedger({
			folder: join(data, 'ledger'),
			gatewayId,
			journal,
			history: telemetryPart.history,
			devices,
			deviceIds: () => [...deviceRepository.all()].map(({ id }) => id),
			lifecycle,
			clock,
			log,
		});
		const caPem = (): string | null => uplinkStore.enrolment()?.caPem ?? null;
		const bundleKey = await openHubBundleKey({ path: join(data, 'hub-bundle-key.json'), caPem, log });
		uplink = lifecycle.own(
			'uplink',
			createUplink({
				store: uplinkStore,
				journal,
				encode: (readings, level) => encodeBlock(readings, undefined, level),
				lastSeq: telemetry.lastSeq,
				devices: () => [...deviceRepository.all()].map((device) => devices.find(device.id) ?? device),
				healthOf: (id) => {
					const device = devices.find(id);
					return device === null ? null : devices.health(device);
				},
				reachedAt: () => opened.now().uplink,
				name: nameOf,
				version,
				backfillBytesPerSecond: settings.uplink.backfillBytesPerSecond,
				settle: time.settle,
				...own.forUplink,
				features: [
					recordUplink,
					createTimeUplink({ keeper: time, clock, log }),
					commandLink.feature(hubCommands),
					configuration.uplink,
					bundleKey.feature,
					createRemoteCalls({ server: () => rest, isAllowed: settings.uplink.remoteCalls, log }),
				],
				clock,
				log,
			}),
		);
		const starter = lifecycle.own(
			'enrolment',
			createUplinkStarter({ uplink, store: uplinkStore, settings: settings.uplink, name: nameOf(), log }),
		);
		listeners.push(uplink.offer);
		const up = uplink;
		for (const [range, reason] of untold.splice(0)) up.lost(range, reason);
		const deviceChanged = (id: DeviceId): void => up.deviceChanged(id);
		devices.listen({
			changed: ({ id }) => deviceChanged(id),
			status: ({ id }) => deviceChanged(id),
			health: ({ id }) => deviceChanged(id),
		});

		const driver = lifecycle.own(
			'modbus driver',
			openModbusDriver({
				templates,
				sink: {
					reading(draft) {
						// The journal says why it cannot write; live values go on.
						telemetry
							.accept(draft, 'group')
							.catch((error: unknown) => log.debug('reading-not-durable', { reason: messageOf(error) }));
					},
					health: devices.setHealth,
				},
				clock,
				log,
			}),
		);
		const applyDevices = (): Promise<void> => driver.apply(devices.all());
		const devicesChanged = (): void => {
			applyDevices().catch((error: unknown) => log.error('devices-not-applied', { reason: messageOf(error) }));
		};

		const metrics = createMetrics();
		const status = (): UplinkStatus => {
			const current = up.status();
			return current.enrolled ? current : { ...current, lastError: starter.problem() };
		};
		const http = await openHttp({
			role: 'gateway',
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
			components: gatewayComponents({
				journal: () => journal.stats(),
				mqtt: () => mqtt.state(),
				uplink: status,
				lines: () => driver.lines(),
				templateMistakes: mistakes.length,
			}),
			mqtt: brokerProbe(() => mqtt.state(), broker),
			uplink: uplinkProbe(status, () => up.roundTripMs()),
			pipelines: () => collectorCounts(driver.lines()),
			settings: shownSettings('gateway', settings),
			metrics,
			isStarted: () => isStarted,
			more: [
				part(mqttAccountRoutes, { accounts: mqttAccounts }, '/api/v1'),
				part(knockingRoutes, { knocking, devices, accounts: mqttAccounts }, '/api/v1'),
				part(
					bundleRoutes,
					{
						gatewayId,
						bundle: createBundleExport({
							gatewayId,
							enrolment: uplinkStore.enrolment,
							hubKeyPem: () => bundleKey.current(),
							journal,
							encode: (readings) => encodeBlock(readings),
							settle: time.settle,
							owed: up.owed,
							documents: () => up.documents(),
							clock,
						}),
						caPem,
						acknowledge: up.acknowledge,
					},
					'/api/v1',
				),
				part(lineRoutes, { lines: () => driver.lines() }, '/api/v1'),
				part(templateRoutes, { templates, mistakes }, '/api/v1'),
				part(configurationRoutes, { gatewayId, configuration }, '/api/v1'),
				part(
					uplinkRoutes,
					{
						gatewayId,
						status,
						journal: () => journal.stats(),
						journalMaxBytes: settings.journal.maxBytes,
						storedSamples: () => countOf(journal.held()),
						enrol: (hubUrl, code) => starter.enrol(hubUrl, code),
						leave: () => starter.leave(),
					},
					'/api/v1',
				),
				...own.httpParts(() => up.owedRanges()),
			],
			lifecycle,
			clock,
			log,
		});
		rest = http.server;
		storage.addMetrics(metrics);
		addBoxMetrics(metrics, {
			journal: () => journal.stats(),
			history: () => telemetryPart.history.stats(),
			samples: telemetry.acceptedSamples,
			realtime: () => http.realtime.connections(),
		});
		addClockMetrics(metrics, time.status);
		own.addMetrics(metrics, () => up.owedRanges());
		addGatewayMetrics(metrics, { uplink: status, broker: () => broker.stats(), lines: () => driver.lines() });

		devices.listen({ changed: devicesChanged });
		isPolling = true;
		await applyDevices();
		configuration.resume();
		delivery.resume(commands.open());
		starter.start();
		isStarted = true;
		return {
			httpPort: http.listening.state().port,
			httpsPort: http.https?.state().port ?? null,
			mqttPort: mqtt.state().port,
			mqttTlsPort: mqttTls?.state().port ?? null,
			server: http.server,
			claimCode: claimCode.current(),
			stop: () => lifecycle.stop(),
		};
	}
}
