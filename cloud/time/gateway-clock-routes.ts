import type { Plugin, Request } from '@hapi/hapi';
import Joi from 'joi';

import { actorOf, anyUser } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { isInTenantOf } from '../../core/identity/role.ts';
import { toIso } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import { CLOCK_QUALITIES } from '../../core/time/clock-quality.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { GatewayClocks } from './gateway-clocks.ts';

export interface GatewayClockRoutesOptions {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly clocks: Pick<GatewayClocks, 'clockOf' | 'erasOf' | 'qualityOf'>;
}

type ById = Request<{ Params: { gateway_id: string }; Query: { epoch?: number; seq?: number } }>;

const params = Joi.object({ gateway_id: Joi.string().guid().lowercase().required() });
const natural = Joi.number().integer().min(0);
const query = Joi.object({ epoch: natural, seq: natural }).and('epoch', 'seq');
const quality = Joi.valid(...CLOCK_QUALITIES);

const answer = Joi.object({
	gateway_id: Joi.string().guid().required(),
	clock_quality: quality
		.allow(null)
		.required()
		.description('null before the gateway has spoken since the start of the hub'),
	offset_ms: natural.min(Number.MIN_SAFE_INTEGER).allow(null).required().description("Its clock minus the hub's"),
	said_at: Joi.string().isoDate().allow(null).required(),
	sample_quality: quality.allow(null).required().description('Of the sample that was asked for, by epoch and number'),
	eras: Joi.array()
		.items(
			Joi.object({
				epoch: natural.required(),
				first_seq: natural.required(),
				clock_quality: quality.required(),
				is_estimated: Joi.boolean().required(),
				delta_ms: Joi.number().integer().allow(null).required(),
			}),
		)
		.required(),
});

/** How good a gateway's clock is, and was when it read its samples. Registered below the prefix of its family. */
export const gatewayClockRoutes: Plugin<GatewayClockRoutesOptions> = {
	name: 'gateway-clock-routes',
	register(server, { gateways, clocks }) {
		server.route({
			method: 'GET',
			path: '/gateways/{gateway_id}/clock',
			options: {
				...described(anyUser, {
					operationId: 'getGatewayClock',
					tag: 'Gateways',
					summary: 'How good the clock of a gateway is, and was when it read its samples',
					answers: { 200: answer },
				}),
				validate: { params, query },
				handler: (request: ById) => {
					const id = gatewayId(request.params.gateway_id);
					const record = gateways.find(id);
					if (record === null || !isInTenantOf(actorOf(request), record))
						throw new Fault('not-found', `gateway ${id} does not exist`);
					const clock = clocks.clockOf(id);
					const { epoch, seq } = request.query;
					return {
						gateway_id: id,
						clock_quality: clock?.quality ?? null,
						offset_ms: clock?.offsetMs ?? null,
						said_at: clock === null ? null : toIso(clock.saidAt),
						sample_quality: epoch === undefined || seq === undefined ? null : clocks.qualityOf(id, epoch, seq),
						eras: clocks.erasOf(id).map((era) => ({
							epoch: era.epoch,
							first_seq: era.firstSeq,
							clock_quality: era.quality,
							is_estimated: era.isEstimated,
							delta_ms: era.deltaMs,
						})),
					};
				},
			},
		});
	},
};
