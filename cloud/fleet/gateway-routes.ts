import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { actorOf, anyUser, permitted, publicAccess } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { createRateLimiter } from '../../core/http/rate-limit.ts';
import { networkKey } from '../../core/kernel/network-key.ts';
import { type Actor, isInTenantOf } from '../../core/identity/role.ts';
import { type Clock, toIso } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { type GatewayId, gatewayId } from '../../core/kernel/id.ts';
import { MAX_CSR_CHARACTERS } from '../../core/link/link-messages.ts';
import type { CodeFor, EnrolmentService } from '../enrolment/enrolment-service.ts';
import { bootsView, holeView, lostView } from '../../core/ledger/completeness-schema.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import { enrolmentAnswer, enrolmentCodeAnswer, gatewayAnswer, ledgerAnswer } from './gateway-schema.ts';
import type { GatewayPresence, GatewayRecord, GatewayRepository } from './gateway-record.ts';

export interface GatewayRoutesOptions {
	readonly gateways: GatewayRepository;
	readonly enrolment: EnrolmentService;
	readonly presence: (gateway: GatewayId) => GatewayPresence;
	readonly ledger: Pick<Ledger, 'completeness' | 'spans'>;
	/** Devices of each gateway that has some. */
	readonly deviceCounts: () => ReadonlyMap<GatewayId, number>;
	readonly clock: Clock;
}

/** Tries to enrol, per address: enough for a site that is switched on at once, too few to fill the log. */
const ENROLMENTS_PER_MINUTE = 60;

const params = Joi.object({ gateway_id: Joi.string().guid().lowercase().required() });

const digestText = Joi.string()
	.pattern(/^[A-Za-z0-9_-]{43}$/)
	.required();

const enrolmentBody = Joi.object({
	code_id: Joi.string().length(4).required(),
	gateway_id: Joi.string().guid().lowercase().required(),
	name: Joi.string().max(255).allow('').required(),
	csr: Joi.string().max(MAX_CSR_CHARACTERS).required(),
	nonce: Joi.string().min(16).max(64).required(),
	proof: digestText,
});

/** A code for this one gateway, which may be enrolled; without a body: for any that is not. */
const codeBody = Joi.object({ gateway_id: Joi.string().guid().lowercase().allow(null) }).allow(null);

interface CodeBody {
	readonly gateway_id?: string | null;
}

interface EnrolmentBody {
	readonly code_id: string;
	readonly gateway_id: string;
	readonly name: string;
	readonly csr: string;
	readonly nonce: string;
	readonly proof: string;
}

type ById = Request<{ Params: { gateway_id: string } }>;

const api = (operationId: string, summary: string) => ({ operationId, tag: 'Gateways', summary });

