import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import type { SettingsMistake } from '../../config/settings-fault.ts';
import { noteChange } from '../../core/audit/audit-note.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { seesAllDevices } from '../../core/device/device-access.ts';
import { actorOf, anyUser, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { ifChecksumMatches, withChecksumTag } from './template-etag.ts';
import {
	brokenViews,
	lineView,
	shownView,
	templateAnswer,
	templateBody,
	templateLine,
	templateParams,
	type TemplateQuery,
	templateQuery,
} from './template-route-schema.ts';
import type { ShownTemplate, TemplateService } from './template-service.ts';

export interface TemplateRoutesOptions {
	readonly templates: TemplateService;
	/** Of shipped files that cannot be used: `wrong.json: points[0].count`. */
	readonly mistakes: readonly SettingsMistake[];
	readonly devices: Pick<DeviceService, 'get'>;
}

type Named<T = unknown> = Request<{ Params: { template_key: string }; Query: TemplateQuery; Payload: T }>;

const api = (operationId: string, summary: string) => ({ operationId, tag: 'Templates', summary });

/** What the audit log says of a template. */
const noteOf = ({ key, origin, checksum }: ShownTemplate) => ({ key, origin, checksum });

const documentOf = (shown: ShownTemplate, isNamed: boolean, h: ResponseToolkit) =>
	withChecksumTag(h.response(shownView(shown, isNamed)), shown.checksum);

/** Device templates: those of the product, and those that are uploaded to this box. */
export const templateRoutes: Plugin<TemplateRoutesOptions> = {
	name: 'template-routes',
	register(server, { templates, mistakes, devices }) {
		const asUploaded = { isResolved: false, learntOf: null };

		/** What is there, for the audit log; `null`: nothing. */
		const before = (key: string) =>
			templates.all().some((each) => each.key === key) ? noteOf(templates.shown(key, asUploaded)) : null;

		server.route({
			method: 'GET',
			path: '/templates',
			options: {
				...described(anyUser, {
					...api('listTemplates', 'Device templates that can be chosen, and the files that cannot'),
					answers: { 200: Joi.array().items(templateLine) },
				}),
				handler: () => [...templates.all().map(lineView), ...brokenViews(mistakes)],
			},
		});
		server.route({
			method: 'GET',
			path: '/templates/{template_key}',
			options: {
				...described(anyUser, {
					...api('getTemplate', 'One device template: the document as uploaded, or written out as one'),
					answers: { 200: templateAnswer },
					etag: true,
				}),
				validate: { params: templateParams, query: templateQuery },
				handler: (request: Named, h: ResponseToolkit) => {
					const { resolved: isResolved, learnt_of: device } = request.query;
					const learntOf = device === undefined ? null : devices.get(device, actorOf(request));
					const shown = templates.shown(request.params.template_key, { isResolved, learntOf });
					return documentOf(shown, seesAllDevices(actorOf(request)), h);
				},
			},
		});
		server.route({
			method: 'PUT',
			path: '/templates/{template_key}',
			options: {
				...described(ofBox(permitted('templates:write')), {
					...api('putTemplate', 'Upload a device template; its devices are read by it at once'),
					answers: { 200: templateAnswer },
					refusals: [409],
					etag: true,
				}),
				validate: { params: templateParams, payload: templateBody },
				handler: async (request: Named<JsonValue>, h: ResponseToolkit) => {
					const { template_key: key } = request.params;
					const old = before(key);
					const shown = await templates.put(key, request.payload, ifChecksumMatches(request));
					noteChange(request, { target: key, before: old, after: noteOf(shown) });
					return documentOf(shown, seesAllDevices(actorOf(request)), h);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/templates/{template_key}',
			options: {
				...described(ofBox(permitted('templates:delete')), {
					...api('deleteTemplate', 'Remove an uploaded template that no device uses'),
					answers: { 204: null },
					refusals: [409],
					etag: true,
				}),
				validate: { params: templateParams },
				handler: async (request: Named, h: ResponseToolkit) => {
					const { template_key: key } = request.params;
					const old = before(key);
					await templates.remove(key, ifChecksumMatches(request));
					noteChange(request, { target: key, before: old, after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
