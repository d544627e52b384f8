import type { Server } from '@hapi/hapi';

/** A gateway that runs the revision of its hub as it is. */
export function configurationRoutes(server: Server): void {
	server.route({
		method: 'GET',
		path: '/api/v1/configuration',
		handler: () => ({
			revision: 4,
			drift: [],
			previous_revision: 3,
			trial: null,
			last: null,
			restart_needed: [],
		}),
	});
}
