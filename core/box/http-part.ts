import { analyticsRoutes } from '../analytics/analytics-routes.ts';
import { auditHttp } from '../audit/audit-http.ts';
import { auditRoutes } from '../audit/audit-routes.ts';
import type { AuditCaller } from '../audit/audit-note.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import { createCommandRealtime } from '../command/command-realtime.ts';
import { commandRoutes } from '../command/command-routes.ts';
import { join } from 'node:path';

import { alarmRoutes } from '../alarm/alarm-routes.ts';
import type { AlarmService } from '../alarm/alarm-service.ts';
import { createTelemetryRealtime } from '../telemetry/telemetry-realtime.ts';
import { telemetryRoutes } from '../telemetry/telemetry-routes.ts';
import { maySee } from '../device/device-access.ts';
import type { Device } from '../device/device.ts';
import { deviceRoutes } from '../device/device-routes.ts';
import { aggregateRoutes } from '../history/aggregate-routes.ts';
import type { WebFolder } from '../http/static-web.ts';
import { httpsListener } from '../http/https-listener.ts';
import { type Listening, listenWithRetry } from '../http/listen.ts';
import { openAnswerStore } from '../http/answer-store.ts';
import { createHttpServer, DEFAULT_HTTP_LIMITS, type HttpPart, part, startHttp } from '../http/server.ts';
import { asyncApiDocument } from '../http/openapi/asyncapi-document.ts';
import { documentRoutes } from '../http/openapi/document-routes.ts';
import { identityRoutes } from '../identity/identity-routes.ts';
import type { Account } from '../identity/account.ts';
import type { AccountDirectory } from '../identity/account-directory.ts';
import type { AccessTokens } from '../identity/access-token.ts';
import type { Identity } from '../identity/identity.ts';
import { type Actor, refusePasswordDue } from '../identity/role.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { systemTimer } from '../journal/set-timer.ts';
import { createNotificationRealtime } from '../notification/notification-realtime.ts';
import type { NotificationService } from '../notification/notification-service.ts';
import { authorityRoutes } from '../pki/authority-routes.ts';
import { createRealtimeServer, DEFAULT_REALTIME_LIMITS } from '../realtime/realtime-server.ts';
import type { Component } from '../system/health.ts';
import type { Metrics } from '../system/metrics.ts';
import type { PointFactsOf } from '../telemetry/point-facts.ts';
import { createMonitoringHealth, type PipelineCounts, type ProbedComponent } from '../system/monitoring-health.ts';
import { monitoringRoutes, type MonitoringRoutesOptions } from '../system/monitoring-routes.ts';
import { storageRoutes } from '../system/storage-routes.ts';
import { systemRoutes } from '../system/system-routes.ts';
import type { TimeKeeper } from '../time/time-keeper.ts';
import { timeRoutes } from '../time/time-routes.ts';
import type { LanTls } from './lan-tls-part.ts';
import { openAnalytics } from './analytics-part.ts';
import { addAuditMetrics, auditComponent } from './audit-part.ts';
import { addCommandMetrics, type CommandPart } from './command-part.ts';
import type { StoragePart } from './storage-part.ts';
import type { TelemetryPart } from './telemetry-part.ts';
import { clockComponent } from './time-part.ts';