/** The hub's gateways: who is there, what is missing and why, and letting new ones in. */
export const gatewayRoutes: Plugin<GatewayRoutesOptions> = {
	name: 'gateway-routes',
	register(server, { gateways, enrolment, presence, ledger, deviceCounts, clock }) {
		const limiter = createRateLimiter({ clock, perMinute: ENROLMENTS_PER_MINUTE });

		function toView(record: GatewayRecord, counts = deviceCounts()) {
			const { online, lastSeenAt, version } = presence(record.id);
			const expiry = record.certificates.at(-1)?.expiresAt;
			const { receivedSamples, missingSamples, declaredLostSamples } = ledger.completeness(record.id);
			return {
				id: record.id,
				name: record.name === '' ? record.id : record.name,
				tenant_id: record.tenantId,
				online,
				version,
				last_seen_at: lastSeenAt === null ? null : toIso(lastSeenAt),
				enrolled_at: toIso(record.enrolledAt),
				certificate_expires_at: expiry === undefined ? null : toIso(expiry),
				revoked_at: record.revokedAt === null ? null : toIso(record.revokedAt),
				devices: counts.get(record.id) ?? 0,
				received_samples: receivedSamples,
				missing_samples: missingSamples,
				declared_lost_samples: declaredLostSamples,
			};
		}

		function visible(id: GatewayId, actor: Actor): GatewayRecord {
			const record = gateways.find(id);
			if (record === null || !isInTenantOf(actor, record)) throw new Fault('not-found', `gateway ${id} does not exist`);
			return record;
		}

		const find = (request: ById): GatewayRecord => visible(gatewayId(request.params.gateway_id), actorOf(request));

		/** What a code is for: a gateway that the caller may see, or any new one of the caller's tenant. */
		function codeFor(id: string | null, actor: Actor): CodeFor {
			if (id === null) return { tenantId: actor.tenantId, onlyFor: null };
			const known = gateways.find(gatewayId(id)) === null ? null : visible(gatewayId(id), actor);
			return { tenantId: known?.tenantId ?? actor.tenantId, onlyFor: gatewayId(id) };
		}

		server.route({
			method: 'GET',
			path: '/gateways',
			options: {
				...described(anyUser, {
					...api('listGateways', 'The gateways of this hub'),
					answers: { 200: Joi.array().items(gatewayAnswer) },
				}),
				handler: (request) => {
					const actor = actorOf(request);
					const counts = deviceCounts();
					return gateways
						.all()
						.filter((record) => isInTenantOf(actor, record))
						.map((record) => toView(record, counts));
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/gateways/{gateway_id}/ledger',
			options: {
				...described(anyUser, {
					...api('getGatewayLedger', 'What the hub holds of a gateway, and why the rest is missing'),
					answers: { 200: ledgerAnswer },
				}),
				validate: { params },
				handler: (request: ById) => {
					const { id } = find(request);
					const { received, holes, receivedSamples, missingSamples, declaredLostSamples, lostByReason } =
						ledger.completeness(id);
					return {
						gateway_id: id,
						received_samples: receivedSamples,
						missing_samples: missingSamples,
						declared_lost_samples: declaredLostSamples,
						lost_by_reason: lostView(lostByReason),
						received,
						holes: holes.map(holeView),
						boots: bootsView(ledger.spans(id)),
					};
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/gateways/{gateway_id}',
			options: {
				...described(permitted('gateways:delete'), {
					...api('revokeGateway', 'Revoke a gateway: its connection ends at once'),
					answers: { 204: null },
				}),
				validate: { params },
				handler: async (request: ById, h: ResponseToolkit) => {
					const before = toView(find(request));
					await enrolment.revoke(gatewayId(before.id));
					noteChange(request, { target: before.id, before, after: toView(find(request)) });
					return h.response().code(204);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/gateways/enrolment-codes',
			options: {
				...described(permitted('gateways:delete'), {
					...api('createEnrolmentCode', 'A code that lets one gateway in'),
					answers: { 201: enrolmentCodeAnswer },
				}),
				validate: { payload: codeBody },
				handler: async (request: Request<{ Payload: CodeBody | null }>, h: ResponseToolkit) => {
					const onlyFor = request.payload?.gateway_id ?? null;
					const { code, expiresAt } = await enrolment.openCode(codeFor(onlyFor, actorOf(request)));
					const view = { gateway_id: onlyFor, expires_at: toIso(expiresAt) };
					// The first group names a code, and opens nothing.
					noteChange(request, { target: code.slice(0, code.indexOf('-')), before: null, after: view });
					return h.response({ code, ...view }).code(201);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/enrolment',
			options: {
				...described(publicAccess, {
					...api('enrolGateway', 'Enrol a gateway, which proves that it knows a code'),
					answers: { 200: enrolmentAnswer },
				}),
				validate: { payload: enrolmentBody },
				handler: async (request: Request<{ Payload: EnrolmentBody }>) => {
					limiter.take(networkKey(request.info.remoteAddress));
					const { code_id, gateway_id, name, csr, nonce, proof } = request.payload;
					const id = gatewayId(gateway_id);
					const answer = await enrolment.enrol({ codeId: code_id, gatewayId: id, name, csrPem: csr, nonce }, proof);
					const tenant = gateways.find(id)?.tenantId;
					noteChange(request, { target: id, before: null, after: { name, code_id, tenant_id: tenant } });
					return {
						link_host: answer.linkHost,
						link_port: answer.linkPort,
						ca_pem: answer.caPem,
						cert_pem: answer.certPem,
						proof: answer.proof,
					};
				},
			},
		});
	},
};
