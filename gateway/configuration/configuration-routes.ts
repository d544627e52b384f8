import type { Plugin, Request } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { previewAnswer } from '../../core/configuration/configuration-view.ts';
import { actorOf, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { configurationAnswer, configurationView } from './configuration-schema.ts';
import type { StartedConfiguration } from './open-configuration.ts';

export interface ConfigurationRoutesOptions {
	readonly gatewayId: GatewayId;
	readonly configuration: Pick<StartedConfiguration, 'configuration' | 'whole' | 'inTurn'>;
}

const previewBody = Joi.object({ document: Joi.object().unknown().required() });

const access = ofBox(permitted('gateways:configure'));
const api = (operationId: string, summary: string) => ({ operationId, tag: 'Configuration', summary });

/** What this gateway runs, where it differs from the hub's revision, and the way back. */
export const configurationRoutes: Plugin<ConfigurationRoutesOptions> = {
	name: 'configuration-routes',
	register(server, { gatewayId, configuration: { configuration, whole, inTurn } }) {
		const view = () => configurationView(configuration.state(false), whole(), configuration.drift());

		const preview = described(access, {
			...api('previewConfiguration', 'What a document would change here; nothing is changed'),
			answers: { 200: previewAnswer },
		});

		server.route({
			method: 'GET',
			path: '/configuration',
			options: {
				...described(access, {
					...api('getConfiguration', 'What this gateway runs, and how it differs from the revision of its hub'),
					answers: { 200: configurationAnswer },
				}),
				handler: view,
			},
		});
		server.route({
			method: 'POST',
			path: '/configuration/preview',
			options: {
				...preview,
				app: { ...preview.app, audit: false },
				validate: { payload: previewBody },
				handler: (request: Request<{ Payload: { document: object } }>) =>
					configuration.preview(request.payload.document),
			},
		});
		server.route({
			method: 'POST',
			path: '/configuration/rollback',
			options: {
				...described(access, {
					...api('rollBackConfiguration', 'Back to what ran before the present revision'),
					answers: { 200: configurationAnswer },
				}),
				handler: async (request) => {
					const before = { revision: configuration.state(false).revision };
					await inTurn(() => configuration.rollBack(actorOf(request).email));
					noteChange(request, { target: gatewayId, before, after: { revision: configuration.state(false).revision } });
					return view();
				},
			},
		});
	},
};