export interface HttpPartDeps {
	readonly role: 'gateway' | 'hub';
	readonly version: string;
	/** Folder of everything durable. */
	readonly data: string;
	readonly host: string;
	readonly port: number;
	/** The same over TLS; `null`: off. */
	readonly https: { readonly host: string; readonly port: number } | null;
	readonly lanTls: LanTls;
	/** API requests per second of each address and each account in the long run. */
	readonly requestsPerSecond: number;
	/** Origins of other hosts' pages that may use REST and Socket.IO. */
	readonly corsOrigins: readonly string[];
	readonly web: WebFolder | null;
	readonly time: Pick<TimeKeeper, 'status'>;
	readonly audit: AuditStore;
	readonly storage: Pick<StoragePart, 'report' | 'dataUsage'>;
	readonly accounts: Pick<AccountDirectory, 'byEmail' | 'listen'>;
	readonly identity: Identity;
	readonly tokens: AccessTokens;
	readonly telemetry: TelemetryPart;
	readonly commands: CommandPart;
	readonly alarms: AlarmService;
	readonly notifications: NotificationService;
	readonly pointFactsOf: PointFactsOf;
	readonly components: readonly Component[];
	/** The local broker and the way to the hub; on a hub its link for gateways is both. */
	readonly mqtt: ProbedComponent;
	readonly uplink: ProbedComponent;
	/** Scheduled jobs by state; on a gateway the lines that are polled. */
	readonly pipelines: () => PipelineCounts;
	/** The settings in force, in the words of the file, without any secret. */
	readonly settings: Readonly<Record<string, unknown>>;
	readonly metrics: Metrics;
	readonly isStarted: () => boolean;
	/** What whoever saved a device should know although it was saved, other devices being named or not; `null`: nothing. Absent: there never is anything. */
	readonly deviceNotice?: (device: Device, isNamed: boolean) => string | null;
	/** Routes that only this hull has. */
	readonly more: readonly HttpPart[];
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

const V1 = '/api/v1';

const toCaller = (account: Account | undefined): AuditCaller | undefined =>
	account && { userId: account.id, email: account.email, tenantId: account.tenantId };

function monitoringOf(deps: HttpPartDeps): MonitoringRoutesOptions {
	const { role, version, telemetry, tokens, clock } = deps;
	const { devices, probes } = telemetry;
	return {
		service: `drawbridge-${role}`,
		version,
		clock,
		health: createMonitoringHealth({
			components: { ...probes, mqtt: deps.mqtt, uplink: deps.uplink },
			pipelines: deps.pipelines,
			activeDevices: (actor) =>
				devices.all().filter((device) => device.status === 'online' && maySee(actor, device)).length,
			activeAlerts: (actor) => deps.alarms.activeAlerts(actor),
			clock,
			setTimer: systemTimer,
		}),
		settings: {
			...deps.settings,
			access_token_expire_seconds: tokens.lifetimeSeconds,
			rate_limit_per_minute: deps.requestsPerSecond * 60,
		},
		dataUsage: deps.storage.dataUsage,
	};
}

/** REST, realtime and pages: what both hulls serve, and what the hull adds. */
export async function openHttp(deps: HttpPartDeps) {
	const { role, version, audit, identity, tokens, telemetry, lanTls, lifecycle, clock, log } = deps;
	const { devices, latest, listeners } = telemetry;
	addAuditMetrics(deps.metrics, () => audit.stats());
	telemetry.overflow.addMetrics(deps.metrics);
	const analytics = await openAnalytics({ data: deps.data, telemetry, lifecycle, clock, log });
	const server = await createHttpServer({
		log,
		tokens,
		web: deps.web,
		requestLimit: { requestsPerSecond: deps.requestsPerSecond, clock },
		corsOrigins: deps.corsOrigins,
		answers: await openAnswerStore({ folder: join(deps.data, 'answers'), clock, log }),
		parts: [
			part(auditHttp, { audit, callerByEmail: (email) => toCaller(deps.accounts.byEmail(email)) }),
			part(systemRoutes, {
				service: `drawbridge-${role}`,
				version,
				clock,
				components: [...deps.components, auditComponent(() => audit.stats()), clockComponent(deps.time.status)],
				isStarted: deps.isStarted,
				metrics: deps.metrics,
			}),
			part(
				identityRoutes,
				{
					identity,
					clock,
					role,
					version,
					secureCookies: false,
					authorityFingerprint: deps.https === null ? null : lanTls.fingerprint,
				},
				V1,
			),
			part(authorityRoutes, { caPem: lanTls.caPem, role }, V1),
			part(
				deviceRoutes,
				{ devices, log, ...(deps.deviceNotice === undefined ? {} : { notice: deps.deviceNotice }) },
				V1,
			),
			part(
				telemetryRoutes,
				{
					devices,
					telemetry: telemetry.telemetry,
					pointFactsOf: deps.pointFactsOf,
					charts: { column: (query) => telemetry.history.column(query), aggregate: telemetry.aggregate },
					clock,
				},
				V1,
			),
			part(aggregateRoutes, { devices, aggregate: telemetry.aggregate, ruleOf: telemetry.ruleOf, clock }, V1),
			part(auditRoutes, { audit }, V1),
			part(analyticsRoutes, { analytics }, V1),
			part(monitoringRoutes, monitoringOf(deps), V1),
			part(timeRoutes, { status: deps.time.status }, V1),
			part(
				storageRoutes,
				{ report: () => deps.storage.report(telemetry.journal.stats(), telemetry.overflow.notes()) },
				V1,
			),
			part(commandRoutes, { commands: deps.commands.commands, devices, clock }, V1),
			part(documentRoutes, { info: { title: `Drawbridge ${role}`, version }, asyncApi: asyncApiDocument(version) }),
			part(alarmRoutes, { alarms: deps.alarms }, V1),
			...deps.more,
		],
	});
	/** Nothing there serves to change a password. */
	function verifyForRealtime(token: string): Actor {
		const actor = tokens.verify(token);
		refusePasswordDue(actor);
		return actor;
	}
	const realtime = createRealtimeServer({
		listener: server.listener,
		tokens: { ...tokens, verify: verifyForRealtime },
		audit,
		clock,
		setTimer: systemTimer,
		log,
		limits: DEFAULT_REALTIME_LIMITS,
		origins: deps.corsOrigins,
	});
	deps.accounts.listen(({ id }) => realtime.accountChanged(id));
	const monitoring = createTelemetryRealtime({ realtime, devices, latest, pointFactsOf: deps.pointFactsOf, clock });
	listeners.push(monitoring.reading);
	devices.listen(monitoring.device);
	const commanding = createCommandRealtime({
		realtime,
		commands: deps.commands.commands,
		devices,
		audit: deps.audit,
		log,
	});
	deps.commands.responses.push(commanding.response);
	devices.listen(commanding.device);
	addCommandMetrics(deps.metrics, deps.commands);
	deps.notifications.addChannel(createNotificationRealtime({ realtime }));
	let https: Listening | null = null;
	const running = await startHttp({ server, host: deps.host, port: deps.port, log });
	// Together, so that slow clients of both have one time to finish.
	lifecycle.own('http', { stop: async () => void (await Promise.all([running.stop(), https?.stop()])) });
	if (deps.https !== null) https = await openHttps(deps.https);
	// Stops before the server, which would wait for its connections.
	lifecycle.own('realtime', realtime);
	return { server, listening: running.listening, https, realtime };

	async function openHttps({ host, port }: { readonly host: string; readonly port: number }): Promise<Listening> {
		const listener = httpsListener({ plain: server.listener, certificate: lanTls, limits: DEFAULT_HTTP_LIMITS, log });
		return listenWithRetry({ name: 'https', listener, host, port, log });
	}
}
