import type { Plugin, RequestRoute } from '@hapi/hapi';
import Joi from 'joi';

import { publicAccess } from '../access.ts';
import { described } from '../describe.ts';
import { openApiDocument, type OpenApiInfo } from './openapi-document.ts';

export interface DocumentRoutesOptions {
	readonly info: OpenApiInfo;
	/** The AsyncAPI document of this box's MQTT topics and Socket.IO events. */
	readonly asyncApi: object;
}

const TAG = 'API documents';

/** Routes of the API that the document would have to leave out. */
const undescribed = (routes: readonly RequestRoute[]): readonly string[] =>
	routes
		.filter(({ path, settings }) => path.startsWith('/api/') && settings.app?.api === undefined)
		.map(({ method, path }) => `${method.toUpperCase()} ${path} does not say what it is (app.api)`);

/**
 * The documents of the API, for anybody: they hold what the product can do, and nothing of what is in it. The server does not
 * initialise with a route below `/api` that they could not name.
 */
export const documentRoutes: Plugin<DocumentRoutesOptions> = {
	name: 'document-routes',
	register(server, { info, asyncApi }) {
		let openApi: object | null = null;

		server.ext('onPreStart', () => {
			const mistakes = undescribed(server.table());
			if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'));
		});

		server.route({
			method: 'GET',
			path: '/api/openapi.json',
			options: {
				...described(publicAccess, {
					operationId: 'getOpenApi',
					tag: TAG,
					summary: 'This document: the operations of the REST API (OpenAPI 3.1)',
					answers: { 200: Joi.object().unknown() },
				}),
				// Written once, when everybody has mounted their routes.
				handler: () => (openApi ??= openApiDocument(server.table(), info)),
			},
		});
		server.route({
			method: 'GET',
			path: '/api/asyncapi.json',
			options: {
				...described(publicAccess, {
					operationId: 'getAsyncApi',
					tag: TAG,
					summary: 'MQTT topics and Socket.IO events (AsyncAPI 3)',
					answers: { 200: Joi.object().unknown() },
				}),
				handler: () => asyncApi,
			},
		});
	},
};
