import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { previewAnswer } from '../../core/configuration/configuration-view.ts';
import { actorOf, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { ifMatch, withEtag } from '../../core/http/etag.ts';
import { isInTenantOf } from '../../core/identity/role.ts';
import { notFound } from '../../core/kernel/fault.ts';
import { type GatewayId, gatewayId } from '../../core/kernel/id.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import {
	adoptBody,
	type ApplyBody,
	applyBody,
	diffAnswer,
	diffQuery,
	driftAnswer,
	gatewayParams,
	listQuery,
	notedOutcomeView,
	overviewAnswer,
	overviewView,
	previewBody,
	revisionAnswer,
	type RevisionBody,
	revisionBody,
	revisionParams,
	revisionSummary,
	revisionView,
	templateParams,
	toApplyOptions,
	toNewRevision,
} from './configuration-schema.ts';
import type { DocumentName, GatewayConfigurations } from './gateway-configurations.ts';

export interface ConfigurationRoutesOptions {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly configurations: GatewayConfigurations;
	readonly isOnline: (gateway: GatewayId) => boolean;
	/** Time a gateway has to prove itself under a revision unless the call says another, seconds. */
	readonly trialSeconds: number;
}

type OfGateway<P = unknown, Q = object> = Request<{ Params: { gateway_id: string }; Payload: P; Query: Q }>;
type OfRevision<P = unknown> = Request<{ Params: { gateway_id: string; revision: number }; Payload: P }>;

const access = permitted('gateways:configure');
const api = (operationId: string, summary: string) => ({ operationId, tag: 'Configuration', summary });
const ROOT = '/gateways/{gateway_id}/configuration';

