import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { layeredTemplate } from '../../config/template/template-layers.ts';
import { templateFile } from '../../config/template/template-file.ts';
import { deviceParams } from '../../core/device/device-schema.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { actorOf, anyUser, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { Fault, fieldFault } from '../../core/kernel/fault.ts';
import { csvOf, workbookOf } from './export/table-export.ts';
import { thingDescription, thingModel } from './export/thing-description.ts';
import {
	importAnswer,
	type ImportBody,
	importBody,
	importView,
	MAX_BODY_BYTES,
	toImportRequest,
} from './import/import-schema.ts';
import type { ImportService } from './import/import-service.ts';
import { templateParams } from './template-route-schema.ts';
import type { TemplateService } from './template-service.ts';

export interface ExchangeRoutesOptions {
	readonly imports: ImportService;
	readonly templates: Pick<TemplateService, 'template'>;
	readonly devices: Pick<DeviceService, 'get'>;
}

type Template = ReturnType<TemplateService['template']>;

/** Formats of an export: what the file is, how it ends, and how it is made. */
const EXPORTS = {
	json: {
		type: 'application/json',
		ending: 'json',
		make: (template: Template) => `${JSON.stringify(templateFile(template), null, '\t')}\n`,
	},
	csv: { type: 'text/csv; charset=utf-8', ending: 'csv', make: csvOf },
	xlsx: { type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', ending: 'xlsx', make: workbookOf },
	wot: {
		type: 'application/tm+json',
		ending: 'tm.json',
		make: (template: Template) => `${JSON.stringify(thingModel(template), null, '\t')}\n`,
	},
} as const;

type ExportFormat = keyof typeof EXPORTS;

type Exported = Request<{ Params: { template_key: string }; Query: { format: ExportFormat } }>;
type OfDevice = Request<{ Params: { device_id: string } }>;

const api = (operationId: string, summary: string) => ({ operationId, tag: 'Templates', summary });

/** Templates from files of other programs, and for them. */
export const exchangeRoutes: Plugin<ExchangeRoutesOptions> = {
	name: 'exchange-routes',
	register(server, { imports, templates, devices }) {
		const importing = described(ofBox(permitted('templates:write')), {
			...api('importTemplate', 'What a file of another program would be as a template; nothing is stored'),
			answers: { 200: importAnswer },
			refusals: [503],
		});
		server.route({
			method: 'POST',
			path: '/templates/import',
			options: {
				...importing,
				app: { ...importing.app, audit: false },
				payload: { maxBytes: MAX_BODY_BYTES },
				validate: { payload: importBody },
				handler: async ({ payload }: Request<{ Payload: ImportBody }>) => {
					const wanted = toImportRequest(payload);
					return importView(wanted.key, await imports.preview(wanted));
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/templates/{template_key}/export',
			options: {
				...described(anyUser, {
					...api('exportTemplate', 'A template as a file: JSON, CSV, workbook, or W3C WoT Thing Model'),
					answers: { 200: null },
				}),
				validate: {
					params: templateParams,
					query: Joi.object({ format: Joi.valid(...Object.keys(EXPORTS)).default('json') }),
				},
				handler: ({ params, query }: Exported, h: ResponseToolkit) => {
					const template = templates.template(params.template_key);
					if (template.serial !== undefined && query.format !== 'json')
						throw fieldFault(
							'rule-violation',
							'format',
							`a template of serial frames has no registers to put into ${query.format}; must be json`,
						);
					const { type, ending, make } = EXPORTS[query.format];
					const name = `${params.template_key}.${ending}`;
					return h.response(make(template)).type(type).header('content-disposition', `attachment; filename="${name}"`);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/devices/{device_id}/thing-description',
			options: {
				...described(anyUser, {
					...api('describeThing', 'A Modbus TCP device as a W3C WoT Thing Description'),
					answers: { 200: Joi.object().unknown(true).label('ThingDescription') },
					refusals: [409],
				}),
				validate: { params: deviceParams },
				handler: (request: OfDevice, h: ResponseToolkit) => {
					const device = devices.get(request.params.device_id, actorOf(request));
					const { connection } = device;
					if (
						connection?.driver !== 'modbus' ||
						connection.line.transport !== 'tcp' ||
						connection.line.tls !== undefined
					)
						throw new Fault(
							'state-conflict',
							`device ${device.uid} is not on plain Modbus TCP, and the binding has no address for it`,
						);
					const template = layeredTemplate(templates.template(connection.template), connection);
					const thing = {
						id: device.id,
						name: device.name,
						connection: { ...connection, line: connection.line },
						template,
					};
					return h.response(thingDescription(thing)).type('application/td+json');
				},
			},
		});
	},
};
