import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../../core/audit/audit-note.ts';
import { anyUser, ofBox, permitted } from '../../../core/http/access.ts';
import { described } from '../../../core/http/describe.ts';
import { portAnswer, portBody, portView } from './port-schema.ts';
import type { SerialPorts } from './serial-ports.ts';

type Adopting = Request<{ Payload: { path: string } }>;

const api = (operationId: string, summary: string) => ({ operationId, tag: 'Lines', summary });

/** The serial ports of this gateway: what an installer chooses from. */
export const portRoutes: Plugin<{ readonly ports: Pick<SerialPorts, 'list' | 'adopt'> }> = {
	name: 'port-routes',
	register(server, { ports }) {
		server.route({
			method: 'GET',
			path: '/ports',
			options: {
				...described(ofBox(anyUser), {
					...api('listPorts', 'The serial ports of this gateway, their adapters and who uses them'),
					answers: { 200: Joi.array().items(portAnswer) },
				}),
				handler: async () => (await ports.list()).map(portView),
			},
		});
		server.route({
			method: 'POST',
			path: '/ports/adopt',
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('adoptPort', 'The adapter that has this path now replaces the one that was known'),
					answers: { 204: null },
				}),
				validate: { payload: portBody },
				handler: async ({ app, payload }: Adopting, h: ResponseToolkit) => {
					const knownAs = async () => (await ports.list()).find((port) => port.knownAs.includes(payload.path)) ?? null;
					const before = await knownAs();
					await ports.adopt(payload.path);
					const after = await knownAs();
					noteChange(
						{ app },
						{
							target: payload.path,
							before: before === null ? null : portView(before),
							after: after === null ? null : portView(after),
						},
					);
					return h.response().code(204);
				},
			},
		});
	},
};