/** Configurations of the hub's gateways: revisions, what they would change, and what became of them. */
export const gatewayConfigurationRoutes: Plugin<ConfigurationRoutesOptions> = {
	name: 'gateway-configuration-routes',
	register(server, { gateways, configurations, isOnline, trialSeconds }) {
		/** @throws Fault `not-found` also for a gateway of another tenant */
		function gatewayOf(request: Pick<OfGateway, 'params' | 'auth'>): GatewayId {
			const id = gatewayId(request.params.gateway_id);
			const record = gateways.find(id);
			if (record === null || !isInTenantOf(actorOf(request), record)) throw notFound('gateway', id);
			return id;
		}

		async function overview(gateway: GatewayId) {
			const head = configurations.head(gateway);
			const details = await configurations.details(gateway, head.outcomes[0]?.details ?? null);
			return overviewView(head, isOnline(gateway), details);
		}

		async function outcomesOf(gateway: GatewayId, revision: number) {
			const outcomes = configurations.head(gateway).outcomes.filter((one) => one.revision === revision);
			return Promise.all(
				outcomes.map(async (one) => notedOutcomeView(one, await configurations.details(gateway, one.details))),
			);
		}

		const preview = described(access, {
			...api('previewGatewayConfiguration', 'What a document would change at a gateway; nothing is changed'),
			answers: { 200: previewAnswer },
		});

		server.route({
			method: 'GET',
			path: ROOT,
			options: {
				...described(access, {
					...api('getGatewayConfiguration', 'Where the configuration of a gateway stands'),
					answers: { 200: overviewAnswer },
					etag: true,
				}),
				validate: { params: gatewayParams },
				handler: async (request: OfGateway, h: ResponseToolkit) => {
					const gateway = gatewayOf(request);
					return withEtag(h.response(await overview(gateway)), configurations.head(gateway).lastRevision);
				},
			},
		});
		server.route({
			method: 'GET',
			path: `${ROOT}/revisions`,
			options: {
				...described(access, {
					...api('listConfigurationRevisions', 'Revisions of a gateway, newest first, without their documents'),
					answers: { 200: Joi.array().items(revisionSummary) },
				}),
				validate: { params: gatewayParams, query: listQuery },
				handler: (request: OfGateway<unknown, { limit: number; before?: number }>) => {
					const { limit, before = Infinity } = request.query;
					const all = configurations.revisions(gatewayOf(request));
					return all
						.filter(({ revision }) => revision < before)
						.slice(0, limit)
						.map(revisionView);
				},
			},
		});
		server.route({
			method: 'POST',
			path: `${ROOT}/revisions`,
			options: {
				...described(access, {
					...api('createConfigurationRevision', 'A new revision, from a document or from a patch; nothing is sent yet'),
					answers: { 200: revisionSummary, 201: revisionSummary },
					etag: true,
				}),
				validate: { params: gatewayParams, payload: revisionBody },
				handler: async (request: OfGateway<RevisionBody>, h: ResponseToolkit) => {
					const gateway = gatewayOf(request);
					const { email } = actorOf(request);
					const made = await configurations.create(gateway, toNewRevision(request.payload), email, ifMatch(request));
					const view = revisionView(made.revision);
					noteChange(request, { target: gateway, before: null, after: view });
					return withEtag(h.response(view), made.revision.revision).code(made.isNew ? 201 : 200);
				},
			},
		});
		server.route({
			method: 'GET',
			path: `${ROOT}/revisions/{revision}`,
			options: {
				...described(access, {
					...api('getConfigurationRevision', 'One revision, its document, and what became of it'),
					answers: { 200: revisionAnswer },
					etag: true,
				}),
				validate: { params: revisionParams },
				handler: async (request: OfRevision, h: ResponseToolkit) => {
					const gateway = gatewayOf(request);
					const { revision: number } = request.params;
					const view = {
						...revisionView(configurations.find(gateway, number)),
						document: await configurations.read(gateway, number),
						outcomes: await outcomesOf(gateway, number),
					};
					return withEtag(h.response(view), number);
				},
			},
		});
		server.route({
			method: 'GET',
			path: `${ROOT}/current`,
			options: {
				...described(access, {
					...api('getCurrentConfiguration', 'What the gateway really runs, changes at its site included'),
					answers: { 200: Joi.object().unknown().label('ConfigurationDocument') },
				}),
				validate: { params: gatewayParams },
				handler: (request: OfGateway) => configurations.read(gatewayOf(request), 'current'),
			},
		});
		server.route({
			method: 'GET',
			path: `${ROOT}/templates/{sha256}`,
			options: {
				...described(access, {
					...api('getConfigurationTemplate', 'The content of a device template that a revision names'),
					answers: { 200: Joi.object().unknown().label('TemplateContent') },
				}),
				validate: { params: templateParams },
				handler: (request: Request<{ Params: { gateway_id: string; sha256: string } }>) =>
					configurations.template(gatewayOf(request), request.params.sha256),
			},
		});
		server.route({
			method: 'GET',
			path: `${ROOT}/diff`,
			options: {
				...described(access, {
					...api('diffConfigurations', 'The patch from one revision to another, or to what the gateway runs'),
					answers: { 200: diffAnswer },
				}),
				validate: { params: gatewayParams, query: diffQuery },
				handler: async (request: OfGateway<unknown, { from: DocumentName; to: DocumentName }>) => ({
					patch: await configurations.diffOf(gatewayOf(request), request.query.from, request.query.to),
				}),
			},
		});
		server.route({
			method: 'POST',
			path: `${ROOT}/preview`,
			options: {
				...preview,
				app: { ...preview.app, audit: false },
				validate: { params: gatewayParams, payload: previewBody },
				handler: async (request: OfGateway<RevisionBody & { readonly revision?: number }>) => {
					const gateway = gatewayOf(request);
					const { revision, ...draft } = request.payload;
					const document = revision === undefined ? draft.document : await configurations.read(gateway, revision);
					return configurations.preview(gateway, { ...toNewRevision(draft), document });
				},
			},
		});
		server.route({
			method: 'POST',
			path: `${ROOT}/revisions/{revision}/apply`,
			options: {
				...described(access, {
					...api(
						'applyConfigurationRevision',
						'Have the gateway run a revision, on trial; it waits while the gateway is away',
					),
					answers: { 202: overviewAnswer },
				}),
				validate: { params: revisionParams, payload: applyBody },
				handler: async (request: OfRevision<ApplyBody | null>, h: ResponseToolkit) => {
					const gateway = gatewayOf(request);
					const { revision } = request.params;
					const before = await overview(gateway);
					const options = toApplyOptions(request.payload, trialSeconds);
					await configurations.apply(gateway, revision, options, actorOf(request).email);
					noteChange(request, { target: gateway, before: before.order, after: { revision, ...options } });
					return h.response(await overview(gateway)).code(202);
				},
			},
		});
		server.route({
			method: 'POST',
			path: `${ROOT}/rollback`,
			options: {
				...described(access, {
					...api('rollBackGatewayConfiguration', 'Have the gateway go back to what it ran before its present revision'),
					answers: { 202: overviewAnswer },
				}),
				validate: { params: gatewayParams },
				handler: async (request: OfGateway, h: ResponseToolkit) => {
					const gateway = gatewayOf(request);
					const before = await overview(gateway);
					await configurations.rollBack(gateway, actorOf(request).email);
					const after = await overview(gateway);
					noteChange(request, { target: gateway, before: before.order, after: after.order });
					return h.response(after).code(202);
				},
			},
		});
		server.route({
			method: 'GET',
			path: `${ROOT}/drift`,
			options: {
				...described(access, {
					...api('getConfigurationDrift', 'What was changed at the gateway since the revision it runs'),
					answers: { 200: driftAnswer },
				}),
				validate: { params: gatewayParams },
				handler: async (request: OfGateway) => {
					const gateway = gatewayOf(request);
					const patch = await configurations.drift(gateway);
					return { base_revision: configurations.head(gateway).state?.revision ?? 0, patch };
				},
			},
		});
		server.route({
			method: 'POST',
			path: `${ROOT}/drift/adopt`,
			options: {
				...described(access, {
					...api('adoptConfigurationDrift', 'Make a revision of what the gateway runs, and have it run that'),
					answers: { 201: revisionSummary },
				}),
				validate: { params: gatewayParams, payload: adoptBody },
				handler: async (request: OfGateway<{ comment: string } | null>, h: ResponseToolkit) => {
					const gateway = gatewayOf(request);
					const { email } = actorOf(request);
					const adopted = await configurations.adopt(gateway, request.payload?.comment ?? '', email);
					noteChange(request, { target: gateway, before: null, after: revisionView(adopted) });
					return h.response(revisionView(adopted)).code(201);
				},
			},
		});
	},
};
