import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { actorOf, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { isInTenantOf } from '../../core/identity/role.ts';
import { notFound } from '../../core/kernel/fault.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { OwnRange, ResendService } from './resend-service.ts';

export interface ResendRoutesOptions {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly resend: Pick<ResendService, 'request'>;
}

/** Ranges of one request. */
const MAX_ASKED = 100;

interface ResendBody {
	readonly ranges?: readonly OwnRange[];
	readonly even_if_stored: boolean;
}

const natural = () => Joi.number().integer().min(0).required();

const body = Joi.object<ResendBody>({
	ranges: Joi.array()
		.items(Joi.object({ epoch: natural(), first: natural(), last: natural().min(Joi.ref('first')) }))
		.min(1)
		.max(MAX_ASKED)
		.description('by default everything that is missing'),
	even_if_stored: Joi.boolean()
		.default(false)
		.description('also what the hub has; it is stored once more and shown once'),
}).default({ even_if_stored: false });

const answer = Joi.object({ asked_samples: Joi.number().min(0).required() }).label('Resend');

/** Asks a gateway for samples again. */
export const resendRoutes: Plugin<ResendRoutesOptions> = {
	name: 'resend-routes',
	register(server, { gateways, resend }) {
		server.route({
			method: 'POST',
			path: '/gateways/{gateway_id}/resend',
			options: {
				...described(permitted('gateways:delete'), {
					operationId: 'requestResend',
					tag: 'Gateways',
					summary: 'Ask a gateway again for samples that the hub lacks; it declares lost what it has no more',
					answers: { 202: answer },
				}),
				validate: {
					params: Joi.object({ gateway_id: Joi.string().guid().lowercase().required() }),
					payload: body,
				},
				handler: async (
					request: Request<{ Params: { gateway_id: string }; Payload: ResendBody }>,
					h: ResponseToolkit,
				) => {
					const id = gatewayId(request.params.gateway_id);
					const record = gateways.find(id);
					if (record === null || !isInTenantOf(actorOf(request), record)) throw notFound('gateway', id);
					const { ranges = null, even_if_stored: evenIfStored } = request.payload;
					const samples = resend.request(id, ranges, { evenIfStored });
					noteChange(request, {
						target: id,
						before: null,
						after: { asked_samples: samples, even_if_stored: evenIfStored },
					});
					return h.response({ asked_samples: samples }).code(202);
				},
			},
		});
	},
};
