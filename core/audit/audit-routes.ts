import { Readable } from 'node:stream';

import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { actorOf, permitted } from '../http/access.ts';
import { withCursorHeaders } from '../http/cursor-headers.ts';
import type { RouteDescription } from '../http/describe.ts';
import { Fault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { AuditLine } from './audit-line.ts';
import type { AuditReader } from './audit-reader.ts';
import {
	auditEntryAnswer,
	auditExportQuery,
	type AuditListQuery,
	auditListQuery,
	type AuditSelection,
	auditVerifyAnswer,
	auditVerifyView,
	auditView,
	toAuditCursor,
} from './audit-schema.ts';
import { entriesFor } from './audit-selection.ts';

/** Most entries of one export; a longer one goes on with `from`. */
const MAX_EXPORTED = 100_000;
/** Exports at a time, and how long a slow reader may take. */
const MAX_EXPORTS = 2;
const EXPORT_TIMEOUT_MS = 300_000;

const { auth, app } = permitted('audit:read');

const described = (operationId: string, summary: string, answers: RouteDescription['answers']) => ({
	auth,
	app: { ...app, api: { operationId, tag: 'Audit', summary, answers } },
});

async function* linesOf(pages: AsyncIterable<readonly AuditLine[]>): AsyncGenerator<string> {
	for await (const page of pages) yield page.map((entry) => `${JSON.stringify(auditView(entry))}\n`).join('');
}

/** Reading the audit log: below `/api/v1`, for administrators. */
export const auditRoutes: Plugin<{ readonly audit: AuditReader }> = {
	name: 'audit-routes',
	register(server, { audit }) {
		const walks = createGate({ what: 'evaluations of the audit log', parallel: 2, waiting: 8 });
		let exports = 0;

		function exported(request: Request<{ Query: AuditSelection }>, h: ResponseToolkit) {
			if (exports >= MAX_EXPORTS)
				throw new Fault('unavailable', `${MAX_EXPORTS} exports are running; try again when one has ended`);
			exports += 1;
			const filter = entriesFor(actorOf(request), request.query);
			const stream = Readable.from(linesOf(audit.all(MAX_EXPORTED, filter)), { objectMode: false });
			const timer = setTimeout(() => stream.destroy(), EXPORT_TIMEOUT_MS);
			stream.once('close', () => {
				clearTimeout(timer);
				exports -= 1;
			});
			return h
				.response(stream)
				.type('application/x-ndjson')
				.header('content-disposition', 'attachment; filename="audit.ndjson"');
		}

		async function list(request: Request<{ Query: AuditListQuery }>, h: ResponseToolkit) {
			const { limit, cursor, ...wanted } = request.query;
			const filter = entriesFor(actorOf(request), wanted);
			const { entries, before } = await walks.run(() => audit.page(cursor?.before ?? null, limit, filter));
			const next = before === null ? null : toAuditCursor(before);
			return withCursorHeaders(h.response(entries.map(auditView)), request, limit, next);
		}

		server.route({
			method: 'GET',
			path: '/audit',
			options: {
				...described('listAuditEntries', 'Changes and refusals, newest first', {
					200: Joi.array().items(auditEntryAnswer),
				}),
				validate: { query: auditListQuery },
				handler: list,
			},
		});
		server.route({
			method: 'GET',
			path: '/audit/verify',
			options: {
				...described('verifyAuditLog', 'Check that no entry was changed or removed', { 200: auditVerifyAnswer }),
				handler: async (request) => auditVerifyView(await walks.run(() => audit.verify(() => request.active()))),
			},
		});
		server.route({
			method: 'GET',
			path: '/audit/export',
			options: {
				...described('exportAuditEntries', 'The log as lines of JSON, oldest first', { 200: null }),
				validate: { query: auditExportQuery },
				handler: exported,
			},
		});
	},
};
