import type { Plugin, ResponseToolkit } from '@hapi/hapi';

import { publicAccess } from '../http/access.ts';
import { described } from '../http/describe.ts';

export interface AuthorityRoutesOptions {
	/** Certificate of the authority behind HTTPS and MQTT over TLS on this box. */
	readonly caPem: string;
	readonly role: 'gateway' | 'hub';
}

/** The root that phones and devices install to trust this box. To be mounted below `/api/v1`. */
export const authorityRoutes: Plugin<AuthorityRoutesOptions> = {
	name: 'authority-routes',
	register(server, { caPem, role }) {
		server.route({
			method: 'GET',
			path: '/certificate-authority',
			options: {
				...described(publicAccess, {
					operationId: 'getCertificateAuthority',
					tag: 'System',
					summary: 'The root certificate of this box, PEM; compare its SHA-256 with the console before you trust it',
					answers: { 200: null },
				}),
				handler: (_request, h: ResponseToolkit) =>
					h
						.response(caPem)
						.type('application/x-pem-file')
						.header('content-disposition', `attachment; filename="drawbridge-${role}-ca.pem"`),
			},
		});
	},
};
