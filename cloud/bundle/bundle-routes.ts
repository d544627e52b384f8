import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { actorOf, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import { type BundleUploads, MOST_BUNDLE_BYTES, type Upload } from './bundle-uploads.ts';

/** Largest part of an upload. */
const MOST_PART_BYTES = 524_288;

const count = () => Joi.number().min(0).required();

const uploadAnswer = Joi.object({
	id: Joi.string().guid().required(),
	state: Joi.valid('uploading', 'importing', 'imported', 'refused').required(),
	received_bytes: count(),
	max_part_bytes: count(),
	reason: Joi.string().allow(null).required(),
	result: Joi.object({
		gateway_id: Joi.string().guid().required(),
		stored_samples: count(),
		duplicate_samples: count(),
		refused_samples: count(),
		is_complete: Joi.boolean().required(),
		receipt: Joi.string().required(),
	})
		.allow(null)
		.required(),
}).label('BundleUpload');

const view = ({ id, state, receivedBytes, reason, result }: Upload) => ({
	id,
	state,
	received_bytes: receivedBytes,
	max_part_bytes: MOST_PART_BYTES,
	reason,
	result:
		result === null
			? null
			: {
					gateway_id: result.gateway,
					stored_samples: result.stored,
					duplicate_samples: result.duplicates,
					refused_samples: result.refused,
					is_complete: result.summary.is_complete,
					receipt: result.receipt,
				},
});

const params = Joi.object({ upload_id: Joi.string().guid().lowercase().required() });

type ById = Request<{ Params: { upload_id: string } }>;
type Part = Request<{ Params: { upload_id: string; offset: number }; Payload: unknown }>;

const access = permitted('gateways:configure');
const api = (operationId: string, summary: string) => ({ operationId, tag: 'Gateways', summary });

/** Bundles that were carried here. To be mounted below `/api/v1`. */
export const bundleRoutes: Plugin<{ readonly uploads: BundleUploads }> = {
	name: 'bundle-routes',
	register(server, { uploads }) {
		server.route({
			method: 'POST',
			path: '/gateways/bundles',
			options: {
				...described(access, {
					...api('beginBundle', 'Begin to upload the bundle of a gateway'),
					answers: { 201: uploadAnswer },
				}),
				handler: async (request, h: ResponseToolkit) =>
					h.response(view(await uploads.begin(actorOf(request)))).code(201),
			},
		});
		server.route({
			method: 'PUT',
			path: '/gateways/bundles/{upload_id}/parts/{offset}',
			options: {
				...described(access, {
					...api('addBundlePart', 'The bytes of a bundle from an offset on, application/octet-stream'),
					answers: { 200: uploadAnswer },
					refusals: [404, 409, 413],
				}),
				payload: { parse: false, output: 'data', maxBytes: MOST_PART_BYTES, allow: 'application/octet-stream' },
				validate: {
					params: params.keys({ offset: Joi.number().integer().min(0).max(MOST_BUNDLE_BYTES).required() }),
				},
				handler: async (request: Part) => {
					const { payload } = request;
					if (!Buffer.isBuffer(payload) || payload.length === 0)
						throw fieldFault('rule-violation', 'body', 'must hold bytes of the bundle');
					const { upload_id: id, offset } = request.params;
					return view(await uploads.add(id, actorOf(request), offset, payload));
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/gateways/bundles/{upload_id}/import',
			options: {
				...described(access, {
					...api('importBundle', 'Import what was uploaded; its state tells the outcome'),
					answers: { 202: uploadAnswer },
					refusals: [404, 409],
				}),
				validate: { params },
				handler: (request: ById, h: ResponseToolkit) => {
					const upload = uploads.start(request.params.upload_id, actorOf(request));
					noteChange(request, { target: upload.id, before: null, after: { received_bytes: upload.receivedBytes } });
					return h.response(view(upload)).code(202);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/gateways/bundles/{upload_id}',
			options: {
				...described(access, {
					...api('getBundle', 'How far an upload or import has come'),
					answers: { 200: uploadAnswer },
					refusals: [404],
				}),
				validate: { params },
				handler: (request: ById) => view(uploads.get(request.params.upload_id, actorOf(request))),
			},
		});
		server.route({
			method: 'DELETE',
			path: '/gateways/bundles/{upload_id}',
			options: {
				...described(access, {
					...api('removeBundle', 'Forget an upload'),
					answers: { 204: null },
					refusals: [404, 409],
				}),
				validate: { params },
				handler: async (request: ById, h: ResponseToolkit) => {
					await uploads.remove(request.params.upload_id, actorOf(request));
					return h.response().code(204);
				},
			},
		});
	},
};
