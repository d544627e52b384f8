import type { Plugin } from '@hapi/hapi';

import { actorOf, anyUser, permitted } from '../http/access.ts';
import type { Actor } from '../identity/role.ts';
import type { Clock } from '../kernel/clock.ts';
import type { DataUsage } from './data-usage.ts';
import type { MonitoringHealth } from './monitoring-health.ts';
import { healthAnswer, healthView, infoAnswer } from './monitoring-schema.ts';

export interface MonitoringRoutesOptions {
	/** e.g. `drawbridge-gateway` */
	readonly service: string;
	readonly version: string;
	readonly health: (actor: Actor) => Promise<MonitoringHealth>;
	/** The settings in force, in the words of the file, without any secret. */
	readonly settings: Readonly<Record<string, unknown>>;
	readonly dataUsage: () => Promise<DataUsage>;
	readonly clock: Clock;
}

const infoAccess = permitted('system:configure');

/** `/monitoring/health` and `/system/info` of reference 000. Registered below the prefix of its family. */
export const monitoringRoutes: Plugin<MonitoringRoutesOptions> = {
	name: 'monitoring-routes',
	register(server, { service, version, health, settings, dataUsage, clock }) {
		const startedAtMs = clock.monotonicMs();

		server.route({
			method: 'GET',
			path: '/monitoring/health',
			options: {
				...anyUser,
				app: {
					...anyUser.app,
					api: {
						operationId: 'getMonitoringHealth',
						tag: 'Monitoring',
						summary: 'Detailed state of the system',
						answers: { 200: healthAnswer },
					},
				},
				handler: async (request) => healthView(await health(actorOf(request))),
			},
		});
		server.route({
			method: 'GET',
			path: '/system/info',
			options: {
				...infoAccess,
				app: {
					...infoAccess.app,
					api: {
						operationId: 'getSystemInfo',
						tag: 'System',
						summary: 'Settings of the system, without any secret',
						answers: { 200: infoAnswer },
					},
				},
				handler: async () => {
					const { usedBytes, freeBytes, totalBytes } = await dataUsage();
					return {
						service,
						version,
						settings,
						node_version: process.versions.node,
						platform: `${process.platform} ${process.arch}`,
						uptime_seconds: Math.floor((clock.monotonicMs() - startedAtMs) / 1_000),
						data: { used_bytes: usedBytes, free_bytes: freeBytes, total_bytes: totalBytes },
					};
				},
			},
		});
	},
};
