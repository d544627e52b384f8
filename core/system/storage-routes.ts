import type { Plugin } from '@hapi/hapi';

import { ofBox, permitted } from '../http/access.ts';
import { described } from '../http/describe.ts';
import type { StorageReport } from './storage-report.ts';
import { storageAnswer, storageView } from './storage-schema.ts';

export interface StorageRoutesOptions {
	readonly report: () => Promise<StorageReport>;
}

/** `/system/storage`: what is stored, what writing it wears, what a power cut would cost. */
export const storageRoutes: Plugin<StorageRoutesOptions> = {
	name: 'storage-routes',
	register(server, { report }) {
		server.route({
			method: 'GET',
			path: '/system/storage',
			options: described(ofBox(permitted('system:read')), {
				operationId: 'getSystemStorage',
				tag: 'System',
				summary: 'Sizes, quotas, bytes written per day and projected life of the card',
				answers: { 200: storageAnswer },
			}),
			handler: async () => storageView(await report()),
		});
	},
};
