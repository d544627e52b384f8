import type { Plugin } from '@hapi/hapi';

import { permitted } from '../http/access.ts';
import { described } from '../http/describe.ts';
import { timeAnswer, timeView } from './time-schema.ts';
import type { ClockStatus } from './time-keeper.ts';

export interface TimeRoutesOptions {
	readonly status: () => ClockStatus;
}

/** The clock of the box. Registered below the prefix of its family. */
export const timeRoutes: Plugin<TimeRoutesOptions> = {
	name: 'time-routes',
	register(server, { status }) {
		server.route({
			method: 'GET',
			path: '/system/time',
			options: {
				...described(permitted('system:read'), {
					operationId: 'getSystemTime',
					tag: 'System',
					summary: 'The clock of the system: how good it is, its jumps, and under which clock readings were stamped',
					answers: { 200: timeAnswer },
				}),
				handler: () => timeView(status()),
			},
		});
	},
};
