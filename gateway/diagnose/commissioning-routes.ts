import type { Plugin, Request } from '@hapi/hapi';

import { actorOf, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Credential } from '../../core/pki/certificate.ts';
import type { MakeCommissioningReport } from './commissioning-report.ts';
import { commissioningAnswer, reportView } from './commissioning-schema.ts';
import { signReport } from './report-signature.ts';

export interface CommissioningRoutesOptions {
	readonly makeReport: MakeCommissioningReport;
	/** What the gateway proves itself with; `null` without a hub. */
	readonly credential: () => Credential | null;
	readonly clock: Pick<Clock, 'now'>;
}

/** The hand-over of an installation as JSON; pages print it. Below `/api/v1`. */
export const commissioningRoutes: Plugin<CommissioningRoutesOptions> = {
	name: 'commissioning-routes',
	register(server, { makeReport, credential, clock }) {
		server.route({
			method: 'GET',
			path: '/commissioning-report',
			options: {
				...described(ofBox(permitted('gateways:configure')), {
					operationId: 'getCommissioningReport',
					tag: 'Commissioning',
					summary:
						'What is connected, how well, and what is still to be put right; signed by the gateway when it has a hub',
					answers: { 200: commissioningAnswer },
				}),
				handler(request: Request) {
					const report = reportView(makeReport(clock.now(), actorOf(request).email));
					const own = credential();
					return { report, signature: own && signReport(report, own) };
				},
			},
		});
	},
};
